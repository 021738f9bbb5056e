#include "packer/export/croissant.hpp"

// Terms and required members: the Croissant 1.0 specification of MLCommons
// (https://docs.mlcommons.org/croissant/docs/croissant-spec.html).
#include <fmt/format.h>

#include <map>
#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json.hpp"
#include "common/sealed/draft_file.hpp"
#include "common/sealed/sums.hpp"
#include "packer/check/outline.hpp"
#include "packer/export/export_summary.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;
using common::Json;

constexpr const char* k_file_name = "croissant.json";

// The specification's own context, whole: readers compare it.
Json context() {
  Json context{{"@language", "en"}, {"@vocab", "https://schema.org/"}};
  const auto plain = [&](std::initializer_list<const char*> names) {
    for (const char* name : names) context[name] = std::string("cr:") + name;
  };
  plain({"citeAs", "column"});
  context["conformsTo"] = "dct:conformsTo";
  context["cr"] = "http://mlcommons.org/croissant/";
  context["rai"] = "http://mlcommons.org/croissant/RAI/";
  context["data"] = {{"@id", "cr:data"}, {"@type", "@json"}};
  context["dataType"] = {{"@id", "cr:dataType"}, {"@type", "@vocab"}};
  context["dct"] = "http://purl.org/dc/terms/";
  plain({"equivalentProperty"});
  context["examples"] = {{"@id", "cr:examples"}, {"@type", "@json"}};
  plain({"extract", "field", "fileProperty", "fileObject", "fileSet", "format", "includes", "isLiveDataset",
         "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex", "repeated",
         "replace", "samplingRate"});
  context["sc"] = "https://schema.org/";
  plain({"separator", "source", "subField", "transform"});
  return context;
}

const char* media_type(std::string_view path) {
  static const std::map<std::string_view, const char*> k_types = {
      {"json", "application/json"}, {"jsonl", "application/jsonlines"},
      {"txt", "text/plain"},        {"wav", "audio/wav"},
      {"flac", "audio/flac"},       {"jpg", "image/jpeg"},
      {"jpeg", "image/jpeg"},       {"png", "image/png"}};
  const auto at = k_types.find(path.substr(path.rfind('.') + 1));
  return at == k_types.end() ? "text/plain" : at->second;
}

// Where the pack's files are for a reader of croissant.json: below a folder beside it, or in a .tar.
class Distribution {
 public:
  Distribution(const VerifiedPack& pack, const fs::path& out) {
    const fs::path place = fs::canonical(pack.location());
    const fs::path relative = place.lexically_relative(fs::canonical(out));
    if (relative.empty() || *relative.begin() == ".." || relative == ".")
      throw Error(ErrorKind::usage, "croissant.json names files relative to itself, and " +
                                        pack.location().string() + " is not in " + out.string() +
                                        "; name the folder that the pack lies in, or one above");
    if (fs::is_directory(place)) {
      folder_ = relative.generic_string() + "/";
      return;
    }
    folder_ = pack.name() + "/";
    const common::FileDigest whole = common::digest_file(place);
    container_ = relative.generic_string();
    rows_.push_back(file_object(container_, container_, "application/x-tar", whole.size, whole.digest));
  }

  void add_file(std::string_view path, std::uint64_t bytes, const common::Digest& digest) {
    const std::string name(path);
    Json row = file_object(name, folder_ + name, media_type(path), bytes, digest);
    rows_.push_back(inside(std::move(row)));
  }
  void add_set(const std::string& id, const std::string& includes, const char* type) {
    rows_.push_back(inside({{"@type", "cr:FileSet"},
                            {"@id", id},
                            {"name", id},
                            {"encodingFormat", type},
                            {"includes", folder_ + includes}}));
  }
  [[nodiscard]] const Json& rows() const { return rows_; }

 private:
  static Json file_object(const std::string& id, const std::string& url, const char* type,
                          std::uint64_t bytes, const common::Digest& digest) {
    return {{"@type", "cr:FileObject"},
            {"@id", id},
            {"name", id},
            {"contentUrl", url},
            {"encodingFormat", type},
            {"contentSize", std::to_string(bytes) + " B"},
            {"sha256", digest.hex()}};
  }
  [[nodiscard]] Json inside(Json row) const {
    if (!container_.empty()) row["containedIn"] = {{"@id", container_}};
    return row;
  }

