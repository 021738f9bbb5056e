#include "common/image.hpp"

#include <dlfcn.h>

#include <cstring>
#include <filesystem>

#include "common/error.hpp"
#include "common/image_module.hpp"

namespace common {
namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::mismatch, name + " does not decode as a picture: " + why +
                                       "; replace the file or leave it out of the manifest");
}

struct Size {
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
Size header_size(ByteView file, const std::string& name) {
  static constexpr std::uint8_t k_png[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  if (file.size() >= 24 && std::memcmp(file.data(), k_png, sizeof k_png) == 0)
    return {load_be(file.data() + 16, 4), load_be(file.data() + 20, 4)};
  if (file.size() < 4 || file[0] != 0xff || file[1] != 0xd8) refuse(name, "it is neither JPEG nor PNG");
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
        refuse(name, "it is cut short: the end marker of a JPEG is missing");
      return {load_be(file.data() + at + 7, 2), load_be(file.data() + at + 5, 2)};
    }
    if (marker == 0xda || length < 2) break;
    at += 2 + static_cast<std::size_t>(length);
  }
  refuse(name, "its header is damaged");
}

// Loaded with the first picture and never let go.
struct Module {
  decltype(&safe_image_decode) decode = nullptr;
  decltype(&safe_image_encode) encode = nullptr;
};

Module load_module() {
  const std::filesystem::path path =
      std::filesystem::read_symlink("/proc/self/exe").parent_path() / SAFE_IMAGE_MODULE;
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr)
    throw Error(ErrorKind::io, "cannot load the picture decoder (" + std::string(::dlerror()) +
                                   "); it belongs beside the program, and needs libopencv-imgcodecs");
  Module module;
  module.decode = reinterpret_cast<decltype(module.decode)>(::dlsym(handle, "safe_image_decode"));
  module.encode = reinterpret_cast<decltype(module.encode)>(::dlsym(handle, "safe_image_encode"));
  if (module.decode == nullptr || module.encode == nullptr)
    throw Error(ErrorKind::io, path.string() + " is not the picture decoder of this program; build it again");
  return module;
}

const Module& module() {
  static const Module k_module = load_module();
  return k_module;
}

}  // namespace

Picture decode_picture(ByteView file, const std::string& name) {
  const Size size = header_size(file, name);
  if (size.width == 0 || size.height == 0) refuse(name, "it has no pixel");
  if (size.width * size.height > k_picture_limit_pixels)
    refuse(name, "its header promises " + std::to_string(size.width) + " x " + std::to_string(size.height) +
                     " pixels, more than the limit of 67108864");
  Picture picture;
  std::string why;
  if (!module().decode(file, picture, why)) refuse(name, why);
  return picture;
}

Bytes encode_jpeg(const Picture& picture, int quality) {
  Bytes jpeg;
  if (!module().encode(picture, quality, jpeg))
    throw Error(ErrorKind::io, "OpenCV cannot write JPEG; check the installation of libopencv-imgcodecs");
  return jpeg;
}

}  // namespace common
