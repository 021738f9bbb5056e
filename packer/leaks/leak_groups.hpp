// Pairs that share an item belong together: of ten copies of one picture each pair is a leak, and forty-five
// lines would say no more than one group does.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "packer/leaks/near_duplicates.hpp"

namespace packer {

struct LeakGroup {
  std::size_t items = 0;
  std::vector<std::size_t> leaks;  // their places in the report, ascending
};

// In the order of their first leaks.
[[nodiscard]] std::vector<LeakGroup> group_leaks(const std::vector<Leak>& leaks);

// A line for each pair that stands alone; of a larger group its size and its first three pairs.
[[nodiscard]] std::vector<std::string> describe(const LeakReport& report,
                                                const std::vector<std::string>& packs);
// "not compared: ...: silent", a line each.
[[nodiscard]] std::vector<std::string> describe_rest(const LeakReport& report,
                                                     const std::vector<std::string>& packs);
// "3 near-duplicate pairs in 2 groups; compared 40 pictures and 9 sounds, not compared 1"
[[nodiscard]] std::string summarise(const LeakReport& report);

}  // namespace packer
