#include "manifest/parse.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <unordered_set>

#include "common/error.hpp"
#include "common/file.hpp"

namespace manifest {
namespace {

using common::Error;
using common::ErrorKind;
using common::Json;
using Keys = std::initializer_list<std::string_view>;

// The Python original's loader raises on a key that it does not know; so do we, or its error would come
// later, on another machine.
void refuse_other_keys(const Json& object, Keys known, const std::string& where) {
  if (!object.is_object()) throw Error(ErrorKind::format, where + " is not a JSON object; check the file");
  for (const auto& [key, value] : object.items())
    if (std::find(known.begin(), known.end(), key) == known.end())
      throw Error(ErrorKind::format, where + " has the unknown key \"" + key +
                                         "\"; remove it, or name a file of the right kind");
}

std::vector<std::string> strings_member(const Json& object, const char* key, const std::string& where) {
  std::vector<std::string> texts;
  for (const Json& item : common::array_member(object, key, where)) {
    if (!item.is_string())
      throw Error(ErrorKind::format, where + ": \"" + key + "\" must hold strings only, found " +
                                         item.type_name() + "; check the file");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

std::optional<double> start_member(const Json& object, const std::string& where) {
  if (common::member(object, "start_time", where).is_null()) return std::nullopt;
  const double start_s = common::number_member(object, "start_time", where);
  if (start_s < 0)
    throw Error(ErrorKind::format, where + ": \"start_time\" must be 0 or more, found " +
                                       common::python_repr(start_s) + "; correct the entry");
  return start_s;
}

// Ids seen so far under one key of one list.
class Ids {
 public:
  Ids(const char* key, Repeats repeats) : key_(key), repeats_(repeats) {}
  void add(const std::string& id, const std::string& where) {
    if (!seen_.insert(id).second && repeats_ == Repeats::refuse)
      throw Error(ErrorKind::format,
                  where + ": the " + key_ + " " + id + " stands in an earlier entry too; keep one of them");
  }

 private:
  const char* key_;
  Repeats repeats_;
  std::unordered_set<std::string> seen_;
};

// "<file>: entry 12", counted from 1.
std::string place(const std::string& name, const char* what, std::size_t index) {
  return name + ": " + what + " " + std::to_string(index + 1);
}

const Json& entries_of(const Json& root, const std::string& name) {
  const Json& entries = common::array_member(root, "entries", name);
  if (entries.empty()) throw Error(ErrorKind::format, name + " has no entries; make the manifest again");
  return entries;
}

ClipEntry parse_caption_row(const Json& row, const std::string& where) {
  ClipEntry clip;
  clip.audiocap_id = common::string_member(row, "audiocap_id", where);
  clip.youtube_id = common::string_member(row, "youtube_id", where);
  clip.start_time_s = start_member(row, where);
  clip.caption = common::string_member(row, "caption", where);
  return clip;
}

ClipEntry parse_clip(const Json& row, const std::string& where) {
  refuse_other_keys(row, {"audiocap_id", "youtube_id", "start_time", "caption", "captions", "audio_relpath"},
                    where);
  ClipEntry clip = parse_caption_row(row, where);
  if (row.contains("captions")) clip.captions = strings_member(row, "captions", where);
  clip.audio_relpath = common::string_member(row, "audio_relpath", where);
  return clip;
}

QuestionEntry parse_question(const Json& row, const std::string& where) {
  refuse_other_keys(
      row, {"question_id", "image_id", "image_filename", "question", "answers", "majority_answer"}, where);
  QuestionEntry entry;
  entry.question_id = common::integer_member(row, "question_id", where);
  entry.image_id = common::integer_member(row, "image_id", where);
  entry.image_filename = common::string_member(row, "image_filename", where);
  entry.question = common::string_member(row, "question", where);
  entry.answers = strings_member(row, "answers", where);
  entry.majority_answer = common::string_member(row, "majority_answer", where);
  return entry;
}

template <typename Manifest>
void parse_head(const Json& root, const std::string& name, Manifest& manifest) {
  manifest.subset_name = common::string_member(root, "subset_name", name);
  manifest.description = common::string_member(root, "description", name);
  manifest.seed = common::integer_member(root, "seed", name);
  manifest.source_dataset = common::string_member(root, "source_dataset", name);
}

SubsetManifest subset_of(const Json& root, const std::string& name, Repeats repeats) {
  refuse_other_keys(root,
                    {"subset_name", "description", "seed", "source_dataset", "audio_rel_root",
                     "metadata_columns", "entries"},
                    name);
  SubsetManifest subset;
  parse_head(root, name, subset);
  subset.audio_rel_root = common::string_member(root, "audio_rel_root", name);
  // The columns are always these four: a list that we do not keep must not say anything else.
  if (strings_member(root, "metadata_columns", name) !=
      std::vector<std::string>{"audiocap_id", "youtube_id", "start_time", "caption"})
    throw Error(ErrorKind::format, name +
                                       ": \"metadata_columns\" must be [\"audiocap_id\", \"youtube_id\", "
                                       "\"start_time\", \"caption\"]; correct the file");
  Ids caption_ids("audiocap_id", repeats);
  Ids clip_ids("youtube_id", repeats);
  const Json& entries = entries_of(root, name);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string where = place(name, "entry", i);
    subset.entries.push_back(parse_clip(entries[i], where));
    caption_ids.add(subset.entries.back().audiocap_id, where);
    clip_ids.add(subset.entries.back().youtube_id, where);
  }
  return subset;
}

VqaManifest vqa_of(const Json& root, const std::string& name, Repeats repeats) {
  refuse_other_keys(root, {"subset_name", "description", "seed", "source_dataset", "entries", "captions"},
                    name);
  VqaManifest vqa;
  parse_head(root, name, vqa);
  Ids question_ids("question_id", repeats);
  const Json& entries = entries_of(root, name);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::string where = place(name, "entry", i);
    vqa.entries.push_back(parse_question(entries[i], where));
    question_ids.add(std::to_string(vqa.entries.back().question_id), where);
  }
  if (!root.contains("captions")) return vqa;
  Ids caption_ids("audiocap_id", repeats);
  const Json& captions = common::array_member(root, "captions", name);
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const std::string where = place(name, "captions row", i);
    refuse_other_keys(captions[i], {"audiocap_id", "youtube_id", "start_time", "caption"}, where);
    vqa.captions.push_back(parse_caption_row(captions[i], where));
    caption_ids.add(vqa.captions.back().audiocap_id, where);
  }
  return vqa;
}

}  // namespace

SubsetManifest parse_subset(std::string_view text, const std::string& name) {
  return subset_of(common::parse_json(text, name), name, Repeats::refuse);
}

VqaManifest parse_vqa(std::string_view text, const std::string& name) {
  return vqa_of(common::parse_json(text, name), name, Repeats::refuse);
}

AnyManifest parse_any(std::string_view text, const std::string& name, Repeats repeats) {
  const Json root = common::parse_json(text, name);
  if (root.is_object() && root.contains("audio_rel_root")) return subset_of(root, name, repeats);
  return vqa_of(root, name, repeats);
}

SubsetManifest read_subset(const std::filesystem::path& path) {
  return parse_subset(common::read_text(path, k_manifest_limit_bytes), path.string());
}

VqaManifest read_vqa(const std::filesystem::path& path) {
  return parse_vqa(common::read_text(path, k_manifest_limit_bytes), path.string());
}

AnyManifest read_any(const std::filesystem::path& path, Repeats repeats) {
  return parse_any(common::read_text(path, k_manifest_limit_bytes), path.string(), repeats);
}

}  // namespace manifest
