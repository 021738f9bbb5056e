// SHA256SUMS: what is accepted is written again byte for byte.
#include "common/sealed/sums.hpp"
#include "packer/format/names.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  common::Findings findings;
  const auto lines = common::parse_sums(text, packer::required_files(), findings);
  ENSURE(std::is_sorted(lines.begin(), lines.end()));
  if (findings.empty()) ENSURE(common::write_sums(lines) == text);
  for (const common::Finding& finding : findings) ENSURE(!common::describe(finding).empty());
  return 0;
}
