#include "packer/format/info.hpp"

#include <algorithm>
#include <functional>

#include "common/error.hpp"
#include "common/json.hpp"

namespace packer {
namespace {

using common::Json;

constexpr const char* k_format = "safe-pack";
constexpr const char* k_strategy = "manifests";
// The clip rule that the build applies (FORMAT.md, B3).
constexpr double k_clip_s = 10.0;

Making making_named(const std::string& name, const std::string& where) {
  for (const Making making : {Making::copied, Making::cut, Making::decoded})
    if (name == name_of_making(making)) return making;
  throw common::Error(common::ErrorKind::format, where + ": \"made\" is \"" + name + "\"");
}

Role role_member(const Json& row, const char* key, const std::string& where) {
  const std::string name = common::string_member(row, key, where);
  if (const auto role = role_named(name)) return *role;
  throw common::Error(common::ErrorKind::format, where + ": no file has the role \"" + name + "\"");
}

common::Digest digest_member(const Json& row, const char* key, const std::string& where) {
  if (const auto digest = common::parse_digest(common::string_member(row, key, where))) return *digest;
  throw common::Error(common::ErrorKind::format,
                      where + ": \"" + key + "\" is not 64 lower-case hexadecimal digits");
}

std::uint64_t count_member(const Json& row, const char* key, const std::string& where) {
  const std::int64_t value = common::integer_member(row, key, where);
  if (value < 0) throw common::Error(common::ErrorKind::format, where + ": \"" + key + "\" is negative");
  return static_cast<std::uint64_t>(value);
}

int small_member(const Json& row, const char* key, const std::string& where) {
  const std::int64_t value = common::integer_member(row, key, where);
  if (value < 1 || value > 1'000'000'000)
    throw common::Error(common::ErrorKind::format, where + ": \"" + key + "\" is out of range");
  return static_cast<int>(value);
}

Json to_json(const RecipeInput& input) {
  Json row{{"manifest", name_of(input.role)},
           {"subset_name", input.subset_name},
           {"source_dataset", input.source_dataset},
           {"seed", common::to_json(input.seed)},
           {"rows", input.asked},
           {"packed", input.packed},
           {"sha256", input.digest.hex()}};
  if (input.recipe) row["recipe"] = manifest::to_json(*input.recipe);
  return row;
}

RecipeInput input_from(const Json& row, const std::string& where) {
  RecipeInput input{role_member(row, "manifest", where),
                    digest_member(row, "sha256", where),
                    common::string_member(row, "subset_name", where),
                    common::string_member(row, "source_dataset", where),
                    common::seed_member(row, where),
                    count_member(row, "rows", where),
                    count_member(row, "packed", where)};
  if (row.contains("recipe")) input.recipe = manifest::parse_recipe(row["recipe"], where + ": recipe");
  return input;
}

// What the tables of a manifest say of their licences, each once; null says that none does.
Json licence_of(const RecipeInput& input) {
  Json stated = Json::array();
  if (input.recipe)
    for (const manifest::Recipe::Source& source : input.recipe->sources)
      if (source.licence)
        if (Json licence = manifest::to_json(*source.licence);
            std::find(stated.begin(), stated.end(), licence) == stated.end())
          stated.push_back(std::move(licence));
  return {{"manifest", name_of(input.role)},
          {"source_dataset", input.source_dataset},
          {"licence", stated.empty() ? Json(nullptr) : std::move(stated)}};
}

Json to_json(const ImageLicence& licence) {
  return {{"images", licence.id}, {"name", licence.name}, {"url", licence.url}};
}

ImageLicence image_licence_from(const Json& row, const std::string& where) {
  return {common::integer_member(row, "images", where), common::string_member(row, "name", where),
          common::string_member(row, "url", where)};
}

Json to_json(const MissingItem& item) {
  return {{"manifest", name_of(item.role)}, {"id", item.id}, {"file", item.file}, {"reason", item.reason}};
}

MissingItem missing_from(const Json& row, const std::string& where) {
  return {role_member(row, "manifest", where), common::string_member(row, "id", where),
          common::string_member(row, "file", where), common::string_member(row, "reason", where)};
}

Json to_json(const FileInfo& file) {
  Json row{{"path", file.path.text()}, {"role", name_of(file.role)}, {"bytes", file.bytes}};
  if (file.clip) {
    row["rate_hz"] = file.clip->rate_hz;
    row["channels"] = file.clip->channels;
    row["frames"] = file.clip->frames;
    row["made"] = name_of_making(file.clip->making);
    if (file.clip->first_frame) row["first_frame"] = *file.clip->first_frame;
    if (file.clip->source) row["source_sha256"] = file.clip->source->hex();
  }
  if (file.image) {
    row["width"] = file.image->width;
    row["height"] = file.image->height;
    if (file.image->licence) row["licence"] = *file.image->licence;
    if (!file.image->source.empty()) row["source"] = file.image->source;
  }
  return row;
}

FileInfo file_from(const Json& row, const std::string& where) {
  FileInfo file;
  file.path = common::PackPath(common::string_member(row, "path", where));
  file.role = role_member(row, "role", where);
  file.bytes = count_member(row, "bytes", where);
  if (file.role == Role::clip) {
    ClipFacts& clip = file.clip.emplace();
    clip.rate_hz = small_member(row, "rate_hz", where);
    clip.channels = small_member(row, "channels", where);
    clip.frames = count_member(row, "frames", where);
    clip.making = making_named(common::string_member(row, "made", where), where);
    if (row.contains("first_frame")) clip.first_frame = count_member(row, "first_frame", where);
    if (row.contains("source_sha256")) clip.source = digest_member(row, "source_sha256", where);
  }
  if (file.role == Role::image) {
    ImageFacts& image = file.image.emplace();
    image.width = small_member(row, "width", where);
    image.height = small_member(row, "height", where);
    if (row.contains("licence")) image.licence = common::integer_member(row, "licence", where);
    if (row.contains("source")) image.source = common::string_member(row, "source", where);
  }
  return file;
}

// One element of `licences`: of each manifest, then of pictures.
std::vector<Json> list_licences(const PackInfo& info) {
  std::vector<Json> rows;
  for (const RecipeInput& input : info.inputs) rows.push_back(licence_of(input));
  for (const ImageLicence& licence : info.image_licences) rows.push_back(to_json(licence));
  return rows;
}

// Takes the text of a pack.json part by part.
using TakeText = std::function<void(std::string_view)>;

// One element a line: a pack.json is read by people, and 100,000 files should not be a million lines.
template <typename Items, typename ToJson>
void write_list(const char* indent, const Items& items, const ToJson& to, const TakeText& take) {
  take("[");
  for (std::size_t i = 0; i < items.size(); ++i)
    take((i == 0 ? "\n" : ",\n") + std::string(indent) + "  " + common::dump_line(to(items[i])));
  take(items.empty() ? "]" : std::string("\n") + indent + "]");
}

bool is_canonical(const PackInfo& info, std::string_view text) {
  bool same = true;
  write_info(info, [&](std::string_view part) {
    same = same && text.starts_with(part);
    if (same) text.remove_prefix(part.size());
  });
  return same && text.empty();
}

std::string row_of(const std::string& where, const char* list, std::size_t rows) {
  return where + ": " + list + " " + std::to_string(rows + 1);
}

// The rows of the two lists that can be long are parsed while the text is read. A row of another version of
// the format is none of this one's: what is wrong with rows is told after the version was looked at.
struct Rows {
  Json root;
  std::optional<common::Error> fault;
};

Rows read_rows(std::string_view text, const std::string& where, PackInfo& info) {
  Rows rows;
  rows.root =
      common::parse_json_rows(text, where, {"missing", "files"}, [&](std::string_view list, Json&& row) {
        if (rows.fault) return;
        try {
          if (list == "files")
            info.files.push_back(file_from(row, row_of(where, "files", info.files.size())));
          else
            info.missing.push_back(missing_from(row, row_of(where, "missing", info.missing.size())));
        } catch (const common::Error& error) {
          rows.fault = error;
        }
      });
  return rows;
}

void read_head(const Json& root, const std::string& where, PackInfo& info) {
  info.name = common::string_member(root, "name", where);
  const Json& recipe = common::member(root, "recipe", where);
  for (const Json& row : common::array_member(recipe, "inputs", where))
    info.inputs.push_back(input_from(row, row_of(where, "inputs", info.inputs.size())));
  // The other rows follow from the inputs, and are compared when the whole is written again.
  for (const Json& row : common::array_member(root, "licences", where))
    if (row.is_object() && row.contains("images"))
      info.image_licences.push_back(
          image_licence_from(row, row_of(where, "licences", info.image_licences.size())));
  for (const char* list : {"missing", "files"}) (void)common::array_member(root, list, where);
}

bool has_licence(const PackInfo& info, std::int64_t id) {
  return std::any_of(info.image_licences.begin(), info.image_licences.end(),
                     [&](const ImageLicence& licence) { return licence.id == id; });
}

void check_files(const PackInfo& info, common::Findings& findings) {
  for (std::size_t i = 0; i < info.files.size(); ++i) {
    const FileInfo& file = info.files[i];
    const std::string& path = file.path.text();
    if (i > 0 && !(info.files[i - 1].path < file.path))
      findings.push_back({path, "P4", "pack.json does not list it in the order of path bytes"});
    if (role_of(path) != file.role)
      findings.push_back({path, "P5", std::string("pack.json gives it the role ") + name_of(file.role)});
    if (file.image && file.image->licence && !has_licence(info, *file.image->licence))
      findings.push_back({path, "P7", "pack.json does not list its licence"});
    if (file.bytes > k_file_limit_bytes)
      findings.push_back({path, "F7", "pack.json says that it has 8 GiB or more"});
  }
}

}  // namespace

const char* name_of_making(Making making) {
  switch (making) {
    case Making::copied:
      return "copied";
    case Making::cut:
      return "cut";
    case Making::decoded:
      return "decoded";
  }
  return "";
}

std::string write_row(const FileInfo& file) { return common::dump_line(to_json(file)); }
std::string write_row(const MissingItem& item) { return common::dump_line(to_json(item)); }
std::string write_row(const RecipeInput& input) { return common::dump_line(to_json(input)); }

common::Json licences_of(const PackInfo& info) { return list_licences(info); }

void write_info(const PackInfo& info, const std::function<void(std::string_view)>& take) {
  const auto line = [](const auto& item) { return to_json(item); };
  take(std::string("{\n  \"format\": \"") + k_format + "\",\n");
  take("  \"format_version\": " + std::to_string(k_format_version) + ",\n");
  take("  \"name\": " + common::dump_line(info.name) + ",\n");
  take(std::string("  \"recipe\": {\n    \"strategy\": \"") + k_strategy + "\",\n");
  take("    \"clip_s\": " + common::python_repr(k_clip_s) + ",\n    \"inputs\": ");
  write_list("    ", info.inputs, line, take);
  take("\n  },\n  \"licences\": ");
  write_list(
      "  ", list_licences(info), [](const Json& row) { return row; }, take);
  take(",\n  \"missing\": ");
  write_list("  ", info.missing, line, take);
  take(",\n  \"files\": ");
  write_list("  ", info.files, line, take);
  take("\n}\n");
}

std::string write_info(const PackInfo& info) {
  std::string text;
  write_info(info, [&](std::string_view part) { text += part; });
  return text;
}

std::optional<PackInfo> parse_info(std::string_view text, common::Findings& findings) {
  const std::string where(k_info_name);
  PackInfo info;
  try {
    const Rows rows = read_rows(text, where, info);
    const Json& root = rows.root;
    if (common::string_member(root, "format", where) != k_format) {
      findings.push_back({where, "P1", "its format is not \"safe-pack\""});
      return std::nullopt;
    }
    if (const auto version = common::integer_member(root, "format_version", where);
        version != k_format_version) {
      findings.push_back({where, "P2",
                          "has format version " + std::to_string(version) + ", this program reads " +
                              std::to_string(k_format_version)});
      return std::nullopt;
    }
    read_head(root, where, info);
    if (rows.fault) throw common::Error(*rows.fault);
  } catch (const common::Error& error) {
    findings.push_back({where, "P1", error.what()});
    return std::nullopt;
  }
  if (const std::string why = why_not_a_pack_name(info.name); !why.empty()) {
    findings.push_back({where, "P3", "the name \"" + info.name + "\" cannot name a pack: " + why});
    return std::nullopt;
  }
  if (!is_canonical(info, text))
    findings.push_back({where, "P1", "is valid JSON, but not formatted as this format requires"});
  check_files(info, findings);
  return info;
}

const FileInfo* find_file(const PackInfo& info, const common::PackPath& path) {
  const auto at =
      std::lower_bound(info.files.begin(), info.files.end(), path,
                       [](const FileInfo& file, const common::PackPath& p) { return file.path < p; });
  return at != info.files.end() && at->path == path ? &*at : nullptr;
}

void check_info_against_sums(const PackInfo& info, const std::vector<common::SumsLine>& sums,
                             common::Findings& findings) {
  std::vector<std::string_view> listed, sealed;
  for (const FileInfo& file : info.files) listed.push_back(file.path.text());
  for (const common::SumsLine& line : sums)
    if (line.path.text() != k_info_name) sealed.push_back(line.path.text());
  std::sort(listed.begin(), listed.end());
  std::vector<std::string_view> only;
  std::set_difference(listed.begin(), listed.end(), sealed.begin(), sealed.end(), std::back_inserter(only));
  for (const std::string_view path : only)
    findings.push_back({std::string(path), "P4", "pack.json lists it, SHA256SUMS does not"});
  only.clear();
  std::set_difference(sealed.begin(), sealed.end(), listed.begin(), listed.end(), std::back_inserter(only));
  for (const std::string_view path : only)
    findings.push_back({std::string(path), "P4", "SHA256SUMS lists it, pack.json does not"});
}

}  // namespace packer
