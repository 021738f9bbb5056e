#include "packer/leaks/vision.hpp"

#include <dlfcn.h>

#include <string>
#include <system_error>

#include "common/error.hpp"
#include "common/file.hpp"
#include "packer/leaks/elf_file.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

constexpr const char* k_module_name = "libsafe-vision.so";
constexpr std::uint64_t k_module_limit_bytes = 64U << 20;  // a thousand times what it has

[[noreturn]] void refuse_module(const std::string& why, const std::string& remedy) {
  throw Error(ErrorKind::io, "pictures and sounds are compared by OpenCV, through " +
                                 std::string(k_module_name) + ", and " + why + "; " + remedy);
}

fs::path module_path() {
  std::error_code failure;
  const fs::path program = fs::read_symlink("/proc/self/exe", failure);
  if (failure) refuse_module("/proc/self/exe, by which it is found, cannot be read", "mount /proc");
  const fs::path folder = program.parent_path();
  for (const fs::path& path : {folder / k_module_name, folder.parent_path() / "lib" / k_module_name})
    if (fs::exists(path, failure)) return path;
  refuse_module("that is neither beside the program (" + folder.string() + ") nor in ../lib",
                "install OpenCV (apt install libopencv-imgproc-dev), then configure and build again");
}

const VisionInterface* interface_of_module() {
  const fs::path path = module_path();
  const std::string bytes = common::read_text(path, k_module_limit_bytes);
  if (const auto damage = damage_of_elf(common::view_of(bytes)))
    refuse_module(path.string() + " cannot be loaded: it is " + *damage, "build or install it again");
  void* const module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr)
    refuse_module("that cannot be loaded: " + std::string(::dlerror()),
                  "install OpenCV (apt install libopencv-imgproc406), or build again");
  using Entry = const VisionInterface* (*)();
  const auto entry = reinterpret_cast<Entry>(::dlsym(module, k_vision_entry));
  const VisionInterface* const found = entry == nullptr ? nullptr : entry();
  if (found == nullptr || found->version != k_vision_version)
    refuse_module(path.string() + " belongs to another version of the program", "build both again");
  return found;
}

}  // namespace

Vision Vision::load() {
  static const VisionInterface* const k_module = interface_of_module();
  return Vision(*k_module);
}

PictureMark Vision::mark(const common::Picture& picture) const {
  PictureMark mark{};
  char error[512] = "";
  if (module_->mark_picture(picture.pixels.data(), picture.width, picture.height, &mark, error,
                            sizeof error) != 0)
    throw Error(ErrorKind::io, "OpenCV cannot make a picture small: " + std::string(error));
  return mark;
}

std::vector<float> Vision::levels(const std::vector<float>& samples) const {
  std::vector<float> levels(sound_frames(samples.size()) * k_bands);
  char error[512] = "";
  if (module_->measure_sound(samples.data(), samples.size(), levels.data(), error, sizeof error) != 0)
    throw Error(ErrorKind::io, "OpenCV cannot transform a sound: " + std::string(error));
  return levels;
}

}  // namespace packer
