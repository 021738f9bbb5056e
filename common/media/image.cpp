#include "common/media/image.hpp"

#include <cstring>

#include "common/error.hpp"
#include "common/media/jpeg.hpp"
#include "common/media/orientation.hpp"
#include "common/media/png.hpp"

namespace common {
namespace {

enum class Form { jpeg, png };

struct Header {
  Form form = Form::jpeg;
  std::uint64_t width = 0;
  std::uint64_t height = 0;
};

std::uint64_t load_be(const std::uint8_t* p, int bytes) {
  std::uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | p[i];
  return value;
}

// Width and height as the header promises them, read before a decoder allocates anything; and for JPEG that
// the end marker is there, because the decoder fills the missing part of a file cut short with grey.
Header read_header(ByteView file, const std::string& name) {
  static constexpr std::uint8_t k_png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  if (file.size() >= 24 && std::memcmp(file.data(), k_png, sizeof k_png) == 0)
    return {Form::png, load_be(file.data() + 16, 4), load_be(file.data() + 20, 4)};
  if (file.size() < 4 || file[0] != 0xff || file[1] != 0xd8)
    refuse_picture(name, "it is neither JPEG nor PNG");
  std::size_t at = 2;
  while (at + 4 <= file.size() && file[at] == 0xff) {
    const std::uint8_t marker = file[at + 1];
    if (marker == 0xff) {
      ++at;
      continue;
    }
    const std::uint64_t length = load_be(file.data() + at + 2, 2);
    const bool frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
    if (frame) {
      if (at + 9 > file.size()) break;
      std::size_t end = file.size();
      while (end > 0 && (file[end - 1] == 0 || file[end - 1] == '\n')) --end;  // padding some cameras append
      if (end < 2 || file[end - 2] != 0xff || file[end - 1] != 0xd9)
        refuse_picture(name, "it is truncated: the end marker of the JPEG is missing");
      return {Form::jpeg, load_be(file.data() + at + 7, 2), load_be(file.data() + at + 5, 2)};
    }
    if (marker == 0xda || length < 2) break;
    at += 2 + static_cast<std::size_t>(length);
  }
  refuse_picture(name, "its header is damaged");
}

}  // namespace

void refuse_picture(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::mismatch, name + " does not decode as a picture: " + why +
                                       "; replace the file or leave it out of the manifest");
}

Picture decode_picture(ByteView file, const std::string& name) {
  const Header header = read_header(file, name);
  if (header.width == 0 || header.height == 0) refuse_picture(name, "it has no pixels");
  if (header.width > k_picture_limit_pixels || header.height > k_picture_limit_pixels ||
      header.width * header.height > k_picture_limit_pixels)
    refuse_picture(name, "its header declares " + std::to_string(header.width) + " x " +
                             std::to_string(header.height) + " pixels, more than the limit of 67108864");
  const int width = static_cast<int>(header.width), height = static_cast<int>(header.height);
  if (header.form == Form::png) return decode_png(file, width, height, name);
  return upright(decode_jpeg(file, width, height, name), exif_orientation(file));
}

}  // namespace common
