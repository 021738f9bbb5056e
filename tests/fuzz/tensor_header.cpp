// The header of a safetensors file: what is accepted lies within the file, end to end.
#include <algorithm>
#include <vector>

#include "tests/fuzz/fuzz.hpp"
#include "trainer/formats/safetensors_header.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::may_refuse([&] {
    const auto header = trainer::parse_safetensors_header({data, size}, size, "x.safetensors");
    std::uint64_t bytes = 0;
    for (const auto& [name, entry] : header.tensors) {
      ENSURE(entry.begin <= entry.end && header.data_offset + entry.end <= size);
      bytes += entry.end - entry.begin;
    }
    ENSURE(header.data_offset + bytes == size);
  });
  return 0;
}
