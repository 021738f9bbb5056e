#include "common/json.hpp"
#include "manifest/manifest.hpp"

namespace manifest {
namespace {

using common::Json;

Json start_of(const ClipEntry& clip) { return clip.start_time_s ? Json(*clip.start_time_s) : Json(nullptr); }

Json caption_row(const ClipEntry& clip) {
  Json row = Json::object();
  row["audiocap_id"] = clip.audiocap_id;
  row["youtube_id"] = clip.youtube_id;
  row["start_time"] = start_of(clip);
  row["caption"] = clip.caption;
  return row;
}

template <typename Manifest>
Json head_of(const Manifest& manifest) {
  Json root = Json::object();
  root["subset_name"] = manifest.subset_name;
  root["description"] = manifest.description;
  root["seed"] = manifest.seed;
  root["source_dataset"] = manifest.source_dataset;
  return root;
}

}  // namespace

Json row_of(const ClipEntry& clip) {
  Json row = caption_row(clip);
  if (!clip.captions.empty()) row["captions"] = clip.captions;
  row["audio_relpath"] = clip.audio_relpath;
  return row;
}

Json row_of(const QuestionEntry& entry) {
  Json row = Json::object();
  row["question_id"] = entry.question_id;
  row["image_id"] = entry.image_id;
  row["image_filename"] = entry.image_filename;
  row["question"] = entry.question;
  row["answers"] = entry.answers;
  row["majority_answer"] = entry.majority_answer;
  return row;
}

std::string write_subset(const SubsetManifest& subset) {
  Json root = head_of(subset);
  root["audio_rel_root"] = subset.audio_rel_root;
  root["metadata_columns"] = {"audiocap_id", "youtube_id", "start_time", "caption"};
  Json& entries = root["entries"] = Json::array();
  for (const ClipEntry& clip : subset.entries) entries.push_back(row_of(clip));
  return common::dump_pretty(root);
}

std::string write_vqa(const VqaManifest& vqa) {
  Json root = head_of(vqa);
  Json& entries = root["entries"] = Json::array();
  for (const QuestionEntry& entry : vqa.entries) entries.push_back(row_of(entry));
  if (!vqa.captions.empty()) {
    Json& captions = root["captions"] = Json::array();
    for (const ClipEntry& clip : vqa.captions) captions.push_back(caption_row(clip));
  }
  return common::dump_pretty(root);
}

std::string write_captions_jsonl(const SubsetManifest& subset) {
  std::string text;
  for (const ClipEntry& clip : subset.entries) {
    if (!text.empty()) text += '\n';
    Json row = caption_row(clip);
    row["audio_relpath"] = clip.audio_relpath;
    text += common::dump_line(row);
  }
  return text;
}

}  // namespace manifest
