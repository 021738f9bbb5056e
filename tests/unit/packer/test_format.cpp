// FORMAT.md and the code name the same rules.
#include <regex>
#include <set>
#include <string>

#include "common/file.hpp"
#include "packer/info.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

std::string format_text() { return common::read_text(fs::path(SAFE_SOURCE_DIR) / "packer/FORMAT.md", 1 << 20); }

std::set<std::string> found(const std::string& text, const char* pattern) {
  std::set<std::string> rules;
  const std::regex expression(pattern);
  for (auto at = std::sregex_iterator(text.begin(), text.end(), expression); at != std::sregex_iterator(); ++at)
    rules.insert((*at)[1]);
  return rules;
}

}  // namespace

TEST_CASE("every rule with a MUST has a finding in the code, and every finding a rule") {
  std::string code;
  for (const auto& entry : fs::directory_iterator(fs::path(SAFE_SOURCE_DIR) / "packer"))
    if (entry.path().extension() == ".cpp") code += common::read_text(entry.path(), 1 << 20);
  const auto cited = found(code, "\"([NSFPMAZE][0-9])\"");
  const auto defined = found(format_text(), "\\*\\*([NSFPMAZE][0-9])\\*\\* [^*]*MUST");
  CHECK(defined.size() > 30);
  for (const std::string& rule : defined) CHECK_MESSAGE(cited.count(rule) == 1, rule);
  for (const std::string& rule : cited) CHECK_MESSAGE(defined.count(rule) == 1, rule);
}

TEST_CASE("the example of pack.json in FORMAT.md is a pack.json") {
  const std::string text = format_text();
  const std::size_t begin = text.find("```json\n") + 8;
  packer::Findings findings;
  const auto info = packer::parse_info(text.substr(begin, text.find("```", begin) - begin), findings);
  for (const packer::Finding& finding : findings) MESSAGE(packer::describe(finding));
  CHECK(findings.empty());
  REQUIRE(info);
  CHECK(info->files.size() == 8);
}
