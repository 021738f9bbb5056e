#include "manifest/format/parse.hpp"

#include <cmath>
#include <iterator>
#include <unordered_set>

#include "common/error.hpp"
#include "common/file.hpp"

namespace manifest {
namespace {

using common::Error;
using common::ErrorKind;
using common::Json;

std::vector<std::string> strings_member(const Json& object, const char* key, const std::string& where) {
  const Json& list = common::array_member(object, key, where);
  std::vector<std::string> texts;
  texts.reserve(list.size());
  for (const Json& item : list) {
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
      throw Error(ErrorKind::format, where + ": the " + key_ + " " + id +
                                         " is a duplicate: an earlier entry has it too; keep one of them");
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

ClipEntry parse_caption_row(const Json& row, const std::string& where) {
  ClipEntry clip;
  clip.caption_id = common::string_member(row, "audiocap_id", where);
  clip.clip_id = common::string_member(row, "youtube_id", where);
  clip.start_time_s = start_member(row, where);
  clip.caption = common::string_member(row, "caption", where);
  return clip;
}

ClipEntry parse_clip(const Json& row, const std::string& where) {
  common::refuse_other_members(
      row, {"audiocap_id", "youtube_id", "start_time", "caption", "captions", "audio_relpath"}, where);
  ClipEntry clip = parse_caption_row(row, where);
  if (row.contains("captions")) clip.captions = strings_member(row, "captions", where);
  clip.audio_relpath = common::string_member(row, "audio_relpath", where);
  return clip;
}

QuestionEntry parse_question(const Json& row, const std::string& where) {
  common::refuse_other_members(
      row, {"question_id", "image_id", "image_filename", "question", "answers", "majority_answer"}, where);
  QuestionEntry entry;
  entry.question_id = common::integer_member(row, "question_id", where);
  entry.image_id = common::integer_member(row, "image_id", where);
  entry.image_filename = common::string_member(row, "image_filename", where);
  entry.question = common::string_member(row, "question", where);
  entry.answers = strings_member(row, "answers", where);
  entry.majority_answer = common::string_member(row, "majority_answer", where);
  if (std::prev(row.end()).key() == "image_filename") entry.image_name_place = ImageNamePlace::last;
  return entry;
}

template <typename Manifest>
void parse_head(const Json& root, const std::string& name, Manifest& manifest) {
  manifest.subset_name = common::string_member(root, "subset_name", name);
  manifest.description = common::string_member(root, "description", name);
  manifest.seed = common::seed_member(root, name);
  manifest.source_dataset = common::string_member(root, "source_dataset", name);
  if (root.contains("recipe")) manifest.recipe = parse_recipe(root["recipe"], name + ": recipe");
}

void check_entries(const Json& root, std::size_t count, const std::string& name) {
  (void)common::array_member(root, "entries", name);
  if (count == 0) throw Error(ErrorKind::format, name + " has no entries; make the manifest again");
}

// Takes rows as they come and hands them on; `head` is told what stood around them.
class SubsetScan {
 public:
  SubsetScan(const std::string& name, Repeats repeats, const TakeClip& take)
      : name_(name), take_(take), caption_ids_("audiocap_id", repeats), clip_ids_("youtube_id", repeats) {}

  void row(const Json& row) {
    const std::string where = place(name_, "entry", count_++);
    ClipEntry clip = parse_clip(row, where);
    caption_ids_.add(clip.caption_id, where);
    clip_ids_.add(clip.clip_id, where);
    take_(std::move(clip));
  }

  [[nodiscard]] SubsetManifest head(const Json& root) const {
    common::refuse_other_members(root,
                                 {"subset_name", "description", "seed", "source_dataset", "audio_rel_root",
                                  "metadata_columns", "recipe", "entries"},
                                 name_);
    SubsetManifest subset;
    parse_head(root, name_, subset);
    subset.audio_rel_root = common::string_member(root, "audio_rel_root", name_);
    // The columns are always these four: a list that we do not keep must not say anything else.
    if (strings_member(root, "metadata_columns", name_) !=
        std::vector<std::string>{"audiocap_id", "youtube_id", "start_time", "caption"})
      throw Error(ErrorKind::format, name_ +
                                         ": \"metadata_columns\" must be [\"audiocap_id\", \"youtube_id\", "
                                         "\"start_time\", \"caption\"]; correct the file");
    check_entries(root, count_, name_);
    return subset;
  }

 private:
  const std::string& name_;
  const TakeClip& take_;
  Ids caption_ids_, clip_ids_;
  std::size_t count_ = 0;
};

class VqaScan {
 public:
  VqaScan(const std::string& name, Repeats repeats, const TakeQuestion& take, const TakeClip& take_caption)
      : name_(name),
        take_(take),
        take_caption_(take_caption),
        question_ids_("question_id", repeats),
        caption_ids_("audiocap_id", repeats) {}

  void row(const Json& row) {
    const std::string where = place(name_, "entry", count_++);
    QuestionEntry entry = parse_question(row, where);
    question_ids_.add(std::to_string(entry.question_id), where);
    take_(std::move(entry));
  }

  void caption(const Json& row) {
    const std::string where = place(name_, "captions row", caption_count_++);
    common::refuse_other_members(row, {"audiocap_id", "youtube_id", "start_time", "caption"}, where);
    ClipEntry clip = parse_caption_row(row, where);
    caption_ids_.add(clip.caption_id, where);
    take_caption_(std::move(clip));
  }

  [[nodiscard]] VqaManifest head(const Json& root) const {
    common::refuse_other_members(
        root, {"subset_name", "description", "seed", "source_dataset", "recipe", "entries", "captions"},
        name_);
    VqaManifest vqa;
    parse_head(root, name_, vqa);
    check_entries(root, count_, name_);
    if (root.contains("captions")) (void)common::array_member(root, "captions", name_);
    return vqa;
  }

 private:
  const std::string& name_;
  const TakeQuestion& take_;
  const TakeClip& take_caption_;
  Ids question_ids_, caption_ids_;
  std::size_t count_ = 0, caption_count_ = 0;
};

}  // namespace

SubsetManifest scan_subset(std::string_view text, const std::string& name, const TakeClip& take) {
  SubsetScan scan(name, Repeats::refuse, take);
  return scan.head(common::parse_json_rows(text, name, {"entries"},
                                           [&](std::string_view /*list*/, Json&& row) { scan.row(row); }));
}

VqaManifest scan_vqa(std::string_view text, const std::string& name, const TakeQuestion& take,
                     const TakeClip& take_caption) {
  VqaScan scan(name, Repeats::refuse, take, take_caption);
  return scan.head(common::parse_json_rows(
      text, name, {"entries", "captions"},
      [&](std::string_view list, Json&& row) { list == "entries" ? scan.row(row) : scan.caption(row); }));
}

SubsetManifest parse_subset(std::string_view text, const std::string& name) {
  std::vector<ClipEntry> entries;
  SubsetManifest subset =
      scan_subset(text, name, [&](ClipEntry&& clip) { entries.push_back(std::move(clip)); });
  subset.entries = std::move(entries);
  return subset;
}

VqaManifest parse_vqa(std::string_view text, const std::string& name) {
  std::vector<QuestionEntry> entries;
  std::vector<ClipEntry> captions;
  VqaManifest vqa = scan_vqa(
      text, name, [&](QuestionEntry&& entry) { entries.push_back(std::move(entry)); },
      [&](ClipEntry&& clip) { captions.push_back(std::move(clip)); });
  vqa.entries = std::move(entries);
  vqa.captions = std::move(captions);
  return vqa;
}

// Which kind it is may only be known at the end of the file, so here the document is built.
AnyManifest parse_any(std::string_view text, const std::string& name, Repeats repeats) {
  const Json root = common::parse_json(text, name);
  const auto rows = [&](const char* list, const auto& take) {
    if (!root.is_object() || !root.contains(list)) return;
    for (const Json& row : common::array_member(root, list, name)) take(row);
  };
  if (root.is_object() && root.contains("audio_rel_root")) {
    std::vector<ClipEntry> entries;
    const TakeClip take = [&](ClipEntry&& clip) { entries.push_back(std::move(clip)); };
    SubsetScan scan(name, repeats, take);
    rows("entries", [&](const Json& row) { scan.row(row); });
    SubsetManifest subset = scan.head(root);
    subset.entries = std::move(entries);
    return subset;
  }
  std::vector<QuestionEntry> entries;
  std::vector<ClipEntry> captions;
  const TakeQuestion take = [&](QuestionEntry&& entry) { entries.push_back(std::move(entry)); };
  const TakeClip take_caption = [&](ClipEntry&& clip) { captions.push_back(std::move(clip)); };
  VqaScan scan(name, repeats, take, take_caption);
  rows("entries", [&](const Json& row) { scan.row(row); });
  rows("captions", [&](const Json& row) { scan.caption(row); });
  VqaManifest vqa = scan.head(root);
  vqa.entries = std::move(entries);
  vqa.captions = std::move(captions);
  return vqa;
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
