#include "packer/check/file_check.hpp"

#include <fmt/format.h>

#include "common/media/media_header.hpp"

namespace packer {
namespace {

const FileInfo* find_media(const Examination& examination, const common::PackPath& path) {
  if (!examination.info) return nullptr;
  const FileInfo* info = find_file(*examination.info, path);
  return info != nullptr && (info->clip || info->image) ? info : nullptr;
}

}  // namespace

FileCheck::FileCheck(const PackFile& expected, const Examination& examination)
    : expected_(expected),
      examination_(examination),
      info_(find_media(examination, expected.path)),
      looking_(info_ != nullptr) {}

void FileCheck::take(common::ByteView piece) {
  note(piece);
  hash(piece);
}

void FileCheck::note(common::ByteView piece) {
  bytes_ += piece.size();
  if (looking_) look_for_header(piece);
}

// The first piece almost always holds the header: only where it does not are bytes copied.
void FileCheck::look_for_header(common::ByteView piece) {
  const bool is_first = bytes_ == piece.size();
  if (!is_first) head_.insert(head_.end(), piece.begin(), piece.end());
  if (read_header(is_first ? piece : common::ByteView(head_)) ||
      bytes_ >= common::k_media_header_limit_bytes) {
    looking_ = false;
    head_ = {};
  } else if (is_first) {
    head_.assign(piece.begin(), piece.end());
  }
}

bool FileCheck::read_header(common::ByteView head) {
  if (info_->clip) sound_ = common::sound_header(head, info_->bytes);
  if (info_->image) picture_ = common::picture_header(head);
  return sound_ || picture_;
}

void FileCheck::conclude(common::Findings& findings) {
  const std::size_t before = findings.size();
  compare_file(expected_, hasher_.finish(), bytes_, examination_, findings);
  // The header of a damaged file says nothing about pack.json.
  if (findings.size() == before) check_facts(findings);
}

void FileCheck::check_facts(common::Findings& findings) const {
  const auto differ = [&](const std::string& found, const std::string& stated) {
    findings.push_back({expected_.path.text(), "P6",
                        fmt::format("is of {} by its own header, pack.json says {}", found, stated)});
  };
  const auto of_sound = [](int rate_hz, int channels, std::uint64_t frames) {
    return fmt::format("{} Hz, {} channel(s) and {} frames", rate_hz, channels, frames);
  };
  const auto of_picture = [](int width, int height) { return fmt::format("{} x {} pixels", width, height); };
  if (sound_) {
    const ClipFacts& stated = *info_->clip;
    if (sound_->rate_hz != stated.rate_hz || sound_->channels != stated.channels ||
        sound_->frames != stated.frames)
      differ(of_sound(sound_->rate_hz, sound_->channels, sound_->frames),
             of_sound(stated.rate_hz, stated.channels, stated.frames));
  }
  if (picture_ && (picture_->width != info_->image->width || picture_->height != info_->image->height))
    differ(of_picture(picture_->width, picture_->height),
           of_picture(info_->image->width, info_->image->height));
}

}  // namespace packer
