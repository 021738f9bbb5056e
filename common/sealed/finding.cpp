#include "common/sealed/finding.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace common {

void sort_findings(Findings& findings) {
  std::sort(findings.begin(), findings.end());
  findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
}

std::string escape_for_terminal(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c >= ' ' && c <= '~' && c != '\\')
      out += c;
    else
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string describe(const Finding& finding) {
  std::string line = finding.rule + " ";
  if (!finding.path.empty()) line += escape_for_terminal(finding.path) + ": ";
  return line + escape_for_terminal(finding.what);
}

ErrorKind kind_of(const Findings& findings) {
  const bool is_untrusted = std::any_of(findings.begin(), findings.end(),
                                        [](const Finding& finding) { return finding.rule == "E2"; });
  return is_untrusted ? ErrorKind::signature : ErrorKind::mismatch;
}

void throw_findings(const std::string& doing, const Findings& findings, const std::string& remedy) {
  std::string message =
      fmt::format("{}: {} finding{}", doing, findings.size(), findings.size() == 1 ? "" : "s");
  for (const Finding& finding : findings) message += "\n  " + describe(finding);
  throw Error(kind_of(findings), message + "\n" + remedy);
}

}  // namespace common
