// A pack as WebDataset shards.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/progress.hpp"
#include "packer/check/open.hpp"
#include "packer/export/export_summary.hpp"

namespace packer {

// WebDataset: tar shards `<split>-<6 digits>.tar`, one after the other in the order of the manifest. Where
// the media of a split have several forms, each has shards of its own, `subset-wav-<6 digits>.tar` beside
// `subset-flac-<6 digits>.tar`: all samples of a shard's set have the same keys, as datasets wants them. A
// clip is a sample of its sound, its caption (.txt) and its row (.json); an image one of the picture and the
// rows of the questions about it (.json); a base's captions are rows alone. `dataset.json` names the pack and
// the shards, SHA256SUMS has their digests. The keys are the names of the media files without suffix. Throws
// usage where `out` is neither absent nor empty, mismatch where a key would hold a dot or stand twice:
// WebDataset would read another key.
struct WebDatasetRequest {
  std::filesystem::path out;
  std::uint64_t shard_bytes = std::uint64_t{256} << 20;  // a shard ends when the next sample would exceed it
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
};
ExportSummary export_webdataset(const VerifiedPack& pack, const WebDatasetRequest& request);

}  // namespace packer
