// One file against what the seal and pack.json say of it, while its bytes pass by once: its size (F6), its
// SHA-256 (F2) and, where both are right, the media facts in its own header (P6).
#pragma once

#include <optional>

#include "common/media/audio.hpp"
#include "common/media/media_header.hpp"
#include "packer/check/examine.hpp"

namespace packer {

class FileCheck {
 public:
  // Both must outlive it. Many threads may hold one each over the same examination.
  FileCheck(const PackFile& expected, const Examination& examination);

  void take(common::ByteView piece);
  // take() in two steps, for files that are hashed at once: every piece is noted, then hashed once.
  void note(common::ByteView piece);
  void hash(common::ByteView piece) { hasher_.update(piece); }
  // For common::update_together, in place of hash().
  [[nodiscard]] common::Hasher& hasher() { return hasher_; }
  // Behind the last byte, once.
  void conclude(common::Findings& findings);
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  void look_for_header(common::ByteView piece);
  [[nodiscard]] bool read_header(common::ByteView head);
  void check_facts(common::Findings& findings) const;

  const PackFile& expected_;
  const Examination& examination_;
  const FileInfo* info_ = nullptr;  // of a clip or an image whose header has not been read yet or was
  common::Hasher hasher_;
  std::uint64_t bytes_ = 0;
  common::Bytes head_;  // empty where the first piece held the whole header
  bool looking_ = false;
  std::optional<common::AudioFacts> sound_;
  std::optional<common::PictureSize> picture_;
};

}  // namespace packer
