#include "packer/sources/foreign_links.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/terminal.hpp"

namespace packer {
namespace {

// Of links that lead to links; a listing of the archive for each.
constexpr int k_hop_limit = 8;

bool is_link(const ForeignEntry& entry) { return !entry.target.empty(); }

// From the archive's root; nothing where the way leads out of it.
std::optional<std::string> destination(const std::string& name, const ForeignEntry& link) {
  if (link.target.starts_with('/')) return std::nullopt;
  const std::string way =
      (link.is_hard_link ? std::string() : name.substr(0, name.rfind('/') + 1)) + link.target;
  std::vector<std::string_view> parts;
  for (std::size_t at = 0; at <= way.size();) {
    const std::size_t end = std::min(way.find('/', at), way.size());
    const std::string_view part = std::string_view(way).substr(at, end - at);
    at = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..")
      parts.push_back(part);
    else if (parts.empty())
      return std::nullopt;
    else
      parts.pop_back();
  }
  std::string path;
  for (const std::string_view part : parts) path.append(path.empty() ? "" : "/").append(part);
  return path;
}

// Where links lead to, as far as it is known.
class Targets {
 public:
  explicit Targets(const ForeignEntries& entries) : entries_(entries) {}

  // The names that nobody has looked for yet.
  std::unordered_set<std::string> unknown() {
    std::unordered_set<std::string> names;
    for (const ForeignEntries* known : all())
      for (const auto& [name, entry] : *known)
        if (const auto to = is_link(entry) ? destination(name, entry) : std::nullopt; to)
          if (find(*to) == nullptr && looked_for_.insert(*to).second) names.insert(*to);
    return names;
  }
  void add(const std::string& name, const ForeignEntry& entry) {
    const auto [at, is_new] = others_.try_emplace(name, entry);
    if (!is_new) mark_duplicate(at->second);
  }

  [[nodiscard]] ForeignEntry follow(const std::string& first, const ForeignEntry& link) const {
    std::string name = first;
    const ForeignEntry* at = &link;
    for (int hop = 0; is_link(*at); ++hop) {
      const auto to = destination(name, *at);
      if (!to) return refused(link, "lies outside of the archive");
      at = hop == k_hop_limit ? nullptr : find(*to);
      if (at == nullptr) return refused(link, "leads to no file of the archive");
      name = *to;
    }
    if (!at->why_not.empty()) return refused(link, "is " + at->why_not);
    return *at;
  }

 private:
  [[nodiscard]] std::array<const ForeignEntries*, 2> all() const { return {&entries_, &others_}; }
  [[nodiscard]] const ForeignEntry* find(const std::string& name) const {
    for (const ForeignEntries* known : all())
      if (const auto at = known->find(name); at != known->end()) return &at->second;
    return nullptr;
  }
  static ForeignEntry refused(ForeignEntry link, const std::string& why) {
    link.why_not += " to " + common::escape_for_terminal(link.target) + ", which " + why;
    return link;
  }

  const ForeignEntries& entries_;
  ForeignEntries others_;
  std::unordered_set<std::string> looked_for_;
};

}  // namespace

std::string without_dot(std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

void follow_links(ForeignEntries& entries, const std::function<void(const EntryCall&)>& list) {
  Targets targets(entries);
  for (int hop = 0; hop < k_hop_limit; ++hop) {
    const std::unordered_set<std::string> wanted = targets.unknown();
    if (wanted.empty()) break;
    list([&](const ForeignEntry& entry) {
      const std::string name = without_dot(entry.name);
      if (wanted.contains(name)) targets.add(name, entry);
    });
  }
  std::vector<std::pair<std::string, ForeignEntry>> followed;
  for (const auto& [name, entry] : entries)
    if (is_link(entry)) followed.emplace_back(name, targets.follow(name, entry));
  for (auto& [name, entry] : followed) entries.at(name) = std::move(entry);
}

}  // namespace packer
