// pack.json: what is accepted is written again byte for byte.
#include "packer/format/parse_info.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  common::Findings findings;
  const auto info = packer::parse_info(text, findings);
  ENSURE(info || !findings.empty());
  if (findings.empty()) ENSURE(packer::write_info(*info) == text);
  return 0;
}
