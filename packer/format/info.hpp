// pack.json as a value: what the pack is, what each of its files is, from which manifests it was made, and
// what is missing and why. Holds nothing but content: no clock, host, user, path of a host, thread count or
// version of a tool. Writing is canonical, and parse_info accepts only what writing gives: a new member is
// one line of to_json here, and a member and a branch there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "common/path.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/sums.hpp"
#include "common/seed.hpp"
#include "manifest/format/recipe.hpp"
#include "packer/format/names.hpp"

namespace packer {

inline constexpr std::string_view k_format = "safe-pack";
// The newest. A pack has the lowest version that can say what it states, so that the id of one that needs
// nothing new never changes; a reader takes all of them.
inline constexpr int k_format_version = 2;
// Of an AudioCaps clip (FORMAT.md, B3).
inline constexpr unsigned k_clip_s = 10;

// What the lists of pack.json can have at most; `files` has as many as a seal.
inline constexpr std::size_t k_input_limit = 16;
inline constexpr std::size_t k_licence_limit = 1'000;
inline constexpr std::size_t k_missing_limit = 1'000'000;

// Values of a clip's `decoder` and `remarks`.
inline constexpr std::string_view k_ffmpeg = "ffmpeg", k_silent = "silent";

// How the bytes of a clip came from its source.
enum class Making { copied, cut, decoded };
[[nodiscard]] const char* name_of_making(Making making);

struct ClipFacts {
  int rate_hz = 0;
  int channels = 0;
  std::uint64_t frames = 0;
  Making making = Making::copied;
  std::optional<common::Digest> source;      // of the source file, where the clip is not its copy
  std::optional<std::uint64_t> first_frame;  // of the cut, in the source's frames
  // Version 2, where each clip has terms of its own.
  std::optional<std::int64_t> licence{};  // a MediaLicence's id
  std::string published{};                // the URL where its sound was published; empty: nobody says
  // Version 2 as well.
  bool by_ffmpeg = false;  // decoded by ffmpeg; another version of it may give other samples
  bool silent = false;     // all samples are equal
  bool operator==(const ClipFacts&) const = default;
};

struct ImageFacts {
  int width = 0;
  int height = 0;
  std::optional<std::int64_t> licence{};  // a MediaLicence's id
  std::string source{};                   // the URL that its data set gives; empty where none was given
  bool operator==(const ImageFacts&) const = default;
};

struct FileInfo {
  common::PackPath path;
  Role role = Role::readme;
  std::uint64_t bytes = 0;
  std::optional<ClipFacts> clip;    // exactly where role is clip
  std::optional<ImageFacts> image;  // exactly where role is image
  bool operator==(const FileInfo&) const = default;
};

// A licence of pictures, as their data set numbers them, or of clips, numbered from 1.
struct MediaLicence {
  std::int64_t id = 0;
  std::string name, url;
  bool operator==(const MediaLicence&) const = default;
};

// A manifest that the build read.
struct RecipeInput {
  Role role = Role::subset_manifest;
  common::Digest digest;  // of the manifest's own bytes
  std::string subset_name;
  std::string source_dataset;
  common::Seed seed = 0;
  std::uint64_t asked = 0;                   // rows in it
  std::uint64_t packed = 0;                  // rows in the pack; the difference stands in `missing`
  std::optional<manifest::Recipe> recipe{};  // how its rows were chosen, where that is known
  // Version 2: the data set that the manifest names, and the seconds that are cut out of its longer sources;
  // nothing: none are.
  std::string data_set{};
  std::optional<std::uint64_t> clip_s{};
  bool operator==(const RecipeInput&) const = default;
};

struct MissingItem {
  Role role = Role::subset_manifest;  // whose row
  std::string id;                     // youtube_id or question_id
  std::string file;                   // as the manifest names it
  std::string reason;
  bool operator==(const MissingItem&) const = default;
};

struct PackInfo {
  std::string name;
  std::vector<RecipeInput> inputs;
  std::vector<MissingItem> missing;
  std::vector<FileInfo> files;  // every file but pack.json, the seal and its signature; sorted by path
  std::vector<MediaLicence> image_licences{};  // those that a picture has; ascending by id
  std::vector<MediaLicence> clip_licences{};   // those that a clip has; ascending by id
  bool operator==(const PackInfo&) const = default;
};

// The lowest version that can say all of it.
[[nodiscard]] int format_version_of(const PackInfo& info);

// One element of pack.json's `files`, `missing` and `recipe.inputs`, on one line.
[[nodiscard]] std::string write_row(const FileInfo& file);
[[nodiscard]] std::string write_row(const MissingItem& item);
[[nodiscard]] std::string write_row(const RecipeInput& input);
// pack.json's `licences`: an object for each input, and one for each licence of pictures or clips.
[[nodiscard]] common::Json licences_of(const PackInfo& info);
[[nodiscard]] std::string write_info(const PackInfo& info);
void write_info(const PackInfo& info, const std::function<void(std::string_view)>& take);  // part by part
// What pack.json says of a file, or null.
[[nodiscard]] const FileInfo* find_file(const PackInfo& info, const common::PackPath& path);
// P4: pack.json lists what the seal lists.
void check_info_against_sums(const PackInfo& info, const std::vector<common::SumsLine>& sums,
                             common::Findings& findings);

}  // namespace packer
