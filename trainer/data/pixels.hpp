// A picture as CLIP's image processor gives it to the vision tower: shortest side resized as Pillow does it,
// centre cut out, scaled, normalised.
#pragma once

#include <array>

#include "common/json.hpp"
#include "common/media/image.hpp"
#include "trainer/model/model_folder.hpp"
#include "trainer/model/tensor.hpp"

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

// preprocessor_config.json; a step switched off or another filter than bicubic is refused by name.
[[nodiscard]] PixelsConfig parse_pixels_config(const common::Json& config, const std::string& name);
[[nodiscard]] PixelsConfig load_pixels_config(const ModelFolder& folder);
[[nodiscard]] common::Json format_pixels_config(const PixelsConfig& config);

// -> [3, S, S], fp32
[[nodiscard]] torch::Tensor pixels_of(const common::Picture& picture, const PixelsConfig& config);

// Pillow's bicubic resize of 8-bit pictures, bit for bit: a = -0.5, widened when shrinking, along rows first
// (as every Pillow up to 12 does; 13 may begin with columns), rounded to 8 bits after each pass, weights in
// 22-bit fixed point (Pillow's src/libImaging/Resample.c).
[[nodiscard]] common::Picture resize_bicubic(const common::Picture& picture, int width, int height);

}  // namespace trainer