  std::string folder_, container_;
  Json rows_ = Json::array();
};

struct Column {
  const char* name;
  const char* type;
  const char* about;
  bool is_list = false;
};

// The rows of a manifest, one record each.
Json manifest_records(const std::string& id, const char* about, const std::string& file,
                      const std::vector<Column>& columns) {
  Json fields = Json::array();
  for (const Column& column : columns) {
    const std::string path = std::string("$.entries[*].") + column.name;
    Json field{{"@type", "cr:Field"},
               {"@id", id + "/" + column.name},
               {"name", column.name},
               {"description", column.about},
               {"dataType", column.type},
               {"source", {{"fileObject", {{"@id", file}}}, {"extract", {{"jsonPath", path}}}}}};
    if (column.is_list) field["repeated"] = true;
    fields.push_back(std::move(field));
  }
  return {{"@type", "cr:RecordSet"},
          {"@id", id},
          {"name", id},
          {"description", about},
          {"key", {{"@id", id + "/" + columns.front().name}}},
          {"field", std::move(fields)}};
}

// The seal itself: which bytes each file has.
Json seal_records() {
  const auto field = [](const char* name, const char* about, const char* pattern) {
    return Json{{"@type", "cr:Field"},
                {"@id", std::string("files/") + name},
                {"name", name},
                {"description", about},
                {"dataType", "sc:Text"},
                {"source",
                 {{"fileObject", {{"@id", std::string(common::k_seal_name)}}},
                  {"extract", {{"fileProperty", "lines"}}},
                  {"transform", {{"regex", pattern}}}}}};
  };
  return {{"@type", "cr:RecordSet"},
          {"@id", "files"},
          {"name", "files"},
          {"description", "Every file of the pack and the SHA-256 of its bytes."},
          {"key", {{"@id", "files/path"}}},
          {"field",
           {field("path", "name in the pack", "^[0-9a-f]{64}  (.*)$"),
            field("sha256", "64 hexadecimal digits", "^([0-9a-f]{64})  .*$")}}};
}

Json record_sets(const VerifiedPack& pack) {
  const std::vector<Column> clip = {
      {"youtube_id", "sc:Text", "the video"},
      {"audiocap_id", "sc:Text", "AudioCaps' id of the caption"},
      {"start_time", "sc:Float", "where the clip begins in the video, in seconds"},
      {"caption", "sc:Text", "what can be heard"},
      {"audio_relpath", "sc:Text", "the sound's name in the pack"}};
  const std::vector<Column> named_clip = {{"clip_id", "sc:Text", "the data set's id of the clip"},
                                          {"caption", "sc:Text", "what can be heard"},
                                          {"captions", "sc:Text", "further captions", true},
                                          {"audio_relpath", "sc:Text", "the sound's name in the pack"},
                                          {"source", "sc:URL", "where the sound was published"},
                                          {"author", "sc:Text", "who made it"},
                                          {"licence", "sc:Text", "its terms"}};
  const auto columns_of = [&](Role role) -> const std::vector<Column>& {
    for (const RecipeInput& input : pack.info().inputs)
      if (input.role == role && !input.data_set.empty()) return named_clip;
    return clip;
  };
  const std::vector<Column> question = {{"question_id", "sc:Integer", "VQA v2's id"},
                                        {"image_id", "sc:Integer", "COCO's id of the picture"},
                                        {"image_filename", "sc:Text", "the picture's name in images/"},
                                        {"question", "sc:Text", "what is asked"},
                                        {"answers", "sc:Text", "what the annotators answered", true},
                                        {"majority_answer", "sc:Text", "the most common of these"}};
  Json sets = Json::array();
  const auto add = [&](const char* id, const char* about, const char* file,
                       const std::vector<Column>& columns) {
    if (pack.contains(common::PackPath(file))) sets.push_back(manifest_records(id, about, file, columns));
  };
  add("clips", "Clips to train on.", "manifest.json", columns_of(Role::subset_manifest));
  add("held_out_clips", "Held-out clips.", "audio_val_manifest.json", columns_of(Role::audio_val_manifest));
  add("val_questions", "Questions to validate on.", "val_manifest.json", question);
  add("retention_questions", "Questions that retention sees.", "retention_manifest.json", question);
  add("base_questions", "Questions that a base learns from.", "base_manifest.json", question);
  add("unlike_questions", "Questions to validate on, in words that no retention question has.",
      "unlike_manifest.json", question);
  sets.push_back(seal_records());
  return sets;
}

