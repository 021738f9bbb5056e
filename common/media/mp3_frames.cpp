#include "common/media/mp3_frames.hpp"

#include <algorithm>
#include <array>

#include "common/media/sound_form.hpp"

namespace common {
namespace {

// How far the next frame is looked for where one does not follow the other: pictures of tags are that large.
constexpr std::uint64_t k_resync_bytes = std::uint64_t{1} << 24;
constexpr std::uint64_t k_id3v1_bytes = 128;

constexpr std::array<int, 15> k_kbit_1 = {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320};
constexpr std::array<int, 15> k_kbit_2 = {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160};
constexpr std::array<int, 3> k_rates_hz = {44100, 48000, 32000};

// What the first frame states of those behind it.
struct Declared {
  std::optional<std::uint64_t> frames;
  std::optional<std::uint64_t> bytes;  // from this frame on
};

std::optional<Declared> read_xing(SoundScanner& scanner, std::uint64_t at) {
  if (!scanner.has_tag(at, "Xing") && !scanner.has_tag(at, "Info")) return std::nullopt;
  const ByteView tag = scanner.at(at, 16);
  if (tag.empty()) return std::nullopt;
  Declared declared;
  std::size_t next = 8;
  if ((tag[7] & 1) != 0) {
    declared.frames = load_be(tag.data() + next, 4);
    next += 4;
  }
  if ((tag[7] & 2) != 0) declared.bytes = load_be(tag.data() + next, 4);
  return declared;
}

std::optional<Declared> read_vbri(SoundScanner& scanner, std::uint64_t frame) {
  const ByteView tag = scanner.at(frame + 4 + 32, 18);
  if (tag.empty() || text_of(tag.first(4)) != "VBRI") return std::nullopt;
  return Declared{load_be(tag.data() + 14, 4), load_be(tag.data() + 10, 4)};
}

// What stands at the end and is no sound.
std::uint64_t end_of_sound(const SoundBytes& bytes, SoundScanner& scanner) {
  const std::uint64_t size = bytes.size();
  return size > k_id3v1_bytes && scanner.has_tag(size - k_id3v1_bytes, "TAG") ? size - k_id3v1_bytes : size;
}

class Walk {
 public:
  Walk(const SoundBytes& bytes, std::uint64_t begin, const std::string& name)
      : scanner_(bytes), end_(end_of_sound(bytes, scanner_)), at_(begin), name_(name) {}

  Mp3Frames run() {
    Mp3Frames result{at_};
    auto header = frame_at(at_);
    if (!header) return result;
    kind_ = header->kind;
    auto declared = read_xing(scanner_, at_ + 4 + header->side_bytes);
    if (!declared) declared = read_vbri(scanner_, at_);
    const std::uint64_t first = at_;
    if (header->bytes == 0) return result;  // of a free bit rate nobody but the decoder knows the length
    if (declared) {
      result.sound_begin = at_ += header->bytes;
      header = follow();
    }
    for (; header; header = follow()) {
      if (at_ + header->bytes > end_)
        refuse_sound(name_, "truncated: its last frame has " + std::to_string(header->bytes) +
                                " bytes, of which the file has " + std::to_string(end_ - at_));
      ++frames_;
      at_ += header->bytes;
    }
    if (declared) result.stated = compare(*declared, first);
    result.samples = frames_ * (((kind_ >> 8) & 3) == 3 ? 1152 : 576);
    return result;
  }

 private:
  [[nodiscard]] std::optional<Mp3Header> frame_at(std::uint64_t at) {
    if (at + 4 > end_) return std::nullopt;
    return Mp3Header::parse(scanner_.at(at, 4));
  }
  [[nodiscard]] std::optional<Mp3Header> same_kind_at(std::uint64_t at) {
    const auto header = frame_at(at);
    return header && header->kind == kind_ && header->bytes > 0 ? header : std::nullopt;
  }
  // The frame at the place, or the next one behind what is none: two in a row, as decoders ask for.
  [[nodiscard]] std::optional<Mp3Header> follow() {
    if (const auto header = same_kind_at(at_)) return header;
    at_ = skip_id3(scanner_, at_);
    if (scanner_.has_tag(at_, "APETAGEX") || scanner_.has_tag(at_, "LYRICSBEGIN")) return std::nullopt;
    const std::uint64_t limit = std::min(end_, at_ + k_resync_bytes);
    for (; at_ + 4 <= limit; ++at_)
      if (const auto header = same_kind_at(at_); header && same_kind_at(at_ + header->bytes)) return header;
    return std::nullopt;
  }
  // A header that counts itself states one frame too many; its bytes tell.
  [[nodiscard]] Mp3Frames::Stated compare(const Declared& declared, std::uint64_t first) const {
    const bool has_bytes = declared.bytes && *declared.bytes <= at_ - first;
    if (declared.frames) {
      if (*declared.frames > frames_ + (has_bytes ? 1 : 0))
        refuse_truncated(name_, *declared.frames, "MP3 frames", frames_);
      return *declared.frames < frames_ ? Mp3Frames::Stated::wrongly : Mp3Frames::Stated::rightly;
    }
    if (declared.bytes && !has_bytes) refuse_truncated(name_, *declared.bytes, "bytes of MP3", at_ - first);
    return Mp3Frames::Stated::nothing;
  }

  SoundScanner scanner_;
  std::uint64_t end_, at_;
  std::string name_;
  std::uint32_t kind_ = 0;
  std::uint64_t frames_ = 0;
};

}  // namespace

std::optional<Mp3Header> Mp3Header::parse(ByteView head) {
  if (head.size() < 4 || head[0] != 0xff || (head[1] & 0xe0) != 0xe0) return std::nullopt;
  const int version = (head[1] >> 3) & 3;  // 0: 2.5, 2: 2, 3: 1
  const int layer = (head[1] >> 1) & 3;    // 1: III
  const int kbit = head[2] >> 4;
  const int rate = (head[2] >> 2) & 3;
  if (version == 1 || layer == 0 || kbit == 15 || rate == 3) return std::nullopt;
  Mp3Header header;
  header.kind = static_cast<std::uint32_t>((version << 8) | (layer << 4) | rate);
  const bool mono = (head[3] >> 6) == 3;
  header.side_bytes = version == 3 ? (mono ? 17 : 32) : (mono ? 9 : 17);
  if (layer != 1) return header;
  const int rate_hz = k_rates_hz[static_cast<std::size_t>(rate)] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
  const auto& kbits = version == 3 ? k_kbit_1 : k_kbit_2;
  const int bits = kbits[static_cast<std::size_t>(kbit)] * 1000;
  const int padding = (head[2] >> 1) & 1;
  if (bits > 0) header.bytes = static_cast<std::size_t>((version == 3 ? 144 : 72) * bits / rate_hz + padding);
  return header;
}

Mp3Frames walk_mp3(const SoundBytes& bytes, std::uint64_t begin, const std::string& name) {
  return Walk(bytes, begin, name).run();
}

}  // namespace common
