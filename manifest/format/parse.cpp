#include "manifest/format/parse.hpp"

#include <set>
#include <span>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json.hpp"
#include "common/json_object.hpp"

namespace manifest {
namespace {

using common::Error;
using common::ErrorKind;
using common::JsonObject;
using common::JsonStream;

// More than any table has; the memory that rows take is bounded by the size of the text.
constexpr common::JsonListLimit k_row_limit{10'000'000};
constexpr common::JsonListLimit k_text_limit{1'000};  // the answers of a question, the captions of a clip
constexpr common::JsonListLimit k_column_limit{100};

constexpr common::JsonMember k_clip_members[] = {{"audiocap_id"},   {"youtube_id"},
                                                 {"start_time"},    {"caption"},
                                                 {"audio_relpath"}, common::optional_member("captions")};
// Of a data set that the manifest names.
constexpr common::JsonMember k_named_clip_members[] = {{"clip_id"},
                                                       common::optional_member("start_time"),
                                                       {"caption"},
                                                       common::optional_member("captions"),
                                                       {"audio_relpath"},
                                                       common::optional_member("source"),
                                                       common::optional_member("author"),
                                                       common::optional_member("licence")};
constexpr common::JsonMember k_caption_members[] = {
    {"audiocap_id"}, {"youtube_id"}, {"start_time"}, {"caption"}};
constexpr common::JsonMember k_question_members[] = {{"question_id"}, {"image_id"}, {"image_filename"},
                                                     {"question"},    {"answers"},  {"majority_answer"}};
constexpr common::JsonMember k_subset_members[] = {{"subset_name"},
                                                   {"description"},
                                                   {"seed"},
                                                   {"source_dataset"},
                                                   common::optional_member("data_set"),
                                                   {"audio_rel_root"},
                                                   {"metadata_columns"},
                                                   common::optional_member("recipe"),
                                                   {"entries"}};
constexpr common::JsonMember k_vqa_members[] = {{"subset_name"},
                                                {"description"},
                                                {"seed"},
                                                {"source_dataset"},
                                                common::optional_member("recipe"),
                                                {"entries"},
                                                common::optional_member("captions")};

std::optional<double> read_start(JsonObject& row) {
  if (row.is_null()) return std::nullopt;
  const double start_s = row.number();
  if (start_s < 0)
    row.fail("\"start_time\" must be 0 or more, found " + common::python_repr(start_s) +
             "; correct the entry");
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
  // A tree: whoever writes the ids can make all of them fall into one place of a hash table.
  std::set<std::string> seen_;
};

// "<file>: entry 12", counted from 1.
std::string place(const std::string& name, const char* what, std::size_t index) {
  return name + ": " + what + " " + std::to_string(index + 1);
}

// A clip, or a caption without sound, as `known` says.
ClipEntry read_clip(JsonStream& stream, const std::string& where, std::span<const common::JsonMember> known) {
  ClipEntry clip;
  JsonObject row(stream, where, known);
  while (row.next())
    if (row.is("audiocap_id"))
      clip.caption_id = row.string();
    else if (row.is("youtube_id") || row.is("clip_id"))
      clip.clip_id = row.string();
    else if (row.is("start_time"))
      clip.start_time_s = read_start(row);
    else if (row.is("caption"))
      clip.caption = row.string();
    else if (row.is("captions"))
      clip.captions = row.strings(k_text_limit);
    else if (row.is("audio_relpath"))
      clip.audio_relpath = row.string();
    else
      (row.is("source") ? clip.source : row.is("author") ? clip.author : clip.licence) = row.string();
  return clip;
}

QuestionEntry read_question(JsonStream& stream, const std::string& where) {
  QuestionEntry entry;
  JsonObject row(stream, where, k_question_members);
  while (row.next())
    if (row.is("question_id"))
      entry.question_id = row.integer();
    else if (row.is("image_id"))
      entry.image_id = row.integer();
    else if (row.is("image_filename"))
      entry.image_filename = row.string();
    else if (row.is("question"))
      entry.question = row.string();
    else if (row.is("answers"))
      entry.answers = row.strings(k_text_limit);
    else
      entry.majority_answer = row.string();
  if (row.last() == "image_filename") entry.image_name_place = ImageNamePlace::last;
  return entry;
}

// A member that manifests of both kinds have; false where it is another one.
template <typename Manifest>
bool read_head(JsonStream& stream, JsonObject& root, const std::string& name, Manifest& manifest) {
  if (root.is("subset_name"))
    manifest.subset_name = root.string();
  else if (root.is("description"))
    manifest.description = root.string();
  else if (root.is("seed"))
    manifest.seed = root.seed();
  else if (root.is("source_dataset"))
    manifest.source_dataset = root.string();
  else if (root.is("recipe"))
    manifest.recipe = read_recipe(stream, name + ": recipe");
  else
    return false;
  return true;
}

void check_count(std::size_t count, const std::string& name) {
  if (count == 0) throw Error(ErrorKind::format, name + " has no entries; make the manifest again");
}

constexpr std::size_t k_data_set_limit_bytes = 40;

std::string read_data_set(JsonObject& root) {
  const std::string name = root.string();
  if (name.empty() || name.size() > k_data_set_limit_bytes ||
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") != std::string::npos)
    root.fail("\"data_set\" must be 1 to 40 of a-z, 0-9 and _; correct the file");
  return name;
}

// The original's columns are always these four.
void check_columns(const SubsetManifest& subset, const std::string& name) {
  static const std::vector<std::string> k_original = {"audiocap_id", "youtube_id", "start_time", "caption"};
  if (subset.data_set.empty() && subset.columns != k_original)
    throw Error(ErrorKind::format,
                name +
                    ": \"metadata_columns\" must be [\"audiocap_id\", \"youtube_id\", \"start_time\", "
                    "\"caption\"]; correct the file");
}

SubsetManifest read_subset_text(std::string_view text, const std::string& name, Repeats repeats,
                                const TakeClip& take) {
  Ids caption_ids("audiocap_id", repeats), clip_ids("youtube_id", repeats), named_ids("clip_id", repeats);
  std::size_t count = 0;
  JsonStream stream(text, name);
  JsonObject root(stream, name, k_subset_members);
  SubsetManifest subset;
  while (root.next())
    if (root.is("audio_rel_root")) {
      subset.audio_rel_root = root.string();
    } else if (root.is("metadata_columns")) {
      subset.columns = root.strings(k_column_limit);
    } else if (root.is("data_set")) {
      if (count > 0) root.fail("\"data_set\" must stand before \"entries\"; correct the file");
      subset.data_set = read_data_set(root);
    } else if (!read_head(stream, root, name, subset)) {
      const bool is_named = !subset.data_set.empty();
      root.list(k_row_limit, [&] {
        const std::string where = place(name, "entry", count++);
        ClipEntry clip = is_named ? read_clip(stream, where, k_named_clip_members)
                                  : read_clip(stream, where, k_clip_members);
        if (is_named) {
          clip.caption_id = clip.clip_id;
          clip.schema = RowSchema::named;
        } else {
          caption_ids.add(clip.caption_id, where);
        }
        (is_named ? named_ids : clip_ids).add(clip.clip_id, where);
        take(std::move(clip));
      });
    }
  stream.finish();
  check_columns(subset, name);
  if (subset.data_set.empty()) subset.columns.clear();
  check_count(count, name);
  return subset;
}

VqaManifest read_vqa_text(std::string_view text, const std::string& name, Repeats repeats,
                          const TakeQuestion& take, const TakeClip& take_caption) {
  Ids question_ids("question_id", repeats), caption_ids("audiocap_id", repeats);
  std::size_t count = 0, caption_count = 0;
  JsonStream stream(text, name);
  JsonObject root(stream, name, k_vqa_members);
  VqaManifest vqa;
  while (root.next())
    if (root.is("entries"))
      root.list(k_row_limit, [&] {
        const std::string where = place(name, "entry", count++);
        QuestionEntry entry = read_question(stream, where);
        question_ids.add(std::to_string(entry.question_id), where);
        take(std::move(entry));
      });
    else if (!read_head(stream, root, name, vqa))
      root.list(k_row_limit, [&] {
        const std::string where = place(name, "captions row", caption_count++);
        ClipEntry clip = read_clip(stream, where, k_caption_members);
        caption_ids.add(clip.caption_id, where);
        take_caption(std::move(clip));
      });
  stream.finish();
  check_count(count, name);
  return vqa;
}

// Which kind it is may only be known at the end of the file.
bool names_audio_root(std::string_view text, const std::string& name) {
  JsonStream stream(text, name);
  bool found = false;
  if (stream.next() != JsonStream::Kind::object)
    throw Error(ErrorKind::format, name + " is not a JSON object; check the file");
  stream.enter();
  for (std::string_view key; stream.member(key); stream.pass()) found = found || key == "audio_rel_root";
  stream.finish();
  return found;
}

SubsetManifest parse_subset(std::string_view text, const std::string& name, Repeats repeats) {
  std::vector<ClipEntry> entries;
  SubsetManifest subset =
      read_subset_text(text, name, repeats, [&](ClipEntry&& clip) { entries.push_back(std::move(clip)); });
  subset.entries = std::move(entries);
  return subset;
}

VqaManifest parse_vqa(std::string_view text, const std::string& name, Repeats repeats) {
  std::vector<QuestionEntry> entries;
  std::vector<ClipEntry> captions;
  VqaManifest vqa = read_vqa_text(
      text, name, repeats, [&](QuestionEntry&& entry) { entries.push_back(std::move(entry)); },
      [&](ClipEntry&& clip) { captions.push_back(std::move(clip)); });
  vqa.entries = std::move(entries);
  vqa.captions = std::move(captions);
  return vqa;
}

}  // namespace

SubsetManifest scan_subset(std::string_view text, const std::string& name, const TakeClip& take) {
  return read_subset_text(text, name, Repeats::refuse, take);
}

VqaManifest scan_vqa(std::string_view text, const std::string& name, const TakeQuestion& take,
                     const TakeClip& take_caption) {
  return read_vqa_text(text, name, Repeats::refuse, take, take_caption);
}

SubsetManifest parse_subset(std::string_view text, const std::string& name) {
  return parse_subset(text, name, Repeats::refuse);
}

VqaManifest parse_vqa(std::string_view text, const std::string& name) {
  return parse_vqa(text, name, Repeats::refuse);
}

AnyManifest parse_any(std::string_view text, const std::string& name, Repeats repeats) {
  if (names_audio_root(text, name)) return parse_subset(text, name, repeats);
  return parse_vqa(text, name, repeats);
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