Distribution distribution_of(const VerifiedPack& pack, const fs::path& out) {
  Distribution distribution(pack, out);
  std::vector<common::SumsLine> lines;
  std::set<std::pair<std::string, std::string>> media;  // folder, suffix
  for (const PackFile& file : pack.files()) {
    const std::string& path = file.path.text();
    lines.push_back({file.path, file.digest});
    if (is_control(path))
      distribution.add_file(path, file.bytes, file.digest);
    else
      media.emplace(path.substr(0, path.rfind('/')), path.substr(path.rfind('.') + 1));
  }
  distribution.add_file(common::k_seal_name, common::write_sums(lines).size(), pack.id());
  for (const auto& [folder, suffix] : media) {
    std::string id = folder + "-" + suffix;
    std::replace(id.begin(), id.end(), '/', '-');
    distribution.add_set(id, folder + "/*." + suffix, media_type("x." + suffix));
  }
  return distribution;
}

// Those that the pack states, and the user's: a URL where there is one.
Json licences(const VerifiedPack& pack, const CroissantRequest& request) {
  Json list = request.licences;
  const auto add = [&](const Json& licence) {
    const std::string url = licence.value("url", "");
    Json text = url.empty() ? licence.value("name", "") : url;
    if (std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
  };
  for (const Json& row : licences_of(pack.info())) {
    if (row.contains("images") || row.contains("clips"))
      add(row);
    else if (row["licence"].is_array())
      for (const Json& licence : row["licence"]) add(licence);
  }
  if (list.empty())
    throw Error(ErrorKind::usage, "the pack states no licence, and Croissant asks for one; give --licence");
  return list;
}

std::string describe(const VerifiedPack& pack) {
  std::size_t clips = 0, images = 0;
  for (const FileInfo& file : pack.info().files) {
    clips += file.role == Role::clip ? 1 : 0;
    images += file.role == Role::image ? 1 : 0;
  }
  return fmt::format("{} clips of sound with captions and {} pictures with questions, sealed as the pack {}",
                     clips, images, pack.id().hex());
}

void check(const CroissantRequest& request) {
  if (request.creators.empty() || request.url.empty() || request.date_published.empty())
    throw Error(ErrorKind::usage,
                "Croissant asks who made the data set, where its page is and when it was published; give "
                "--creator, --url and --date, none of which can be guessed");
  const std::string& date = request.date_published;
  bool good = date.size() == 10 && date[4] == '-' && date[7] == '-';
  for (std::size_t at = 0; good && at < date.size(); ++at)
    good = at == 4 || at == 7 || (date[at] >= '0' && date[at] <= '9');
  if (!good) throw Error(ErrorKind::usage, "--date takes a day such as 2024-05-31, not " + date);
  if (!fs::is_directory(request.out))
    throw Error(ErrorKind::usage,
                request.out.string() + " is not a folder; name the one that the pack lies in");
  if (fs::exists(fs::symlink_status(request.out / k_file_name)))
    throw Error(ErrorKind::usage,
                (request.out / k_file_name).string() + " already exists; remove it, or name another folder");
}

}  // namespace

ExportSummary export_croissant(const VerifiedPack& pack, const CroissantRequest& request) {
  check(request);
  Json creators = Json::array();
  for (const std::string& name : request.creators)
    creators.push_back({{"@type", "sc:Organization"}, {"name", name}});
  Json root{{"@context", context()},
            {"@type", "sc:Dataset"},
            {"conformsTo", "http://mlcommons.org/croissant/1.0"},
            {"name", pack.name()},
            {"description", request.description.empty() ? describe(pack) : request.description},
            {"identifier", "sha256:" + pack.id().hex()},
            {"url", request.url},
            {"datePublished", request.date_published},
            {"license", licences(pack, request)},
            {"creator", std::move(creators)},
            {"distribution", distribution_of(pack, request.out).rows()},
            {"recordSet", record_sets(pack)}};
  const std::string text = common::dump_pretty(root) + "\n";
  common::write_file(request.out / k_file_name, text);
  return {1, text.size()};
}

}  // namespace packer
