// What the manifests of a pack say together: which splits there are, what must not be in two of them, and the
// texts that follow from them. Holds no media byte.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/digest.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/sums.hpp"
#include "manifest/format/manifest.hpp"
#include "packer/format/info.hpp"

namespace packer {

// A file of a pack: what the seal and pack.json say of it.
struct PackFile {
  common::PackPath path;
  std::uint64_t bytes = 0;
  common::Digest digest;
};

// Where `path` is among `files`, which are sorted by path; nothing where it is not.
[[nodiscard]] std::optional<std::size_t> index_of(const std::vector<PackFile>& files, std::string_view path);
// Files that stand behind pack.json, in the order of the archive: those without a folder, then the others,
// each group by path bytes. Gives indices into `files`, which is sorted and holds pack.json too.
[[nodiscard]] std::vector<std::size_t> order_behind_info(const std::vector<PackFile>& files);

// The manifests of a pack; the first two always, where the pack is sound.
struct Manifests {
  std::optional<manifest::SubsetManifest> clips;   // manifest.json
  std::optional<manifest::SubsetManifest> subset;  // subset_manifest.json
  std::optional<manifest::SubsetManifest> audio_val;
  std::optional<manifest::VqaManifest> val, retention, base, unlike;
};

// A media file of a split by its bytes. The name belongs to whoever gave it, and outlives this.
struct MediaKey {
  common::Digest digest;
  std::string_view path;
};

// What keeps one manifest apart from the others. Clips count by youtube_id and bytes, questions by
// question_id, image_id and the bytes of the image, a base's captions by youtube_id alone.
struct SplitKeys {
  Role role = Role::manifest;
  std::vector<std::int64_t> question_ids, image_ids;
  std::vector<std::string> clip_ids;
  std::vector<MediaKey> media;
};
// A media file by its path, or nothing where there is no such file.
using MediaLookup = std::function<std::optional<MediaKey>(const std::string& path)>;
// Of the clips, not of the subset that they were taken from.
[[nodiscard]] std::vector<SplitKeys> split_keys(const Manifests& manifests, const MediaLookup& media_at);

// M6: what two splits share.
void find_leaks(const std::vector<SplitKeys>& splits, common::Findings& findings);

// The file of a manifest; manifest.json for anything else.
[[nodiscard]] const char* file_of(Role role);
[[nodiscard]] std::string image_path(const manifest::QuestionEntry& entry);
// Distinct pictures that its rows name.
[[nodiscard]] std::size_t count_images(const manifest::VqaManifest& vqa);
// The text of README.txt: `image_count` is the number of distinct validation images. No row of `clips` is
// looked at.
[[nodiscard]] std::string write_readme(const manifest::SubsetManifest& clips, std::size_t clip_count,
                                       std::size_t image_count);

}  // namespace packer
