#include "common/media/ogg_pages.hpp"

#include <array>

namespace common {
namespace {

constexpr std::size_t k_header_bytes = 27;
constexpr std::size_t k_page_bytes = k_header_bytes + 255 + 255 * 255;  // at most

constexpr std::array<std::uint32_t, 256> crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i << 24;
    for (int bit = 0; bit < 8; ++bit) value = (value << 1) ^ ((value >> 31) * 0x04c11db7U);
    table[i] = value;
  }
  return table;
}

// Of a page whose own checksum counts as zero.
std::uint32_t checksum(ByteView page) {
  static constexpr std::array<std::uint32_t, 256> k_table = crc_table();
  std::uint32_t crc = 0;
  for (std::size_t i = 0; i < page.size(); ++i) {
    const std::uint32_t byte = i >= 22 && i < 26 ? 0 : page[i];
    crc = (crc << 8) ^ k_table[(crc >> 24) ^ byte];
  }
  return crc;
}

std::string at_byte(std::uint64_t offset) { return " at byte " + std::to_string(offset); }

}  // namespace

std::uint64_t check_ogg_pages(const SoundBytes& file, const std::string& name) {
  Bytes page(k_page_bytes);
  std::uint32_t stream = 0, next = 0;
  for (std::uint64_t at = 0; at < file.size();) {
    const std::size_t there = file.read_at(page.data(), page.size(), at);
    if (there < k_header_bytes || text_of(ByteView(page).first(4)) != "OggS") {
      // What follows the last page was looked at there.
      if (there >= 4 && text_of(ByteView(page).first(4)) != "OggS")
        refuse_sound(name, "damaged: it has no Ogg page" + at_byte(at));
      break;
    }
    std::size_t bytes = k_header_bytes + page[26];
    for (std::size_t i = 0; i < page[26] && k_header_bytes + i < there; ++i)
      bytes += page[k_header_bytes + i];
    if (bytes > there) break;
    const std::uint32_t serial = load_le32(page.data() + 14);
    const bool begins = (page[5] & 2) != 0, ends = (page[5] & 4) != 0;
    if (at == 0) stream = serial;
    if (begins != (at == 0) || serial != stream)
      refuse_sound(name,
                   "it holds several Ogg streams, and only the first would be heard; make one of them "
                   "(ffmpeg -i FILE -vn OUT.wav)");
    if (checksum(ByteView(page).first(bytes)) != load_le32(page.data() + 22))
      refuse_sound(name, "damaged: the checksum of its Ogg page" + at_byte(at) + " is another");
    if (load_le32(page.data() + 18) != next)
      refuse_sound(name, "damaged: Ogg pages are missing before the one" + at_byte(at));
    ++next;
    at += bytes;
    if (!ends) continue;
    // Another stream behind it would be lost; anything else there is no sound.
    std::array<char, 4> behind{};
    if (file.read_at(behind.data(), behind.size(), at) == 4 && std::string_view(behind.data(), 4) == "OggS")
      refuse_sound(name,
                   "it holds several Ogg streams, and only the first would be heard; make one of them "
                   "(ffmpeg -i FILE -vn OUT.wav)");
    return at;
  }
  refuse_sound(name,
               "truncated: its last Ogg page, the one that ends the stream, is missing or not whole; the "
               "file has " +
                   std::to_string(file.size()) + " bytes");
}

}  // namespace common
