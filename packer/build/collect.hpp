// Where each planned file's source lies, in folders or in other people's archives.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "packer/build/plan.hpp"
#include "packer/sources/foreign_archive.hpp"

namespace packer {

// Each is a folder or an archive.
struct SourceRoots {
  std::filesystem::path sounds;               // holds audio/<split>/
  std::vector<std::filesystem::path> images;  // each searched where people unpack pictures
};

enum class Missing { refuse, allow };

// One file's bytes, not read yet. There may be many: a filesystem::path takes a tenfold of its text.
struct Source {
  std::string host;                               // the file, or the archive
  std::shared_ptr<const ForeignArchive> archive;  // null: `host` is the file
  const ForeignArchive::Entry* entry = nullptr;   // the archive's
  [[nodiscard]] std::string name() const;         // for messages
};

struct Collection {
  Plan plan;
  std::vector<std::optional<Source>> clip_sources;   // beside plan.clips
  std::vector<std::optional<Source>> image_sources;  // beside plan.images
  std::size_t missing = 0;                           // sources that were not found
  std::string missing_lines;  // one line each, then where they were looked for; each begins with a line feed
};

// Missing sources are counted and left to copy(), which lists them together with those that cannot be used.
// Only where none of the clips, or none of the pictures, is there, and that is not allowed, throws mismatch
// at once: then the place is wrong, and hundreds of names would hide it.
[[nodiscard]] Collection collect(Plan plan, const SourceRoots& roots, Missing missing);

}  // namespace packer
