#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "common/error.hpp"
#include "packer/leaks/vision.hpp"

namespace support {

// Nothing where the program was built without OpenCV.
inline const packer::Vision* vision() {
  static const std::optional<packer::Vision> k_vision = []() -> std::optional<packer::Vision> {
    try {
      return packer::Vision::load();
    } catch (const common::Error& error) {
      MESSAGE("skipped: " << std::string(error.what()));
      return std::nullopt;
    }
  }();
  return k_vision ? &*k_vision : nullptr;
}

}  // namespace support
