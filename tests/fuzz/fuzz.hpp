// What every fuzz target shares. A target is a function of bytes: under libFuzzer it is called without end,
// in the tests once for each file of its corpus and for many damaged copies of each. It finds something by
// aborting.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "common/bytes.hpp"
#include "common/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace fuzz {

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return common::text_of(common::ByteView(data, size));
}

// Bad input may be refused, in the two ways in which data is refused, and in no other.
template <typename Call>
void may_refuse(const Call& call) {
  try {
    call();
  } catch (const common::Error& error) {
    ENSURE(error.kind() == common::ErrorKind::format || error.kind() == common::ErrorKind::mismatch);
    ENSURE(*error.what() != '\0');
  }
}

}  // namespace fuzz
