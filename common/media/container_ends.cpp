#include "common/media/container_ends.hpp"

#include <optional>

namespace common {
namespace {

// ISO/IEC 14496-12: boxes, one behind the other, each with its size.
void check_boxes(const SoundBytes& file, const std::string& name) {
  SoundScanner scanner(file);
  bool has_table = false;
  for (std::uint64_t at = 0; at < file.size();) {
    const ByteView head = scanner.at(at, 8);
    if (head.empty()) refuse_truncated(name, 8, "bytes of a box", file.size() - at);
    const std::string kind(text_of(head.subspan(4, 4)));
    std::uint64_t size = load_be(head.data(), 4);
    if (size == 1) {
      const ByteView wide = scanner.at(at + 8, 8);
      size = wide.empty() ? 16 : load_be(wide.data(), 8);
    }
    if (size == 0) size = file.size() - at;  // to the end of the file
    has_table = has_table || kind == "moov";
    if (size > file.size() - at)
      refuse_truncated(name, size, "bytes of its last box, \"" + kind + "\"", file.size() - at);
    if (size < 8) return;  // what is behind the boxes is none
    at += size;
  }
  if (!has_table) refuse_sound(name, "truncated: it has no moov box, which every whole MP4 has");
}

// RFC 8794: the length of a number stands in its first byte.
struct Number {
  std::uint64_t value = 0;
  std::size_t bytes = 0;
  bool is_unknown = false;  // all bits are ones
};

std::optional<Number> number_at(SoundScanner& scanner, std::uint64_t at) {
  const ByteView lead = scanner.at(at, 1);
  if (lead.empty() || lead[0] == 0) return std::nullopt;
  Number number;
  number.bytes = 1;
  while ((lead[0] & (0x80 >> (number.bytes - 1))) == 0) ++number.bytes;
  const ByteView all = scanner.at(at, number.bytes);
  if (all.empty()) return std::nullopt;
  const std::uint64_t most = (std::uint64_t{1} << (7 * number.bytes)) - 1;
  number.value = load_be(all.data(), static_cast<int>(number.bytes)) & most;
  number.is_unknown = number.value == most;
  return number;
}

// RFC 9559: the Segment and, where it was written to a pipe, its Clusters may not know their sizes; then what
// is in them follows.
void check_elements(const SoundBytes& file, const std::string& name) {
  SoundScanner scanner(file);
  for (std::uint64_t at = 0; at < file.size();) {
    const auto id = number_at(scanner, at);
    const auto size = id ? number_at(scanner, at + id->bytes) : std::nullopt;
    if (!size)
      refuse_sound(name, "truncated or damaged: it has no whole element at byte " + std::to_string(at));
    const std::uint64_t body = at + id->bytes + size->bytes;
    if (size->is_unknown) {
      at = body;
      continue;
    }
    if (size->value > file.size() - body)
      refuse_truncated(name, size->value, "bytes of its last element", file.size() - body);
    at = body + size->value;
  }
}

// ISO/IEC 14496-3: 13 bits of each frame's header are its length.
void check_adts(const SoundBytes& file, const std::string& name) {
  SoundScanner scanner(file);
  for (std::uint64_t at = 0; at < file.size();) {
    const ByteView head = scanner.at(at, 7);
    if (head.empty()) {
      const ByteView sync = scanner.at(at, 2);
      if (sync.empty() || (sync[0] == 0xff && (sync[1] & 0xf6) == 0xf0))
        refuse_sound(name, "truncated: it ends in the header of a frame");
      return;
    }
    if (head[0] != 0xff || (head[1] & 0xf6) != 0xf0) return;  // a tag, or what the decoder will refuse
    const std::uint64_t size =
        (std::uint64_t{head[3] & 3U} << 11) | (std::uint64_t{head[4]} << 3) | (head[5] >> 5);
    if (size < 7) refuse_sound(name, "damaged: the frame at byte " + std::to_string(at) + " has no length");
    if (size > file.size() - at) refuse_truncated(name, size, "bytes of its last frame", file.size() - at);
    at += size;
  }
}

}  // namespace

void check_container_end(const SoundBytes& file, SoundForm form, const std::string& name) {
  if (form == SoundForm::mp4) check_boxes(file, name);
  if (form == SoundForm::matroska) check_elements(file, name);
  if (form == SoundForm::adts) check_adts(file, name);
}

}  // namespace common
