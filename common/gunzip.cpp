#include "common/gunzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>

#include "common/error.hpp"

namespace common {
namespace {

struct End {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::format,
              name + " is a gzip file that " + why + "; get it again, or unpack it (gunzip)");
}

// One member: what it holds goes to `text`; what stands behind it is left in `bytes`.
void add_member(ByteView& bytes, const std::string& name, std::uint64_t limit_bytes, std::string& text) {
  z_stream stream{};
  constexpr int k_gzip_only = 16 + MAX_WBITS;
  ENSURE(inflateInit2(&stream, k_gzip_only) == Z_OK);
  const std::unique_ptr<z_stream, End> owner(&stream);
  std::array<char, 1 << 16> block;
  for (int result = Z_OK; result != Z_STREAM_END;) {
    const std::size_t given = std::min<std::size_t>(bytes.size(), 1 << 20);
    stream.next_in = const_cast<Bytef*>(bytes.data());
    stream.avail_in = static_cast<uInt>(given);
    stream.next_out = reinterpret_cast<Bytef*>(block.data());
    stream.avail_out = static_cast<uInt>(block.size());
    result = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = block.size() - stream.avail_out;
    bytes = bytes.subspan(given - stream.avail_in);
    if (got > limit_bytes - text.size())
      refuse(name, "holds more than " + std::to_string(limit_bytes) + " bytes");
    text.append(block.data(), got);
    if (result == Z_BUF_ERROR || (result == Z_OK && got == 0 && bytes.empty()))
      refuse(name, "ends too early");
    if (result != Z_OK && result != Z_STREAM_END) refuse(name, "is damaged");
  }
}

}  // namespace

bool is_gzip(ByteView bytes) { return bytes.size() >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b; }

std::string gunzip(ByteView bytes, const std::string& name, std::uint64_t limit_bytes) {
  std::string text;
  while (is_gzip(bytes)) add_member(bytes, name, limit_bytes, text);
  if (std::any_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte != 0; }))
    refuse(name, "has other bytes behind its end");
  return text;
}

}  // namespace common
