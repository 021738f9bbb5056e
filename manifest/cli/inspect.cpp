// show and diff: what a manifest holds, and what makes two of them differ.
#include <fmt/format.h>

#include <cstdio>
#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "manifest/cli/commands.hpp"
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
            {"seed", manifest.seed}};
  if (!manifest.recipe) return head;
  const Recipe& recipe = *manifest.recipe;
  head["strategy"] = recipe.strategy;
  head["population"] = recipe.population;
  for (const Recipe::Source& source : recipe.sources)
    head["sources"].push_back({{"table", source.table}, {"sha256", source.digest.hex()}});
  head["skipped"] = Json::array();
  for (const Recipe::Skipped& skipped : recipe.skipped) head["skipped"].push_back(skipped.youtube_id);
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
    if (clip.youtube_id == id || clip.audiocap_id == id) rows.push_back(row_of(clip));
}

std::vector<Json> rows_with(const AnyManifest& any, const std::string& id) {
  std::vector<Json> rows;
  if (const auto* subset = std::get_if<SubsetManifest>(&any)) {
    add_rows(subset->entries, id, rows);
    if (subset->recipe)
      for (const Recipe::Skipped& skipped : subset->recipe->skipped)
        if (skipped.youtube_id == id) rows.push_back({{"youtube_id", id}, {"skipped", skipped.reason}});
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
  for (const Json& row : rows) fmt::print("{}\n", common::dump_line(row));
  if (!rows.empty()) return 0;
  throw common::Error(common::ErrorKind::mismatch,
                      fmt::format("{} has no row with the id {}; ids are youtube_id, audiocap_id, "
                                  "question_id and image_id",
                                  path.string(), common::dump_line(id)));
}

}  // namespace

int show(const fs::path& path, const std::string& id, const OutputOptions& output) {
  const std::string text = common::read_text(path, k_manifest_limit_bytes);
  const AnyManifest any = parse_any(text, path.string(), Repeats::keep);
  if (!id.empty()) return show_rows(any, path, id);
  Json summary{{"path", path.string()}};
  summary.update(std::visit([](const auto& manifest) { return summary_of(manifest); }, any));
  summary["sha256"] = common::digest_of(text).hex();
  if (output.form == ResultForm::json) {
    fmt::print("{}\n", common::dump_line(summary));
    return 0;
  }
  for (const auto& [key, value] : summary.items()) fmt::print("{:16}  {}\n", key, common::dump_line(value));
  return 0;
}

int diff(const fs::path& a, const fs::path& b, const OutputOptions& output) {
  const std::vector<RowChange> changes =
      diff_manifests(read_any(a, Repeats::refuse), read_any(b, Repeats::refuse));
  for (const RowChange& change : changes)
    fmt::print("{}\n",
               output.form == ResultForm::json ? common::dump_line(to_json(change)) : describe(change));
  if (changes.empty() && output.form == ResultForm::text) fmt::print("equal\n");
  return changes.empty() ? 0 : 1;
}

}  // namespace manifest
