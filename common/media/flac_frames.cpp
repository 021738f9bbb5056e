#include "common/media/flac_frames.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace common {
namespace {

// A frame of 65,535 samples, 24 bits and 8 channels, not compressed.
constexpr std::uint64_t k_frame_limit_bytes = std::uint64_t{65535} * 3 * 8 + 64;

// RFC 9639, 9.1: two checksums, of the header and of the frame.
template <typename Value, int Polynomial>
Value crc_of(ByteView bytes) {
  constexpr int k_top = 8 * (static_cast<int>(sizeof(Value)) - 1);
  Value crc = 0;
  for (const std::uint8_t byte : bytes) {
    crc = static_cast<Value>(crc ^ (byte << k_top));
    for (int bit = 0; bit < 8; ++bit)
      crc = static_cast<Value>((crc << 1) ^ ((crc >> (k_top + 7)) != 0 ? Polynomial : 0));
  }
  return crc;
}

struct Header {
  std::uint64_t first = 0;  // sample
  std::uint64_t samples = 0;
};

// The coded number (like UTF-8, to 36 bits) that begins at `at`, which moves behind it.
std::optional<std::uint64_t> coded_number(ByteView bytes, std::size_t& at) {
  if (at >= bytes.size()) return std::nullopt;
  const std::uint8_t lead = bytes[at++];
  if (lead < 0x80) return lead;
  int more = 0;
  while (more < 7 && (lead & (0x80 >> more)) != 0) ++more;
  if (more < 2 || lead == 0xff) return std::nullopt;
  std::uint64_t value = lead & (0x7f >> more);
  for (int i = 1; i < more; ++i) {
    if (at >= bytes.size() || (bytes[at] & 0xc0) != 0x80) return std::nullopt;
    value = (value << 6) | (bytes[at++] & 0x3f);
  }
  return value;
}

// `fixed` is the number of samples of every frame but the last, where the stream has one such number.
std::optional<Header> header_at(ByteView bytes, std::uint64_t fixed) {
  if (bytes.size() < 6 || bytes[0] != 0xff || (bytes[1] & 0xfe) != 0xf8) return std::nullopt;
  const int size_code = bytes[2] >> 4, rate_code = bytes[2] & 15;
  std::size_t at = 4;
  const auto number = coded_number(bytes, at);
  if (!number || size_code == 0 || rate_code == 15) return std::nullopt;
  const auto extra = [&](std::size_t count) {
    if (at + count > bytes.size()) return std::uint64_t{0};
    at += count;
    return load_be(bytes.data() + at - count, static_cast<int>(count));
  };
  Header header;
  if (size_code == 1) header.samples = 192;
  if (size_code >= 2 && size_code <= 5) header.samples = std::uint64_t{144} << size_code;
  if (size_code == 6) header.samples = extra(1) + 1;
  if (size_code == 7) header.samples = extra(2) + 1;
  if (size_code >= 8) header.samples = std::uint64_t{1} << size_code;
  if (rate_code == 12) (void)extra(1);
  if (rate_code == 13 || rate_code == 14) (void)extra(2);
  if (at >= bytes.size() || crc_of<std::uint8_t, 0x07>(bytes.first(at)) != bytes[at]) return std::nullopt;
  const bool counts_samples = (bytes[1] & 1) != 0;
  header.first = counts_samples ? *number : *number * fixed;
  return header;
}

}  // namespace

std::uint64_t flac_length(const SoundBytes& file) {
  std::array<std::uint8_t, 5> bits{};
  if (file.read_at(bits.data(), bits.size(), k_flac_length_at) != bits.size()) return 0;
  return (static_cast<std::uint64_t>(bits[0] & 15) << 32) | load_be(bits.data() + 1, 4);
}

void check_last_flac_frame(const SoundBytes& file, std::uint64_t samples, const std::string& name) {
  std::array<std::uint8_t, 2> fixed{};
  (void)file.read_at(fixed.data(), fixed.size(), 10);  // the largest number of samples of a frame
  Bytes tail(static_cast<std::size_t>(std::min(file.size(), 2 * k_frame_limit_bytes)));
  (void)file.read_at(tail.data(), tail.size(), file.size() - tail.size());
  for (std::size_t at = tail.size(); at-- > 0;) {
    if (tail[at] != 0xff) continue;
    const ByteView rest = ByteView(tail).subspan(at);
    const auto header = header_at(rest, load_be(fixed.data(), 2));
    if (!header) continue;
    // Of the frame with its checksum behind it the checksum is 0.
    if (header->first + header->samples == samples && crc_of<std::uint16_t, 0x8005>(rest) == 0) return;
    if (header->first < samples && header->first + header->samples <= samples) break;
  }
  refuse_sound(name, "truncated or damaged: its header does not state its length, and behind sample " +
                         std::to_string(samples) + " there is a part of a frame");
}

}  // namespace common
