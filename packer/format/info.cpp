#include "packer/format/info.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "common/json.hpp"
#include "common/sealed/finding_limit.hpp"

namespace packer {
namespace {

using common::Json;

constexpr std::string_view k_strategy = "manifests";

Json to_json(const RecipeInput& input) {
  Json row{{"manifest", name_of(input.role)},
           {"subset_name", input.subset_name},
           {"source_dataset", input.source_dataset},
           {"seed", common::to_json(input.seed)},
           {"rows", input.asked},
           {"packed", input.packed},
           {"sha256", input.digest.hex()}};
  if (!input.data_set.empty()) {
    row["data_set"] = input.data_set;
    row["clip_s"] = input.clip_s ? Json(*input.clip_s) : Json(nullptr);
  }
  if (input.recipe) row["recipe"] = manifest::to_json(*input.recipe);
  return row;
}

// What the tables of a manifest say of their licences, each once; null says that none does.
Json licence_of(const RecipeInput& input) {
  Json stated = Json::array();
  std::set<std::pair<std::string, std::string>> seen;
  if (input.recipe)
    for (const manifest::Recipe::Source& source : input.recipe->sources)
      if (source.licence && seen.emplace(source.licence->name, source.licence->url).second)
        stated.push_back(manifest::to_json(*source.licence));
  return {{"manifest", name_of(input.role)},
          {"source_dataset", input.source_dataset},
          {"licence", stated.empty() ? Json(nullptr) : std::move(stated)}};
}

Json to_json(const MediaLicence& licence, const char* of) {
  return {{of, licence.id}, {"name", licence.name}, {"url", licence.url}};
}

Json to_json(const MissingItem& item) {
  return {{"manifest", name_of(item.role)}, {"id", item.id}, {"file", item.file}, {"reason", item.reason}};
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
    if (file.clip->by_ffmpeg) row["decoder"] = k_ffmpeg;
    if (file.clip->silent) row["remarks"].push_back(k_silent);
    if (file.clip->licence) row["licence"] = *file.clip->licence;
    if (!file.clip->published.empty()) row["source"] = file.clip->published;
  }
  if (file.image) {
    row["width"] = file.image->width;
    row["height"] = file.image->height;
    if (file.image->licence) row["licence"] = *file.image->licence;
    if (!file.image->source.empty()) row["source"] = file.image->source;
  }
  return row;
}

// One element of `licences`: of each manifest, then of pictures, then of clips.
std::vector<Json> list_licences(const PackInfo& info) {
  std::vector<Json> rows;
  for (const RecipeInput& input : info.inputs) rows.push_back(licence_of(input));
  for (const MediaLicence& licence : info.image_licences) rows.push_back(to_json(licence, "images"));
  for (const MediaLicence& licence : info.clip_licences) rows.push_back(to_json(licence, "clips"));
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

int format_version_of(const PackInfo& info) {
  const bool names_a_data_set = std::any_of(info.inputs.begin(), info.inputs.end(),
                                            [](const RecipeInput& input) { return !input.data_set.empty(); });
  const bool says_more_of_clips = std::any_of(info.files.begin(), info.files.end(), [](const FileInfo& file) {
    return file.clip &&
           (file.clip->licence || !file.clip->published.empty() || file.clip->by_ffmpeg || file.clip->silent);
  });
  return names_a_data_set || says_more_of_clips || !info.clip_licences.empty() ? 2 : 1;
}

std::string write_row(const FileInfo& file) { return common::dump_line(to_json(file)); }
std::string write_row(const MissingItem& item) { return common::dump_line(to_json(item)); }
std::string write_row(const RecipeInput& input) { return common::dump_line(to_json(input)); }

common::Json licences_of(const PackInfo& info) { return list_licences(info); }

void write_info(const PackInfo& info, const std::function<void(std::string_view)>& take) {
  const auto line = [](const auto& item) { return to_json(item); };
  take("{\n  \"format\": \"");
  take(k_format);
  take("\",\n");
  take("  \"format_version\": " + std::to_string(format_version_of(info)) + ",\n");
  take("  \"name\": " + common::dump_line(info.name) + ",\n");
  take("  \"recipe\": {\n    \"strategy\": \"");
  take(k_strategy);
  take("\",\n");
  take("    \"clip_s\": " + common::python_repr(static_cast<double>(k_clip_s)) + ",\n    \"inputs\": ");
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
  common::LimitedFindings limited(findings);
  std::vector<std::string_view> only;
  std::set_difference(listed.begin(), listed.end(), sealed.begin(), sealed.end(), std::back_inserter(only));
  for (const std::string_view path : only)
    limited.add(std::string(path), "P4", "pack.json lists it, SHA256SUMS does not");
  only.clear();
  std::set_difference(sealed.begin(), sealed.end(), listed.begin(), listed.end(), std::back_inserter(only));
  for (const std::string_view path : only)
    limited.add(std::string(path), "P4", "SHA256SUMS lists it, pack.json does not");
}

}  // namespace packer
