#include "common/sealed/finding.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace common {

void sort_findings(Findings& findings) {
  std::sort(findings.begin(), findings.end());
  findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
}

std::string describe(const Finding& finding) {
  std::string line = finding.rule + " ";
  if (!finding.path.empty()) line += escape_for_terminal(finding.path) + ": ";
  return line + escape_for_terminal(finding.what);
}

std::vector<std::string> describe_all(const Findings& findings) {
  const bool ended_early = std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.rule == "A6" || finding.rule == "Z1" || finding.rule == "Z2";
  });
  std::vector<std::string> lines;
  const Finding* first_missing = nullptr;
  std::size_t missing = 0;
  for (const Finding& finding : findings) {
    if (!ended_early || finding.rule != "F1") {
      lines.push_back(describe(finding));
      continue;
    }
    if (first_missing == nullptr) first_missing = &finding;
    ++missing;
  }
  if (missing == 1) lines.push_back(describe(*first_missing));
  if (missing > 1)
    lines.push_back(fmt::format("F1 {} files after that are missing, {} and others", missing,
                                escape_for_terminal(first_missing->path)));
  return lines;
}

ErrorKind kind_of(const Findings& findings) {
  const bool is_untrusted = std::any_of(findings.begin(), findings.end(),
                                        [](const Finding& finding) { return finding.rule == "E2"; });
  return is_untrusted ? ErrorKind::signature : ErrorKind::mismatch;
}

void throw_findings(const std::string& doing, const Findings& findings, const std::string& remedy) {
  std::string message =
      fmt::format("{}: {} finding{}", doing, findings.size(), findings.size() == 1 ? "" : "s");
  for (const std::string& line : describe_all(findings)) message += "\n  " + line;
  throw Error(kind_of(findings), message + "\n" + remedy);
}

}  // namespace common
