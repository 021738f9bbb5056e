#include "manifest/format/write.hpp"

#include <optional>

namespace manifest {
namespace {

using common::Json;

Json start_of(const ClipEntry& clip) { return clip.start_time_s ? Json(*clip.start_time_s) : Json(nullptr); }

Json caption_row(const ClipEntry& clip) {
  Json row = Json::object();
  row["audiocap_id"] = clip.caption_id;
  row["youtube_id"] = clip.clip_id;
  row["start_time"] = start_of(clip);
  row["caption"] = clip.caption;
  return row;
}

Json named_row(const ClipEntry& clip) {
  Json row = Json::object();
  row["clip_id"] = clip.clip_id;
  if (clip.start_time_s) row["start_time"] = *clip.start_time_s;
  row["caption"] = clip.caption;
  return row;
}

template <typename Manifest>
Json head_of(const Manifest& manifest) {
  Json root = Json::object();
  root["subset_name"] = manifest.subset_name;
  root["description"] = manifest.description;
  root["seed"] = common::to_json(manifest.seed);
  root["source_dataset"] = manifest.source_dataset;
  return root;
}

void add_recipe(const std::optional<Recipe>& recipe, Json& root) {
  if (recipe) root["recipe"] = to_json(*recipe);
}

// The head as an object of its own, opened again at its end for the rows.
std::string open_entries(const Json& head) {
  std::string text = common::dump_pretty(head);
  text.resize(text.size() - std::string_view("\n}").size());
  return text + ",\n  \"entries\": [";
}

std::string indented(const Json& row, std::size_t index) {
  constexpr int k_row_level = 2;
  return (index == 0 ? "\n    " : ",\n    ") + common::dump_pretty(row, k_row_level);
}

}  // namespace

Json row_of(const ClipEntry& clip) {
  Json row = clip.schema == RowSchema::original ? caption_row(clip) : named_row(clip);
  if (!clip.captions.empty()) row["captions"] = clip.captions;
  row["audio_relpath"] = clip.audio_relpath;
  if (clip.schema == RowSchema::original) return row;
  if (!clip.source.empty()) row["source"] = clip.source;
  if (!clip.author.empty()) row["author"] = clip.author;
  if (!clip.licence.empty()) row["licence"] = clip.licence;
  return row;
}

Json row_of(const QuestionEntry& entry) {
  Json row = Json::object();
  row["question_id"] = entry.question_id;
  row["image_id"] = entry.image_id;
  const bool is_last = entry.image_name_place == ImageNamePlace::last;
  if (!is_last) row["image_filename"] = entry.image_filename;
  row["question"] = entry.question;
  row["answers"] = entry.answers;
  row["majority_answer"] = entry.majority_answer;
  if (is_last) row["image_filename"] = entry.image_filename;
  return row;
}

std::string head_text(const SubsetManifest& head) {
  Json root = head_of(head);
  if (!head.data_set.empty()) root["data_set"] = head.data_set;
  root["audio_rel_root"] = head.audio_rel_root;
  if (head.data_set.empty())
    root["metadata_columns"] = {"audiocap_id", "youtube_id", "start_time", "caption"};
  else
    root["metadata_columns"] = head.columns;
  add_recipe(head.recipe, root);
  return open_entries(root);
}

std::string head_text(const VqaManifest& head) {
  Json root = head_of(head);
  add_recipe(head.recipe, root);
  return open_entries(root);
}

std::string row_text(const ClipEntry& clip, std::size_t index) { return indented(row_of(clip), index); }
std::string row_text(const QuestionEntry& entry, std::size_t index) { return indented(row_of(entry), index); }
std::string caption_text(const ClipEntry& clip, std::size_t index) {
  return indented(caption_row(clip), index);
}

void write_subset(const SubsetManifest& subset, const TakeText& take) {
  take(head_text(subset));
  for (std::size_t i = 0; i < subset.entries.size(); ++i) take(row_text(subset.entries[i], i));
  take(subset.entries.empty() ? "]" : k_list_end);
  take(k_manifest_end);
}

void write_vqa(const VqaManifest& vqa, const TakeText& take) {
  take(head_text(vqa));
  for (std::size_t i = 0; i < vqa.entries.size(); ++i) take(row_text(vqa.entries[i], i));
  take(vqa.entries.empty() ? "]" : k_list_end);
  if (!vqa.captions.empty()) {
    take(k_captions_begin);
    for (std::size_t i = 0; i < vqa.captions.size(); ++i) take(caption_text(vqa.captions[i], i));
    take(k_list_end);
  }
  take(k_manifest_end);
}

std::string captions_line(const ClipEntry& clip) {
  if (clip.schema == RowSchema::named) return common::dump_line(row_of(clip));
  Json row = caption_row(clip);
  row["audio_relpath"] = clip.audio_relpath;
  return common::dump_line(row);
}

void write_captions_jsonl(const SubsetManifest& subset, const TakeText& take) {
  for (std::size_t i = 0; i < subset.entries.size(); ++i)
    take((i == 0 ? "" : "\n") + captions_line(subset.entries[i]));
}

namespace {
template <typename Manifest>
std::string whole(void (*write)(const Manifest&, const TakeText&), const Manifest& manifest) {
  std::string text;
  write(manifest, [&](std::string_view part) { text += part; });
  return text;
}
}  // namespace

std::string write_subset(const SubsetManifest& subset) { return whole<SubsetManifest>(write_subset, subset); }
std::string write_vqa(const VqaManifest& vqa) { return whole<VqaManifest>(write_vqa, vqa); }
std::string write_captions_jsonl(const SubsetManifest& subset) {
  return whole<SubsetManifest>(write_captions_jsonl, subset);
}

}  // namespace manifest
