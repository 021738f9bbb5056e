// From manifests and sources to a sealed pack: plan, collect, copy, seal. The pack's bytes depend on the
// manifests, the sources' bytes and the last component of the destination, on nothing else.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/progress.hpp"
#include "packer/build/collect.hpp"
#include "packer/build/copy.hpp"
#include "packer/format/clip_remarks.hpp"
#include "packer/leaks/near_duplicates.hpp"

namespace packer {

// Copies with other bytes across splits: not looked for, listed, or a reason to make no pack. Never changes a
// pack's bytes.
enum class LeakCheck { off, list, fatal };

struct BuildRequest {
  std::filesystem::path manifest;
  std::filesystem::path source_root;  // a folder or an archive; holds audio/<split>/
  std::filesystem::path dest_root;    // becomes the pack; replaced only where absent, empty or a pack
  std::filesystem::path val_manifest;
  std::optional<std::filesystem::path> retention_manifest, base_manifest, audio_val_manifest, unlike_manifest;
  std::vector<std::filesystem::path> image_roots;  // folders or archives
  std::vector<std::filesystem::path> instances;    // COCO's, for the licences and sources of pictures
  Missing missing = Missing::refuse;
  SourceKind sources = SourceKind::detect;  // of clips
  // A folder with a pack's control files, media or not: that very pack is made again, and nothing above but
  // the roots and the destination counts.
  std::optional<std::filesystem::path> recipe;
  common::Probe probe = common::Probe::decode;
  LeakCheck leaks = LeakCheck::off;
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
};

struct BuildSummary {
  common::Digest id;
  std::filesystem::path location;
  std::size_t clips = 0;      // the subset's and the held-out ones
  std::size_t images = 0;     // distinct pictures
  std::size_t questions = 0;  // of all splits
  std::uint64_t bytes = 0;    // of all files but pack.json and the seal
  std::vector<MissingItem> missing;
  ClipRemarks remarks;
  std::optional<LeakReport> leaks{};  // where they were looked for
};

// What the program does where a flag is not given: manifests of the usual names beside --manifest are used
// where they are, and images are looked for beside the source root.
[[nodiscard]] BuildRequest with_defaults(BuildRequest request);

[[nodiscard]] BuildSummary build_pack(const BuildRequest& request);

struct SealedPack;
[[nodiscard]] BuildSummary summarise(const SealedPack& sealed);

}  // namespace packer
