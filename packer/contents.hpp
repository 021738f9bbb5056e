// What the control files say, and whether they agree with each other and with the list of files: the checks
// that a folder, a .tar and a stream share. Holds no media byte.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "manifest/manifest.hpp"
#include "packer/finding.hpp"
#include "packer/info.hpp"
#include "packer/sums.hpp"

namespace packer {

// A file of a pack: what the seal and pack.json say of it.
struct PackFile {
  common::PackPath path;
  std::uint64_t bytes = 0;
  common::Digest digest;
};

// The five manifests of a pack; the first two always, where the pack is sound.
struct Manifests {
  std::optional<manifest::SubsetManifest> clips;   // manifest.json
  std::optional<manifest::SubsetManifest> subset;  // subset_manifest.json
  std::optional<manifest::SubsetManifest> audio_val;
  std::optional<manifest::VqaManifest> val, retention, base;
};

// The digest of a media file by its path, or nothing where there is no such file.
using DigestLookup = std::function<std::optional<common::Digest>(const std::string& path)>;

// M6: what two splits share. Leaks are found by image_id, question_id, youtube_id and by digest.
void find_leaks(const Manifests& manifests, const DigestLookup& digest_of_file, Findings& findings);

// Distinct pictures that its rows name.
[[nodiscard]] std::size_t count_images(const manifest::VqaManifest& vqa);
// The text of README.txt: `image_count` is the number of distinct validation images.
[[nodiscard]] std::string write_readme(const manifest::SubsetManifest& clips, std::size_t image_count);

// M1 to M8. `control` holds the bytes of the control files that are there, by name.
void check_manifests(const std::map<std::string, common::Bytes>& control, const PackInfo& info,
                     const std::vector<SumsLine>& sums, Findings& findings);

}  // namespace packer
