#include "common/media/wav_data.hpp"

#include <algorithm>
#include <limits>

namespace common {
namespace {

constexpr int k_chunk_limit = 10'000;  // before the samples; real files have a handful
constexpr std::uint64_t k_32_bits = 0xffffffff;

// What programs write for a size that they do not know yet, and leave where they cannot go back: ffmpeg -1,
// arecord 2^31, sox, mplayer and espeak 2^31 - 4096; some less the bytes of a header.
bool is_placeholder(std::uint64_t size) {
  constexpr std::uint64_t k_half = std::uint64_t{1} << 31, k_header = 256;
  return size == k_half - 4096 || (size >= k_half - k_header && size <= k_half + k_header) ||
         (size >= k_32_bits - k_header && size <= k_32_bits) ||
         size >= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - k_header;
}

void refuse_format(std::uint64_t rate_hz, std::uint64_t channels, const std::string& name) {
  refuse_sound(name, "its header gives " + std::to_string(rate_hz) + " Hz and " + std::to_string(channels) +
                         " channels");
}

class Chunks {
 public:
  Chunks(const SoundBytes& file, SoundForm form, const std::string& name)
      : scanner_(file), file_bytes_(file.size()), form_(form), name_(name) {}

  WavData find() {
    const bool wide = form_ == SoundForm::w64;
    const std::size_t id_bytes = wide ? 16 : 4;
    const std::size_t head_bytes = id_bytes + (wide ? 8 : 4);
    std::uint64_t at = head_bytes + id_bytes;
    for (int chunk = 0; chunk < k_chunk_limit; ++chunk) {
      const ByteView head = scanner_.at(at, head_bytes);
      if (head.empty()) break;
      const std::string id(text_of(head.first(4)));
      std::uint64_t size = number(head.data() + id_bytes, head_bytes - id_bytes);
      const std::uint64_t stated = size;
      if (wide) size = size < head_bytes ? 0 : size - head_bytes;  // a size of W64 includes its own header
      const std::uint64_t body = at + head_bytes;
      if (id == "data") return samples(body, size, stated, block_);
      if (id == "fmt ") read_format(body);
      if (id == "ds64" && !scanner_.at(body, 24).empty()) ds64_ = body;
      if (size > file_bytes_ - std::min(body, file_bytes_)) break;
      at = wide ? body + (size + 7) / 8 * 8 : body + size + (size & 1);
    }
    refuse_sound(name_, "it has no data chunk");
  }

 private:
  [[nodiscard]] std::uint64_t number(const std::uint8_t* p, std::size_t bytes) const {
    if (form_ == SoundForm::rifx) return load_be(p, static_cast<int>(bytes));
    return bytes == 2 ? load_le16(p) : bytes == 4 ? load_le32(p) : load_le64(p);
  }
  [[nodiscard]] Bytes stored(std::uint64_t value, int bytes) const {
    Bytes made(static_cast<std::size_t>(bytes));
    store_le(value, bytes, made.data());
    if (form_ == SoundForm::rifx) std::reverse(made.begin(), made.end());
    return made;
  }
  void read_format(std::uint64_t body) {
    const ByteView format = scanner_.at(body, 16);
    if (format.empty()) return;
    // Its length would be an estimate again.
    if (const std::uint64_t tag = number(format.data(), 2); tag == 0x50 || tag == 0x55)
      refuse_sound(name_, "it is a WAV that holds MP3 frames; take them out (ffmpeg -i IN -c copy OUT.mp3)");
    const std::uint64_t channels = number(format.data() + 2, 2);
    const std::uint64_t rate_hz = number(format.data() + 4, 4);
    if (channels == 0 || rate_hz == 0) refuse_format(rate_hz, channels, name_);
    block_ = number(format.data() + 12, 2);
  }
  // The size that RF64 keeps in its ds64 chunk (EBU Tech 3306) where 32 bits do not hold it.
  [[nodiscard]] std::uint64_t size_in_ds64() {
    return ds64_ == 0 ? 0 : load_le64(scanner_.at(ds64_ + 8, 8).data());
  }
  // Whether a size of 0 is one that was never filled in, for then the size of the whole is none either.
  [[nodiscard]] bool whole_is_unknown() {
    std::uint64_t whole = 0;
    if (form_ == SoundForm::w64) {
      whole = number(scanner_.at(16, 8).data(), 8);
    } else if (form_ == SoundForm::rf64) {
      if (ds64_ != 0) whole = load_le64(scanner_.at(ds64_, 8).data());
    } else {
      whole = number(scanner_.at(4, 4).data(), 4);
    }
    return is_placeholder(whole) || whole + 16 < file_bytes_;
  }

  WavData samples(std::uint64_t body, std::uint64_t size, std::uint64_t stated, std::uint64_t block) {
    const std::uint64_t there = file_bytes_ - std::min(body, file_bytes_);
    if (form_ == SoundForm::rf64 && size == k_32_bits) size = size_in_ds64();
    const bool was_never_stated = size == 0 && there > 0 && whole_is_unknown();
    // W64 counts its own header in, so that what it stated is looked at; RF64's 32 bits say nothing.
    if (size > there && !is_placeholder(form_ == SoundForm::w64 ? stated : size))
      refuse_truncated(name_, size, "bytes of samples", there);
    if (size <= there && !was_never_stated) return {body, size, WavData::Size::stated, {}};
    return whatever_follows(body, there, block);
  }

  // Programs that write to a pipe write whole frames, and a zero behind an odd number of bytes.
  WavData whatever_follows(std::uint64_t body, std::uint64_t there, std::uint64_t block) {
    std::uint64_t left = block == 0 ? 0 : there % block;
    if (left == 1 && there % 2 == 0 && scanner_.at(file_bytes_ - 1, 1)[0] == 0) {
      --there;
      left = 0;
    }
    if (left != 0)
      refuse_sound(name_, "truncated: its header does not state its length, and its last frame has " +
                              std::to_string(left) + " of " + std::to_string(block) + " bytes");
    WavData data{body, there, WavData::Size::unknown, {}};
    if (form_ == SoundForm::w64) {
      data.patches = {{16, stored(file_bytes_, 8)}, {body - 8, stored(there + 24, 8)}};
    } else if (form_ == SoundForm::rf64) {
      data.patches.push_back({body - 4, stored(k_32_bits, 4)});
      if (ds64_ != 0) {
        data.patches.push_back({ds64_, stored(body + there - 8, 8)});
        data.patches.push_back({ds64_ + 8, stored(there, 8)});
        data.patches.push_back({ds64_ + 16, stored(block == 0 ? 0 : there / block, 8)});
      }
    } else {
      if (there > k_32_bits - 256)
        refuse_sound(name_, "its header does not state its length, and it has more than 4 GiB");
      data.patches = {{4, stored(body + there - 8, 4)}, {body - 4, stored(there, 4)}};
    }
    return data;
  }

  SoundScanner scanner_;
  std::uint64_t file_bytes_;
  SoundForm form_;
  std::string name_;
  std::uint64_t ds64_ = 0;   // where its body lies
  std::uint64_t block_ = 0;  // bytes of a frame
};

}  // namespace

WavData find_wav_data(const SoundBytes& file, SoundForm form, const std::string& name) {
  return Chunks(file, form, name).find();
}

}  // namespace common
