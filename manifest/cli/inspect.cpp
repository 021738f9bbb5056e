#include "manifest/cli/inspect.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "common/cli/print_json.hpp"
#include "common/cli/program.hpp"
#include "common/error.hpp"
#include "common/file.hpp"
#include "common/terminal.hpp"
#include "manifest/check.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/diff.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"

namespace manifest {
namespace {

using common::Json;
namespace fs = std::filesystem;

template <typename Manifest>
Json head_of(const Manifest& manifest, const char* kind) {
  Json head{{"kind", kind},
            {"subset_name", manifest.subset_name},
            {"description", manifest.description},
            {"source_dataset", manifest.source_dataset},
            {"seed", common::to_json(manifest.seed)}};
  if (!manifest.recipe) return head;
  const Recipe& recipe = *manifest.recipe;
  head["strategy"] = recipe.strategy;
  head["population"] = recipe.population;
  for (const Recipe::Source& source : recipe.sources)
    head["sources"].push_back({{"table", source.table}, {"sha256", source.digest.hex()}});
  head["skipped"] = Json::array();
  for (const Recipe::Skipped& skipped : recipe.skipped) head["skipped"].push_back(skipped.clip_id);
  return head;
}

Json summary_of(const SubsetManifest& subset) {
  Json summary = head_of(subset, "clips");
  summary["audio_rel_root"] = subset.audio_rel_root;
  std::size_t later = 0, captions = 0;
  for (const ClipEntry& clip : subset.entries) {
    later += clip.start_time_s.value_or(0) > 0 ? 1 : 0;
    captions += clip.captions.empty() ? 1 : clip.captions.size();
  }
  summary["clips"] = subset.entries.size();
  summary["clips_after_0_s"] = later;
  summary["captions"] = captions;
  return summary;
}

Json summary_of(const VqaManifest& vqa) {
  Json summary = head_of(vqa, "questions");
  std::set<std::int64_t> images;
  std::set<std::string> majorities;
  for (const QuestionEntry& entry : vqa.entries) {
    images.insert(entry.image_id);
    majorities.insert(entry.majority_answer);
  }
  summary["questions"] = vqa.entries.size();
  summary["images"] = images.size();
  summary["majority_answers"] = majorities.size();
  if (!vqa.captions.empty()) summary["captions"] = vqa.captions.size();
  return summary;
}

void add_rows(const std::vector<ClipEntry>& clips, const std::string& id, std::vector<Json>& rows) {
  for (const ClipEntry& clip : clips)
    if (clip.clip_id == id || clip.caption_id == id) rows.push_back(row_of(clip));
}

std::vector<Json> rows_with(const AnyManifest& any, const std::string& id) {
  std::vector<Json> rows;
  if (const auto* subset = std::get_if<SubsetManifest>(&any)) {
    add_rows(subset->entries, id, rows);
    if (subset->recipe)
      for (const Recipe::Skipped& skipped : subset->recipe->skipped)
        if (skipped.clip_id == id)
          rows.push_back(
              {{std::string(sound_set_of(*subset).columns.clip), id}, {"skipped", skipped.reason}});
    return rows;
  }
  const auto& vqa = std::get<VqaManifest>(any);
  for (const QuestionEntry& entry : vqa.entries)
    if (std::to_string(entry.question_id) == id || std::to_string(entry.image_id) == id)
      rows.push_back(row_of(entry));
  add_rows(vqa.captions, id, rows);
  return rows;
}

int show_rows(const AnyManifest& any, const fs::path& path, const std::string& id) {
  const std::vector<Json> rows = rows_with(any, id);
  for (const Json& row : rows) common::print_json(row, common::JsonLayout::line);
  if (!rows.empty()) return 0;
  throw common::Error(common::ErrorKind::mismatch,
                      fmt::format("{} has no row with the id {}; ids are youtube_id, audiocap_id, "
                                  "question_id and image_id",
                                  path.string(), common::dump_line(id)));
}

std::size_t skipped_by(const NamedManifest& named) {
  return std::visit([](const auto& one) { return one.recipe ? one.recipe->skipped.size() : 0; },
                    named.manifest);
}

// The recipe of a manifest with the original's bytes lies beside it, and a shell's *.json names it too.
bool is_recipe(const fs::path& path) { return path.filename().string().ends_with(".recipe.json"); }

std::vector<NamedManifest> read_named(const std::vector<fs::path>& paths, const common::CommonFlags& flags) {
  std::vector<NamedManifest> named;
  for (const fs::path& path : paths) {
    if (is_recipe(path))
      common::say(flags, path.string() + ": passed over; it is the recipe of the manifest beside it");
    else
      named.push_back({path.string(), read_any(path, Repeats::keep)});
  }
  if (named.empty())
    throw common::Error(common::ErrorKind::usage,
                        "there is no manifest among the files; name those that these recipes are of");
  return named;
}

// Where the manifests are those of a pack, how it is built.
void say_build(const std::vector<NamedManifest>& named, const common::CommonFlags& flags) {
  std::string subset, val;
  for (const NamedManifest& one : named) {
    const std::string name = fs::path(one.name).filename().string();
    if (name == "subset_manifest.json") subset = one.name;
    if (name == "val_manifest.json") val = one.name;
  }
  if (!subset.empty() && !val.empty())
    common::say_next(flags, {"safe-packer", "build", "--manifest", subset, "--val-manifest", val});
}

}  // namespace

int check(const std::vector<fs::path>& manifests, const common::CommonFlags& flags) {
  const std::vector<NamedManifest> named = read_named(manifests, flags);
  const std::vector<Finding> findings = check_manifests(named);
  const int code = findings.empty() ? 0 : 1;
  if (flags.json) {
    Json result = Json::object();
    result["manifests"] = Json::array();
    for (const NamedManifest& one : named) result["manifests"].push_back(one.name);
    result["skipped"] = Json::object();
    for (const NamedManifest& one : named)
      if (const std::size_t count = skipped_by(one)) result["skipped"][one.name] = count;
    result["findings"] = Json::array();
    for (const Finding& finding : findings)
      result["findings"].push_back(
          {{"kind", finding.kind}, {"files", finding.files}, {"text", finding.text}});
    common::print_json(result, common::JsonLayout::pretty);
    return code;
  }
  for (const Finding& finding : findings)
    common::print_line(
        stdout, fmt::format("{}: {}: {}", finding.kind, fmt::join(finding.files, " and "), finding.text));
  if (findings.empty())
    common::print_line(stdout, fmt::format("ok: {} manifests, nothing found", named.size()));
  for (const NamedManifest& one : named)
    if (const std::size_t count = skipped_by(one))
      common::say(flags, fmt::format("{}: clips skipped when it was made: {}; safe-manifest show names them",
                                     one.name, count));
  common::say(flags,
              findings.empty()
                  ? std::string("checked: leaks, duplicates, majority answers, names of images and clips")
                  : fmt::format("{} findings; make the manifest again, with --exclude naming the other",
                                findings.size()));
  if (findings.empty()) say_build(named, flags);
  return code;
}

int show(const fs::path& path, const std::string& id, const common::CommonFlags& flags) {
  const std::string text = common::read_text(path, k_manifest_limit_bytes);
  const AnyManifest any = parse_any(text, path.string(), Repeats::keep);
  if (!id.empty()) return show_rows(any, path, id);
  Json summary{{"path", path.string()}};
  summary.update(std::visit([](const auto& manifest) { return summary_of(manifest); }, any));
  summary["sha256"] = common::digest_of(text).hex();
  if (flags.json) {
    common::print_json(summary, common::JsonLayout::line);
    return 0;
  }
  for (const auto& [key, value] : summary.items())
    common::print_line(stdout, fmt::format("{:16}  {}", key, common::dump_line(value)));
  return 0;
}

int diff(const fs::path& a, const fs::path& b, const common::CommonFlags& flags) {
  const std::vector<RowChange> changes =
      diff_manifests(read_any(a, Repeats::refuse), read_any(b, Repeats::refuse));
  for (const RowChange& change : changes)
    if (flags.json)
      common::print_json(to_json(change), common::JsonLayout::line);
    else
      common::print_line(stdout, describe(change));
  if (changes.empty() && !flags.json) common::print_line(stdout, "equal");
  return changes.empty() ? 0 : 1;
}

}  // namespace manifest
