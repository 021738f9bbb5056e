// What a pack says of itself: its control files, whole and held against the seal and each other. No media
// byte is looked at, so an outline is quick, and vouches for nothing behind the control files.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "manifest/format/parse.hpp"
#include "packer/check/examine.hpp"

namespace packer {

struct Outline {
  std::filesystem::path location;
  Examination examination;       // of depth `control`; `info` and `id` are there
  common::Findings about_media;  // media files of a folder that are missing, or that no line lists
  std::map<std::string, manifest::AnyManifest> manifests;  // by file name
};

// A folder, any archive, or "-". Throws mismatch where the control files are damaged, or are not those of the
// expected pack: what they say would be worth nothing; signature where the trusted key did not sign it.
[[nodiscard]] Outline read_outline(const std::filesystem::path& path,
                                   const std::optional<common::Digest>& expected_id = std::nullopt,
                                   const std::optional<common::PublicKey>& trusted_key = std::nullopt);

// Rows of the pack's manifests that name a file of it.
struct NamingRow {
  std::string manifest;
  common::Json row;
};
[[nodiscard]] std::vector<NamingRow> rows_naming(const Outline& outline, const std::string& path);

}  // namespace packer
