#include "common/media/sound_form.hpp"

#include "common/media/mp3_frames.hpp"

namespace common {
namespace {

constexpr int k_id3_limit = 16;           // tags one behind the other; a file has one
constexpr std::uint64_t k_zeros = 65536;  // that may stand between a tag and an MP3's first frame

bool begins_rf64(SoundScanner& scanner, std::uint64_t begin) {
  return scanner.has_tag(begin, "RF64") && scanner.has_tag(begin + 8, "WAVE");
}

SoundForm ogg_form(SoundScanner& scanner, std::uint64_t begin) {
  const ByteView head = scanner.at(begin + 26, 1);
  if (head.empty()) return SoundForm::other_ogg;
  const std::uint64_t packet = begin + 27 + head[0];
  if (scanner.has_tag(packet, "OpusHead")) return SoundForm::opus;
  if (scanner.has_tag(packet, "\x01vorbis")) return SoundForm::vorbis;
  return SoundForm::other_ogg;
}

// ISO/IEC 13818-3 and 14496-3 begin their frames with the same bits; the layer tells them apart.
SoundForm mpeg_form(SoundScanner& scanner, std::uint64_t begin) {
  const ByteView head = scanner.at(begin, 4);
  if (head.empty() || head[0] != 0xff || (head[1] & 0xe0) != 0xe0) return SoundForm::unknown;
  const int layer = (head[1] >> 1) & 3;
  if (layer == 0) return (head[1] & 0xf0) == 0xf0 ? SoundForm::adts : SoundForm::unknown;
  if (!Mp3Header::parse(head)) return SoundForm::unknown;
  return layer == 1 ? SoundForm::mp3 : SoundForm::other_mpeg;
}

}  // namespace

std::uint64_t skip_id3(SoundScanner& scanner, std::uint64_t offset) {
  const ByteView head = scanner.at(offset, 10);
  if (head.empty() || text_of(head.first(3)) != "ID3" || head[3] == 0xff) return offset;
  std::uint64_t size = 0;
  for (std::size_t i = 6; i < 10; ++i) {
    if (head[i] >= 0x80) return offset;
    size = (size << 7) | head[i];
  }
  const bool has_footer = (head[5] & 0x10) != 0;
  return offset + 10 + size + (has_footer ? 10 : 0);
}

FoundForm find_form(const SoundBytes& bytes) {
  SoundScanner scanner(bytes);
  FoundForm found;
  for (int tag = 0; tag < k_id3_limit; ++tag) {
    const std::uint64_t behind = skip_id3(scanner, found.begin);
    if (behind == found.begin) break;
    found.begin = behind;
  }
  const std::uint64_t at = found.begin;
  const auto has = [&](std::uint64_t offset, std::string_view tag) {
    return scanner.has_tag(at + offset, tag);
  };
  if (has(0, "RIFF") && has(8, "WAVE")) found.form = SoundForm::riff;
  if (has(0, "RIFX") && has(8, "WAVE")) found.form = SoundForm::rifx;
  if (begins_rf64(scanner, at)) found.form = SoundForm::rf64;
  if (has(0, {"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\0\0", 16})) found.form = SoundForm::w64;
  if (has(0, "fLaC")) found.form = SoundForm::flac;
  if (has(0, "OggS")) found.form = ogg_form(scanner, at);
  if (has(4, "ftyp")) found.form = SoundForm::mp4;
  if (has(0, "\x1a\x45\xdf\xa3")) found.form = SoundForm::matroska;
  if (found.form != SoundForm::unknown) return found;
  if (at > 0)
    for (std::uint64_t zeros = 0; zeros < k_zeros && has(0 + zeros, {"\0", 1}); ++zeros)
      found.begin = at + zeros + 1;
  found.form = mpeg_form(scanner, found.begin);
  return found;
}

const char* name_of(SoundForm form) {
  switch (form) {
    case SoundForm::riff:
      return "WAV";
    case SoundForm::rifx:
      return "big-endian WAV (RIFX)";
    case SoundForm::rf64:
      return "RF64";
    case SoundForm::w64:
      return "W64";
    case SoundForm::flac:
      return "FLAC";
    case SoundForm::vorbis:
      return "Ogg Vorbis";
    case SoundForm::opus:
      return "Ogg Opus";
    case SoundForm::mp3:
      return "MP3";
    case SoundForm::other_ogg:
      return "Ogg of neither Vorbis nor Opus";
    case SoundForm::other_mpeg:
      return "MPEG audio of layer I or II";
    case SoundForm::adts:
      return "AAC (ADTS)";
    case SoundForm::mp4:
      return "MP4 (m4a, mov, 3gp)";
    case SoundForm::matroska:
      return "WebM or Matroska";
    case SoundForm::unknown:
      break;
  }
  return "";
}

}  // namespace common
