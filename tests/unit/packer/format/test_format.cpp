// FORMAT.md and the code name the same rules.
#include <set>
#include <string>
#include <vector>

#include "common/file.hpp"
#include "packer/format/parse_info.hpp"
#include "tests/support/format_rules.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

// Rule ids that the code cites: a string literal of a capital letter and a digit.
std::set<std::string> cited_rules() {
  std::set<std::string> rules;
  std::vector<fs::path> sources;
  for (const char* folder : {"packer", "common/sealed"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(SAFE_SOURCE_DIR) / folder))
      if (entry.path().extension() == ".cpp") sources.push_back(entry.path());
  for (const fs::path& source : sources) {
    const std::string code = common::read_text(source, 1 << 20);
    for (std::size_t at = code.find('"'); at != std::string::npos && at + 3 < code.size();
         at = code.find('"', at + 1)) {
      const bool is_rule = std::string("NSFPMAZE").find(code[at + 1]) != std::string::npos &&
                           code[at + 2] >= '0' && code[at + 2] <= '9' && code[at + 3] == '"';
      if (is_rule) rules.insert(code.substr(at + 1, 2));
    }
  }
  return rules;
}

}  // namespace

TEST_CASE("every rule with a MUST has a finding in the code, and every finding a rule") {
  const auto cited = cited_rules();
  const auto defined = support::rules_with_must("NSFPMAZE");
  CHECK(defined.size() > 30);
  for (const std::string& rule : defined) CHECK_MESSAGE(cited.count(rule) == 1, rule);
  for (const std::string& rule : cited) CHECK_MESSAGE(defined.count(rule) == 1, rule);
}

TEST_CASE("the example of pack.json in FORMAT.md is a pack.json") {
  const std::string text = support::format_text();
  const std::size_t begin = text.find("```json\n") + 8;
  common::Findings findings;
  const auto info = packer::parse_info(text.substr(begin, text.find("```", begin) - begin), findings);
  for (const common::Finding& finding : findings) MESSAGE(common::describe(finding));
  CHECK(findings.empty());
  REQUIRE(info);
  CHECK(info->files.size() == 8);
}
