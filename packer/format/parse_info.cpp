#include "packer/format/parse_info.hpp"

#include <algorithm>
#include <set>

#include "common/error.hpp"
#include "common/json_object.hpp"
#include "common/sealed/finding_limit.hpp"

namespace packer {
namespace {

using common::JsonListLimit;
using common::JsonObject;
using common::JsonStream;
using common::optional_member;

// Every member of every object. Those of `files` that only clips or pictures have are optional here, and are
// asked for once the role is known.
constexpr common::JsonMember k_root_members[] = {{"format"},   {"format_version"}, {"name"}, {"recipe"},
                                                 {"licences"}, {"missing"},        {"files"}};
constexpr common::JsonMember k_recipe_members[] = {{"strategy"}, {"clip_s"}, {"inputs"}};
constexpr common::JsonMember k_input_members[] = {{"manifest"},
                                                  {"subset_name"},
                                                  {"source_dataset"},
                                                  {"seed"},
                                                  {"rows"},
                                                  {"packed"},
                                                  {"sha256"},
                                                  optional_member("data_set"),
                                                  optional_member("clip_s"),
                                                  optional_member("recipe")};
constexpr common::JsonMember k_licence_members[] = {
    optional_member("manifest"), optional_member("source_dataset"), optional_member("licence"),
    optional_member("images"),   optional_member("clips"),          optional_member("name"),
    optional_member("url")};
constexpr common::JsonMember k_missing_members[] = {{"manifest"}, {"id"}, {"file"}, {"reason"}};
constexpr common::JsonMember k_file_members[] = {
    {"path"},
    {"role"},
    {"bytes"},
    // clips
    optional_member("rate_hz"),
    optional_member("channels"),
    optional_member("frames"),
    optional_member("made"),
    optional_member("first_frame"),
    optional_member("source_sha256"),
    optional_member("decoder"),
    optional_member("remarks"),
    // pictures
    optional_member("width"),
    optional_member("height"),
    // both
    optional_member("licence"),
    optional_member("source"),
};

constexpr JsonListLimit k_remark_limit{1};

Making read_making(JsonObject& row) {
  const std::string name = row.string();
  for (const Making making : {Making::copied, Making::cut, Making::decoded})
    if (name == name_of_making(making)) return making;
  row.fail("\"made\" is \"" + name + "\"");
}

Role read_role(JsonObject& row) {
  const std::string name = row.string();
  if (const auto role = role_named(name)) return *role;
  row.fail("no file has the role \"" + name + "\"");
}

int read_small(JsonObject& row) {
  const std::int64_t value = row.integer();
  if (value < 1 || value > 1'000'000'000) row.fail("a number is out of range: " + std::to_string(value));
  return static_cast<int>(value);
}

RecipeInput read_input(JsonStream& stream, const std::string& where) {
  RecipeInput input;
  JsonObject row(stream, where, k_input_members);
  while (row.next())
    if (row.is("manifest"))
      input.role = read_role(row);
    else if (row.is("subset_name"))
      input.subset_name = row.string();
    else if (row.is("source_dataset"))
      input.source_dataset = row.string();
    else if (row.is("seed"))
      input.seed = row.seed();
    else if (row.is("rows"))
      input.asked = row.count();
    else if (row.is("packed"))
      input.packed = row.count();
    else if (row.is("sha256"))
      input.digest = row.digest();
    else if (row.is("data_set"))
      input.data_set = row.string();
    else if (!row.is("clip_s"))
      input.recipe = manifest::read_recipe(stream, where + ": recipe");
    else if (!row.is_null())
      input.clip_s = row.count();
  if (row.has("data_set")) row.require({"clip_s"});
  return input;
}

// Only the licences of pictures and clips are kept. The others follow from the inputs, and are compared when
// the whole is written again.
void read_licence(JsonStream& stream, const std::string& where, PackInfo& info) {
  MediaLicence licence;
  JsonObject row(stream, where, k_licence_members);
  while (row.next())
    if (row.is("images") || row.is("clips"))
      licence.id = row.integer();
    else if (row.is("name"))
      licence.name = row.string();
    else if (row.is("url"))
      licence.url = row.string();
    else if (!row.is("licence"))
      (void)row.string();
    else if (!row.is_null())
      row.list(manifest::k_source_limit, [&] { (void)manifest::read_licence(stream, where + ": licence"); });
  if (!row.has("images") && !row.has("clips")) return row.require({"manifest", "source_dataset", "licence"});
  row.require({"name", "url"});
  (row.has("clips") ? info.clip_licences : info.image_licences).push_back(std::move(licence));
}

MissingItem read_missing(JsonStream& stream, const std::string& where) {
  MissingItem item;
  JsonObject row(stream, where, k_missing_members);
  while (row.next())
    if (row.is("manifest"))
      item.role = read_role(row);
    else if (row.is("id"))
      item.id = row.string();
    else if (row.is("file"))
      item.file = row.string();
    else
      item.reason = row.string();
  return item;
}

void read_decoder(JsonObject& row, ClipFacts& clip) {
  if (row.string() != k_ffmpeg) row.fail("no decoder but ffmpeg is stated");
  clip.by_ffmpeg = true;
}

void read_remarks(JsonObject& row, ClipFacts& clip) {
  for (const std::string& remark : row.strings(k_remark_limit))
    if (remark == k_silent)
      clip.silent = true;
    else
      row.fail("nothing is remarked as \"" + remark + "\"");
}

// Takes the member where it is one of a clip.
bool read_clip_member(JsonObject& row, ClipFacts& clip) {
  if (row.is("rate_hz"))
    clip.rate_hz = read_small(row);
  else if (row.is("channels"))
    clip.channels = read_small(row);
  else if (row.is("frames"))
    clip.frames = row.count();
  else if (row.is("made"))
    clip.making = read_making(row);
  else if (row.is("first_frame"))
    clip.first_frame = row.count();
  else if (row.is("source_sha256"))
    clip.source = row.digest();
  else if (row.is("decoder"))
    read_decoder(row, clip);
  else if (row.is("remarks"))
    read_remarks(row, clip);
  else
    return false;
  return true;
}

bool read_image_member(JsonObject& row, ImageFacts& image) {
  if (row.is("width"))
    image.width = read_small(row);
  else if (row.is("height"))
    image.height = read_small(row);
  else
    return false;
  return true;
}

FileInfo read_file(JsonStream& stream, const std::string& where) {
  FileInfo file;
  ClipFacts clip;
  ImageFacts image;
  std::optional<std::int64_t> licence;
  std::string source;
  JsonObject row(stream, where, k_file_members);
  while (row.next())
    if (row.is("path"))
      file.path = common::PackPath(row.string());
    else if (row.is("role"))
      file.role = read_role(row);
    else if (row.is("bytes"))
      file.bytes = row.count();
    else if (row.is("licence"))
      licence = row.integer();
    else if (row.is("source"))
      source = row.string();
    else if (!read_clip_member(row, clip))
      (void)read_image_member(row, image);
  // A member of another role is missed when the whole is written again.
  if (file.role == Role::clip) {
    row.require({"rate_hz", "channels", "frames", "made"});
    clip.licence = licence;
    clip.published = std::move(source);
    file.clip = std::move(clip);
  }
  if (file.role == Role::image) {
    row.require({"width", "height"});
    image.licence = licence;
    image.source = std::move(source);
    file.image = std::move(image);
  }
  return file;
}

class InfoReader {
 public:
  explicit InfoReader(std::string_view text) : stream_(text, where_) {}

  // Nothing where it is of another format or version: then nothing behind that is looked at.
  std::optional<PackInfo> read(common::Findings& findings) {
    JsonObject root(stream_, where_, k_root_members);
    while (root.next())
      if (root.is("format")) {
        if (root.string() == k_format) continue;
        findings.push_back({where_, "P1", "its format is not \"safe-pack\""});
        return std::nullopt;
      } else if (root.is("format_version")) {
        const std::int64_t version = root.integer();
        if (version >= 1 && version <= k_format_version) continue;
        findings.push_back({where_, "P2",
                            "has format version " + std::to_string(version) + ", this program reads 1 to " +
                                std::to_string(k_format_version)});
        return std::nullopt;
      } else {
        read_member(root);
      }
    stream_.finish();
    return std::move(info_);
  }

 private:
  void read_member(JsonObject& root) {
    if (root.is("name"))
      info_.name = root.string();
    else if (root.is("recipe"))
      read_recipe();
    else if (root.is("licences"))
      root.list(JsonListLimit{k_input_limit + k_licence_limit},
                [&] { read_licence(stream_, row_of("licences", licences_++), info_); });
    else if (root.is("missing"))
      root.list(JsonListLimit{k_missing_limit}, [&] {
        info_.missing.push_back(read_missing(stream_, row_of("missing", info_.missing.size())));
      });
    else
      root.list(JsonListLimit{common::k_file_count_limit},
                [&] { info_.files.push_back(read_file(stream_, row_of("files", info_.files.size()))); });
  }

  void read_recipe() {
    JsonObject recipe(stream_, where_ + ": recipe", k_recipe_members);
    while (recipe.next())
      if (recipe.is("strategy"))
        (void)recipe.string();
      else if (recipe.is("clip_s"))
        (void)recipe.number();
      else
        recipe.list(JsonListLimit{k_input_limit}, [&] {
          info_.inputs.push_back(read_input(stream_, row_of("inputs", info_.inputs.size())));
        });
  }

  [[nodiscard]] std::string row_of(const char* list, std::size_t rows) const {
    return where_ + ": " + list + " " + std::to_string(rows + 1);
  }

  const std::string where_{k_info_name};
  JsonStream stream_;
  PackInfo info_;
  std::size_t licences_ = 0;
};

bool is_canonical(const PackInfo& info, std::string_view text) {
  bool same = true;
  write_info(info, [&](std::string_view part) {
    same = same && text.starts_with(part);
    if (same) text.remove_prefix(part.size());
  });
  return same && text.empty();
}

void check_files(const PackInfo& info, common::Findings& findings) {
  common::LimitedFindings limited(findings);
  std::set<std::int64_t> of_images, of_clips;
  for (const MediaLicence& licence : info.image_licences) of_images.insert(licence.id);
  for (const MediaLicence& licence : info.clip_licences) of_clips.insert(licence.id);
  for (std::size_t i = 0; i < info.files.size(); ++i) {
    const FileInfo& file = info.files[i];
    const std::string& path = file.path.text();
    if (i > 0 && !(info.files[i - 1].path < file.path))
      limited.add(path, "P4", "pack.json does not list it in the order of path bytes");
    if (role_of(path) != file.role)
      limited.add(path, "P5", std::string("pack.json gives it the role ") + name_of(file.role));
    if ((file.image && file.image->licence && of_images.count(*file.image->licence) == 0) ||
        (file.clip && file.clip->licence && of_clips.count(*file.clip->licence) == 0))
      limited.add(path, "P7", "pack.json does not list its licence");
    if (file.bytes > k_file_limit_bytes) limited.add(path, "F7", "pack.json says that it has 8 GiB or more");
  }
}

}  // namespace

std::optional<PackInfo> parse_info(std::string_view text, common::Findings& findings) {
  const std::string where(k_info_name);
  std::optional<PackInfo> info;
  try {
    info = InfoReader(text).read(findings);
  } catch (const common::Error& error) {
    if (error.kind() == common::ErrorKind::interrupted) throw;
    findings.push_back({where, "P1", error.what()});
  }
  if (!info) return std::nullopt;
  if (const std::string why = why_not_a_pack_name(info->name); !why.empty()) {
    findings.push_back({where, "P3", "the name \"" + info->name + "\" cannot name a pack: " + why});
    return std::nullopt;
  }
  if (!is_canonical(*info, text))
    findings.push_back({where, "P1", "is valid JSON, but not formatted as this format requires"});
  check_files(*info, findings);
  // find_file relies on the order, also in a pack.json that breaks it.
  const auto by_path = [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; };
  if (!std::is_sorted(info->files.begin(), info->files.end(), by_path))
    std::stable_sort(info->files.begin(), info->files.end(), by_path);
  return info;
}

}  // namespace packer
