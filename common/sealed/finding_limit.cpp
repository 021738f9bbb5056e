#include "common/sealed/finding_limit.hpp"

#include <utility>

namespace common {

void LimitedFindings::add(std::string path, const std::string& rule, std::string what) {
  const std::size_t count = ++counts_[rule];
  if (count > k_finding_limit) return;
  if (count < k_finding_limit) {
    findings_.push_back({std::move(path), rule, std::move(what)});
    return;
  }
  is_full_ = true;
  findings_.push_back(
      {"", rule,
       "more than " + std::to_string(k_finding_limit) + " findings of this kind; the rest are not listed"});
}

void limit_findings(Findings& findings) {
  std::map<std::string, std::size_t> counts;
  Findings kept;
  for (Finding& finding : findings)
    if (++counts[finding.rule] <= k_finding_limit) kept.push_back(std::move(finding));
  for (const auto& [rule, count] : counts)
    if (count > k_finding_limit)
      kept.push_back({"", rule,
                      "and " + std::to_string(count - k_finding_limit) +
                          " more findings of this kind, which are not listed"});
  findings = std::move(kept);
}

}  // namespace common
