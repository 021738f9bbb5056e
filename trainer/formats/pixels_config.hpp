// How a picture becomes the vision tower's pixels, as CLIP's image processor has it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "common/json.hpp"
#include "trainer/formats/model_folder.hpp"

namespace trainer {

// crop is what Hugging Face's processor does; pad is what the original LLaVA-1.5 was trained with: a square
// with the mean colour first, so that nothing is cut off.
enum class Aspect { crop, pad };

struct PixelsConfig {
  std::int64_t resize_side = 224;  // of the shortest side
  std::int64_t crop_side = 224;    // S
  std::array<double, 3> mean = {0.48145466, 0.4578275, 0.40821073};
  std::array<double, 3> deviation = {0.26862954, 0.26130258, 0.27577711};
  double rescale = 1.0 / 255;
  Aspect aspect = Aspect::crop;
};

// A step switched off, another filter than bicubic, or numbers that make no pixels are refused by name.
[[nodiscard]] PixelsConfig parse_pixels_config(const common::Json& config, const std::string& name);
// From preprocessor_config.json, or the image_processor of processor_config.json.
[[nodiscard]] PixelsConfig load_pixels_config(const ModelFolder& folder);
[[nodiscard]] common::Json format_pixels_config(const PixelsConfig& config);

}  // namespace trainer
