#include "packer/build/source_sound.hpp"

#include <utility>

#include "common/error.hpp"
#include "common/media/media_header.hpp"
#include "common/media/probe.hpp"

namespace packer {

SourceSound::SourceSound(common::ByteView held, std::string name)
    : name_(std::move(name)), bytes_(held), held_(held) {}

SourceSound::SourceSound(std::filesystem::path path, std::string name)
    : name_(std::move(name)),
      path_(std::move(path)),
      file_(common::open_to_read(path_)),
      stamp_(common::stamp_of(file_, path_)),
      bytes_(file_, path_) {}

void SourceSound::refuse_changed() const {
  if (file_.is_open() && common::stamp_of(file_, path_) != stamp_)
    throw common::Error(common::ErrorKind::io,
                        name_ + " changed while it was read; try again when nothing is writing to it");
}

common::AudioFacts SourceSound::probe(common::Probe probe) const {
  if (!file_.is_open()) return common::probe_sound(held_, name_, probe, common::OtherForms::ask_ffmpeg);
  if (probe == common::Probe::skip) {
    common::Bytes head(common::k_media_header_limit_bytes);
    head.resize(bytes_.read_at(head.data(), head.size(), 0));
    if (const auto facts = common::sound_header(head, bytes_.size())) return *facts;
  }
  return common::probe_audio(bytes_, name_, common::OtherForms::ask_ffmpeg);
}

common::ByteView SourceSound::hold() {
  if (!file_.is_open() || !own_.empty()) return held_;
  if (bytes_.size() > k_source_limit_bytes)
    throw common::Error(common::ErrorKind::mismatch,
                        name_ + " has " + std::to_string(bytes_.size()) + " bytes, more than the limit of " +
                            std::to_string(k_source_limit_bytes) +
                            "; replace the file or leave it out of the manifest");
  own_.resize(static_cast<std::size_t>(bytes_.size()));
  own_.resize(bytes_.read_at(own_.data(), own_.size(), 0));
  refuse_changed();
  held_ = own_;
  return held_;
}

common::Digest SourceSound::digest() const {
  if (!file_.is_open()) return common::digest_of(held_);
  common::ReadBuffer block(std::size_t{128} << 10);
  common::Hasher hasher;
  for (std::uint64_t done = 0; done < bytes_.size();) {
    const std::size_t got = bytes_.read_at(block.data(), block.size(), done);
    if (got == 0) break;  // and so it has changed
    hasher.update({block.data(), got});
    done += got;
  }
  refuse_changed();
  return hasher.finish();
}

}  // namespace packer
