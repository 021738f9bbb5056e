// What a check found wrong with a pack. A finding cites a rule of FORMAT.md, names a file (empty: the pack as
// a whole) and says expected against found. Findings are always listed all, in one fixed order.
#pragma once

#include <compare>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/terminal.hpp"

namespace common {

struct Finding {
  std::string path;
  std::string rule;
  std::string what;
  auto operator<=>(const Finding&) const = default;
};
using Findings = std::vector<Finding>;

// By path, then rule, then text; equal ones once.
void sort_findings(Findings& findings);

// "F2 images/a.jpg: ..." with every byte that a terminal could act on escaped.
[[nodiscard]] std::string describe(const Finding& finding);

// One line a finding, as people read them. Where an archive ends too early or no longer decompresses, the
// files behind that place are missing for no other reason: they are one line, behind the cause.
[[nodiscard]] std::vector<std::string> describe_all(const Findings& findings);

// signature where the key that is trusted did not sign the pack (E2), whatever else is wrong; else mismatch.
[[nodiscard]] ErrorKind kind_of(const Findings& findings);

// Throws an Error of their kind: `doing`, the count, one line a finding, then `remedy`.
[[noreturn]] void throw_findings(const std::string& doing, const Findings& findings,
                                 const std::string& remedy);

}  // namespace common
