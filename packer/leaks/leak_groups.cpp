#include "packer/leaks/leak_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <tuple>

namespace packer {
namespace {

constexpr std::size_t k_shown_pairs = 3;

using Place = std::tuple<std::size_t, Role, std::string_view>;

Place place_of(const LeakItem& item) { return {item.pack, item.split, item.path}; }

std::size_t root_of(std::vector<std::size_t>& parent, std::size_t at) {
  while (parent[at] != at) at = parent[at] = parent[parent[at]];
  return at;
}

std::string count_of(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::vector<LeakGroup> group_leaks(const std::vector<Leak>& leaks) {
  std::map<Place, std::size_t> numbers;
  const auto number_of = [&](const LeakItem& item) {
    return numbers.emplace(place_of(item), numbers.size()).first->second;
  };
  std::vector<std::pair<std::size_t, std::size_t>> ends;
  ends.reserve(leaks.size());
  for (const Leak& leak : leaks) {
    const std::size_t first = number_of(leak.a);
    ends.emplace_back(first, number_of(leak.b));
  }
  std::vector<std::size_t> parent(numbers.size());
  std::iota(parent.begin(), parent.end(), std::size_t{0});
  for (const auto& end : ends) parent[root_of(parent, end.first)] = root_of(parent, end.second);
  std::vector<LeakGroup> groups;
  std::map<std::size_t, std::size_t> group_of_root;
  for (std::size_t i = 0; i < leaks.size(); ++i) {
    const auto at = group_of_root.emplace(root_of(parent, ends[i].first), groups.size());
    if (at.second) groups.emplace_back();
    groups[at.first->second].leaks.push_back(i);
  }
  for (std::size_t i = 0; i < parent.size(); ++i) ++groups[group_of_root.at(root_of(parent, i))].items;
  return groups;
}

std::vector<std::string> describe(const LeakReport& report, const std::vector<std::string>& packs) {
  std::vector<std::string> lines;
  for (const LeakGroup& group : group_leaks(report.leaks)) {
    const bool alone = group.leaks.size() == 1;
    const char* kind = report.leaks[group.leaks.front()].a.is_picture() ? "picture" : "sound";
    if (!alone)
      lines.push_back(
          fmt::format("group of {}, {}:", count_of(group.items, kind), count_of(group.leaks.size(), "pair")));
    const std::size_t shown = std::min(group.leaks.size(), k_shown_pairs);
    for (std::size_t i = 0; i < shown; ++i)
      lines.push_back((alone ? "" : "  ") + describe(report.leaks[group.leaks[i]], packs));
    if (shown < group.leaks.size())
      lines.push_back(fmt::format("  and {} more {}; safe-packer leaks --json lists all",
                                  group.leaks.size() - shown,
                                  group.leaks.size() - shown == 1 ? "pair" : "pairs"));
  }
  return lines;
}

std::vector<std::string> describe_rest(const LeakReport& report, const std::vector<std::string>& packs) {
  std::vector<std::string> lines;
  lines.reserve(report.not_compared.size());
  for (const NothingToCompare& one : report.not_compared)
    lines.push_back("not compared: " + describe(one.item, packs) + ": " + one.why);
  return lines;
}

std::string summarise(const LeakReport& report) {
  return fmt::format(
      "{} in {}; compared {} and {}, not compared {}", count_of(report.leaks.size(), "near-duplicate pair"),
      count_of(group_leaks(report.leaks).size(), "group"), count_of(report.pictures, "picture"),
      count_of(report.sounds, "sound"), report.not_compared.size());
}

}  // namespace packer
