// The only way to a pack's bytes. A VerifiedPack exists only when every byte of the pack was hashed and every
// rule held; read() hashes the very buffer that it hands out, so nothing can change between the check and the
// use.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "common/path.hpp"
#include "common/progress.hpp"
#include "packer/check/store.hpp"
#include "packer/format/contents.hpp"
#include "packer/format/info.hpp"

namespace packer {

struct OpenOptions {
  std::optional<common::Digest> expected_id{};
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
  // The public key that must have signed the pack; a file outside of it.
  std::optional<std::filesystem::path> trusted_key{};
};

class VerifiedPack {
 public:
  [[nodiscard]] const common::Digest& id() const { return id_; }
  [[nodiscard]] const std::filesystem::path& location() const { return location_; }
  [[nodiscard]] const std::string& name() const { return info_.name; }
  [[nodiscard]] const PackInfo& info() const { return info_; }
  // Everything that the seal lists, sorted by path.
  [[nodiscard]] const std::vector<PackFile>& files() const { return files_; }
  [[nodiscard]] bool contains(const common::PackPath& path) const;
  // As the seal states it; a mismatch error where the pack has no such file.
  [[nodiscard]] const common::Digest& digest(const common::PackPath& path) const;
  [[nodiscard]] std::uint64_t size(const common::PackPath& path) const;
  // The file's bytes, hashed again: a mismatch error where they are no longer those that were verified, or
  // where the pack has no such file. Safe from many threads.
  [[nodiscard]] common::Bytes read(const common::PackPath& path) const;

 private:
  VerifiedPack() = default;
  friend VerifiedPack open_pack(const std::filesystem::path& folder_or_tar, const OpenOptions& options);
  [[nodiscard]] std::optional<std::size_t> find(const common::PackPath& path) const;
  [[nodiscard]] std::size_t index_of(const common::PackPath& path) const;

  common::Digest id_;
  std::filesystem::path location_;
  PackInfo info_;
  std::vector<PackFile> files_;
  std::vector<std::uint64_t> offsets_;  // in a .tar, beside files_
  std::optional<Store> store_;
};

// Verifies a folder, or a .tar in place. Throws mismatch that lists the findings, or signature where the
// trusted key did not sign it; a compressed archive is a usage error that says how to extract it.
[[nodiscard]] VerifiedPack open_pack(const std::filesystem::path& folder_or_tar, const OpenOptions& options);

}  // namespace packer
