// Which form a sound file has, by its first bytes. A file's name says nothing: downloaders call anything
// .wav.
#pragma once

#include "common/media/sound_bytes.hpp"

namespace common {

enum class SoundForm {
  riff,
  rifx,
  rf64,
  w64,
  flac,
  vorbis,
  opus,
  mp3,
  // Known by name, and not decoded here.
  other_ogg,
  other_mpeg,
  adts,
  mp4,
  matroska,
  unknown,
};

struct FoundForm {
  SoundForm form = SoundForm::unknown;
  std::uint64_t begin = 0;  // of the form's first byte: an ID3 tag may stand before it
};
[[nodiscard]] FoundForm find_form(const SoundBytes& bytes);

// What people call it; what is packed of it are words of the caller.
[[nodiscard]] const char* name_of(SoundForm form);

// Behind the ID3v2 tag that begins at `offset`; `offset` where none does.
[[nodiscard]] std::uint64_t skip_id3(SoundScanner& scanner, std::uint64_t offset);

}  // namespace common
