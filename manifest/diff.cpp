#include "manifest/diff.hpp"

#include <fmt/format.h>

#include <unordered_map>

#include "common/error.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"

namespace manifest {
namespace {

using common::Json;

std::vector<std::string> differing_keys(const Json& a, const Json& b) {
  std::vector<std::string> keys;
  for (const auto& [key, value] : a.items())
    if (!b.contains(key) || b[key] != value) keys.push_back(key);
  for (const auto& [key, value] : b.items())
    if (!a.contains(key)) keys.push_back(key);
  return keys;
}

template <typename Entry, typename IdOf>
class RowDiff {
 public:
  RowDiff(const char* what, IdOf id_of, std::vector<RowChange>& changes)
      : what_(what), id_of_(id_of), changes_(changes) {}

  void compare(const std::vector<Entry>& a, const std::vector<Entry>& b) {
    const Index in_a = index(a), in_b = index(b);
    for (const Entry& entry : a)
      if (in_b.count(id_of_(entry)) == 0) changes_.push_back({Change::removed, what_, id_of_(entry), {}});
    for (const Entry& entry : b)
      if (in_a.count(id_of_(entry)) == 0) changes_.push_back({Change::added, what_, id_of_(entry), {}});
    for (const Entry& entry : a) {
      const auto at = in_b.find(id_of_(entry));
      if (at == in_b.end()) continue;
      std::vector<std::string> keys = differing_keys(row_of(entry), row_of(*at->second));
      if (!keys.empty()) changes_.push_back({Change::changed, what_, id_of_(entry), std::move(keys)});
    }
    if (common_ids(a, in_b) != common_ids(b, in_a))
      changes_.push_back({Change::changed, "order", std::string(what_) + "s", {}});
  }

 private:
  using Index = std::unordered_map<std::string, const Entry*>;
  Index index(const std::vector<Entry>& entries) const {
    Index by_id;
    for (const Entry& entry : entries) by_id.emplace(id_of_(entry), &entry);
    return by_id;
  }
  std::vector<std::string> common_ids(const std::vector<Entry>& entries, const Index& other) const {
    std::vector<std::string> ids;
    for (const Entry& entry : entries)
      if (other.count(id_of_(entry)) != 0) ids.push_back(id_of_(entry));
    return ids;
  }

  const char* what_;
  IdOf id_of_;
  std::vector<RowChange>& changes_;
};

void compare_field(const char* key, const Json& a, const Json& b, std::vector<RowChange>& changes) {
  if (a != b)
    changes.push_back(
        {Change::changed, "field", key, {common::dump_line(a) + " -> " + common::dump_line(b)}});
}

template <typename Manifest>
void compare_heads(const Manifest& a, const Manifest& b, std::vector<RowChange>& changes) {
  compare_field("subset_name", a.subset_name, b.subset_name, changes);
  compare_field("description", a.description, b.description, changes);
  compare_field("seed", common::to_json(a.seed), common::to_json(b.seed), changes);
  compare_field("source_dataset", a.source_dataset, b.source_dataset, changes);
  const auto recipe = [](const Manifest& manifest) {
    return manifest.recipe ? to_json(*manifest.recipe) : Json();
  };
  compare_field("recipe", recipe(a), recipe(b), changes);
}

void compare(const SubsetManifest& a, const SubsetManifest& b, std::vector<RowChange>& changes) {
  compare_heads(a, b, changes);
  compare_field("audio_rel_root", a.audio_rel_root, b.audio_rel_root, changes);
  const auto id = [](const ClipEntry& clip) { return clip.clip_id; };
  RowDiff<ClipEntry, decltype(id)>("clip", id, changes).compare(a.entries, b.entries);
}

void compare(const VqaManifest& a, const VqaManifest& b, std::vector<RowChange>& changes) {
  compare_heads(a, b, changes);
  const auto id = [](const QuestionEntry& entry) { return std::to_string(entry.question_id); };
  RowDiff<QuestionEntry, decltype(id)>("question", id, changes).compare(a.entries, b.entries);
  const auto caption_id = [](const ClipEntry& clip) { return clip.caption_id; };
  RowDiff<ClipEntry, decltype(caption_id)>("caption", caption_id, changes).compare(a.captions, b.captions);
}

constexpr const char* name_of(Change change) {
  switch (change) {
    case Change::removed:
      return "removed";
    case Change::added:
      return "added";
    default:
      return "changed";
  }
}

}  // namespace

std::vector<RowChange> diff_manifests(const AnyManifest& a, const AnyManifest& b) {
  if (a.index() != b.index())
    throw common::Error(common::ErrorKind::usage,
                        "one manifest lists clips and the other questions; name two of one kind");
  std::vector<RowChange> changes;
  if (const auto* subset = std::get_if<SubsetManifest>(&a))
    compare(*subset, std::get<SubsetManifest>(b), changes);
  else
    compare(std::get<VqaManifest>(a), std::get<VqaManifest>(b), changes);
  return changes;
}

std::string describe(const RowChange& change) {
  const char sign = change.change == Change::removed ? '-' : change.change == Change::added ? '+' : '~';
  // An id comes from a table and may hold anything: JSON's quotes keep it from a terminal.
  const std::string quoted = common::dump_line(change.id);
  std::string line = fmt::format("{} {} {}", sign, change.what, quoted.substr(1, quoted.size() - 2));
  if (!change.keys.empty()) line += fmt::format(": {}", fmt::join(change.keys, ", "));
  return line;
}

Json to_json(const RowChange& change) {
  Json row{{"change", name_of(change.change)}, {"what", change.what}, {"id", change.id}};
  if (!change.keys.empty()) row["keys"] = change.keys;
  return row;
}

}  // namespace manifest
