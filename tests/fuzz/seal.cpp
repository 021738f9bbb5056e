// SHA256SUMS: what is accepted is written again byte for byte.
#include "packer/sums.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  packer::Findings findings;
  const auto lines = packer::parse_sums(text, findings);
  ENSURE(std::is_sorted(lines.begin(), lines.end()));
  if (findings.empty()) ENSURE(packer::write_sums(lines) == text);
  for (const packer::Finding& finding : findings) ENSURE(!packer::describe(finding).empty());
  return 0;
}
