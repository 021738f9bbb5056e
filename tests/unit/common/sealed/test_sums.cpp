#include "common/sealed/sums.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

const std::vector<std::string> k_required = {"README.txt", "captions.jsonl", "manifest.json", "pack.json"};
const std::string k_hex(64, 'a');

std::string line(const std::string& path, const std::string& hex = k_hex) { return hex + "  " + path + "\n"; }

std::string good_text() {
  std::string text;
  for (const std::string& name : k_required) text += line(name);
  return text;
}

bool has_rule(const std::string& text, const std::string& rule) {
  common::Findings findings;
  (void)common::parse_sums(text, k_required, findings);
  for (const common::Finding& finding : findings)
    if (finding.rule == rule) return true;
  return false;
}

}  // namespace

TEST_CASE("what write_sums writes is read back without a finding, and writes the same bytes again") {
  const std::string text = good_text();
  common::Findings findings;
  const auto lines = common::parse_sums(text, k_required, findings);
  CHECK(findings.empty());
  CHECK(common::write_sums(lines) == text);
}

TEST_CASE("every way to write a seal otherwise breaks a rule") {
  const std::string good = good_text();
  CHECK(has_rule("", "S1"));
  CHECK(has_rule(good.substr(0, good.size() - 1), "S2"));
  CHECK(has_rule(good + "\n", "S2"));
  CHECK(has_rule(good + "# a comment\n", "S2"));
  CHECK(has_rule(good + k_hex + " *zebra.txt\n", "S2"));
  CHECK(has_rule(good + line("zebra.txt", std::string(64, 'A')), "S2"));
  CHECK(has_rule(good + line("zebra.txt", std::string(63, 'a')), "S2"));
  CHECK(has_rule(good + line("zebra.txt\r"), "N1"));
  CHECK(has_rule(good + line("../zebra.txt"), "N1"));
  CHECK(has_rule(good + line("/zebra.txt"), "N1"));
  CHECK(has_rule(good + line("a.txt"), "S3"));
  CHECK(has_rule(good + line(k_required.back()), "S3"));
  CHECK(has_rule("\\" + good, "S2"));
  CHECK(has_rule(good + line("SHA256SUMS"), "S4"));
  CHECK(has_rule(good + line("SHA256SUMS.sig"), "S4"));
  CHECK(has_rule(good.substr(good.find('\n') + 1), "S5"));
}
