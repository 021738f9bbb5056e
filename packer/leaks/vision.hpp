// The module of OpenCV, loaded when it is first asked for: whatever needs no pictures compared starts without
// it, and runs where OpenCV is not installed.
#pragma once

#include <filesystem>
#include <vector>

#include "common/media/image.hpp"
#include "packer/leaks/vision_interface.hpp"

namespace packer {

class Vision {
 public:
  // Beside the running program, or in ../lib; it stays loaded. Throws io, with what to install, where it is
  // absent, does not load, or belongs to another version of the program.
  [[nodiscard]] static Vision load();

  // Safe from many threads.
  [[nodiscard]] PictureMark mark(const common::Picture& picture) const;
  // `samples` of k_sound_rate_hz; gives [sound_frames(samples.size()) * k_bands], dB.
  [[nodiscard]] std::vector<float> levels(const std::vector<float>& samples) const;

 private:
  explicit Vision(const VisionInterface& module) : module_(&module) {}
  const VisionInterface* module_;
};

}  // namespace packer
