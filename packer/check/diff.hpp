// What makes two packs differ, out of their control files alone: files by digest, manifests row by row.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "manifest/diff.hpp"
#include "packer/check/outline.hpp"

namespace packer {

struct FileChange {
  manifest::Change change = manifest::Change::changed;
  std::string path;
  std::optional<PackFile> a, b;  // what each says of it, where it is there
};

struct ManifestChange {
  std::string manifest;  // "val_manifest.json"; only those that both packs have
  manifest::RowChange row;
};

enum class Signatures { none, only_a, only_b, same, differ };

struct PackDiff {
  common::Digest id_a, id_b;      // equal exactly where nothing below differs but the signature
  std::vector<FileChange> files;  // by path
  std::vector<ManifestChange> manifests;
  Signatures signatures = Signatures::none;
  [[nodiscard]] bool same_content() const { return id_a == id_b; }
};

[[nodiscard]] PackDiff diff_packs(const Outline& a, const Outline& b);

}  // namespace packer
