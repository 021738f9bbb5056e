// A verified pack in other people's forms. Each is written to a draft and appears whole; none is ever read
// back: what vouches for the data stays the pack and its id, which each form names.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "packer/check/open.hpp"

namespace packer {

struct ExportSummary {
  std::size_t files = 0;
  std::uint64_t bytes = 0;
};

// WebDataset: tar shards `<split>-<6 digits>.tar`, one after the other in the order of the manifest. A clip
// is a sample of its sound, its caption (.txt) and its row (.json); an image one of the picture and the rows
// of the questions about it (.json); a base's captions are rows alone. `dataset.json` names the pack and the
// shards, SHA256SUMS has their digests. The keys are the names of the media files without suffix. Throws
// usage where `out` is neither absent nor empty, mismatch where a key would hold a dot or stand twice:
// WebDataset would read another key.
struct WebDatasetRequest {
  std::filesystem::path out;
  std::uint64_t shard_bytes = std::uint64_t{256} << 20;  // a shard ends when the next sample would exceed it
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
};
ExportSummary export_webdataset(const VerifiedPack& pack, const WebDatasetRequest& request);

// Croissant 1.0 (JSON-LD of MLCommons): `croissant.json` in the folder `out`, which must hold the pack,
// because files are named relative to it. Says of the pack what its control files say; who made it, where it
// is and since when is for the user to say.
struct CroissantRequest {
  std::filesystem::path out;
  std::vector<std::string> creators;  // at least one
  std::string url;                    // of the data set's page
  std::string date_published;         // YYYY-MM-DD
  std::vector<std::string> licences;  // beside those that the pack states; together at least one
  std::string description;            // empty: what the pack holds
};
ExportSummary export_croissant(const VerifiedPack& pack, const CroissantRequest& request);

// The control files alone, for data that must not be handed on: whoever has the sources makes the very pack
// again with `build --from-recipe`.
ExportSummary export_recipe(const std::filesystem::path& pack, const std::filesystem::path& out);

}  // namespace packer
