#include "packer/vision/module.hpp"

#include <cstdio>
#include <exception>

#include "packer/vision/picture.hpp"
#include "packer/vision/sound.hpp"

namespace packer::vision {
namespace {

// No exception crosses into the program, which may have been built by another compiler.
template <typename Work>
int guarded(char* error, std::size_t error_bytes, const Work& work) {
  try {
    work();
    return 0;
  } catch (const std::exception& failure) {
    std::snprintf(error, error_bytes, "%s", failure.what());
  } catch (...) {
    std::snprintf(error, error_bytes, "OpenCV failed without a reason");
  }
  return 1;
}

int picture(const std::uint8_t* pixels, int width, int height, PictureMark* mark, char* error,
            std::size_t error_bytes) {
  return guarded(error, error_bytes, [&] {
    // OpenCV has no type for pixels that it only reads.
    const cv::Mat whole(height, width, CV_8UC3, const_cast<std::uint8_t*>(pixels));
    mark_picture(whole, *mark);
  });
}

int sound(const float* samples, std::size_t count, float* levels, char* error, std::size_t error_bytes) {
  return guarded(error, error_bytes, [&] { measure_sound(samples, count, levels); });
}

}  // namespace
}  // namespace packer::vision

const packer::VisionInterface* safe_vision() {
  static const packer::VisionInterface k_interface = [] {
    // The program has threads of its own, one for each picture.
    cv::setNumThreads(1);
    return packer::VisionInterface{packer::k_vision_version, &packer::vision::picture,
                                   &packer::vision::sound};
  }();
  return &k_interface;
}
