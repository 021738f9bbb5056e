// The checks across control files. The input is control files, each behind a line "=== <name>"; they are
// sealed here, so that the input reaches what lies behind the digests.
#include <map>
#include <string>

#include "packer/format/contents_check.hpp"
#include "packer/format/parse_info.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

std::map<std::string, std::string> split(std::string_view text) {
  constexpr std::string_view k_mark = "\n=== ";
  std::map<std::string, std::string> files;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(k_mark), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + k_mark.size()));
    const std::size_t line = part.find('\n');
    if (line != std::string_view::npos) files[std::string(part.substr(0, line))] = part.substr(line + 1);
  }
  return files;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto files = split(fuzz::text_of(data, size));
  std::vector<common::SumsLine> sums;
  for (const auto& [name, bytes] : files)
    if (common::why_not_a_pack_path(name).empty())
      sums.push_back({common::PackPath(name), common::digest_of(bytes)});
  common::Findings findings;
  packer::ContentsCheck contents;
  for (const auto& [name, bytes] : files) contents.read(name, common::view_of(bytes), sums);
  packer::PackInfo info;
  if (const auto at = files.find("pack.json"); at != files.end())
    if (const auto read = packer::parse_info(at->second, findings)) info = *read;
  packer::check_info_against_sums(info, sums, findings);
  contents.conclude(info, sums, findings);
  common::sort_findings(findings);
  return 0;
}
