// A picture as CLIP's image processor gives it to the vision tower: shortest side resized as Pillow does it,
// centre cut out, scaled, normalised.
#pragma once

#include "common/media/image.hpp"
#include "trainer/formats/pixels_config.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

// -> [3, S, S], fp32
[[nodiscard]] torch::Tensor pixels_of(const common::Picture& picture, const PixelsConfig& config);

// Pillow's bicubic resize of 8-bit pictures, bit for bit: a = -0.5, widened when shrinking, along rows first
// (as every Pillow up to 12 does; 13 may begin with columns), rounded to 8 bits after each pass, weights in
// 22-bit fixed point (Pillow's src/libImaging/Resample.c).
[[nodiscard]] common::Picture resize_bicubic(const common::Picture& picture, int width, int height);

}  // namespace trainer
