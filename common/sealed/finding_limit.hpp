// How many findings there can be. A text of a stranger may break a rule in every line, and a list of all that
// would take far more memory than the text; nobody reads ten thousand lines.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "common/sealed/finding.hpp"

namespace common {

inline constexpr std::size_t k_finding_limit = 10'000;  // of one rule

// Adds findings, of each rule up to the limit. The last one then says that there are more.
class LimitedFindings {
 public:
  explicit LimitedFindings(Findings& findings) : findings_(findings) {}
  void add(std::string path, const std::string& rule, std::string what);
  // Whether a rule has reached the limit: a check of one text can end there.
  [[nodiscard]] bool is_full() const { return is_full_; }

 private:
  Findings& findings_;
  std::map<std::string, std::size_t> counts_;
  bool is_full_ = false;
};

// Of sorted findings, the first of each rule up to the limit, and one that counts the others. For reports;
// what a program acts on is the whole list.
void limit_findings(Findings& findings);

}  // namespace common
