// The numbers of the tiny base, and its calibrated audio tower.
#pragma once

#include "trainer/data/pixels.hpp"
#include "trainer/model/clap.hpp"
#include "trainer/model/llava.hpp"
#include "trainer/model/log_mel.hpp"

namespace trainer {

// The language model is `width` wide, a multiple of 8, and 2 1/3 times that inside its MLPs; the picture
// tower is the same for every width.
[[nodiscard]] LlavaConfig tiny_llava_config(std::int64_t width, std::int64_t vocabulary,
                                            std::int64_t image_token, std::int64_t pad_token);
// Drawn by seed, with starts that suit a few thousand steps: what a token is and where a patch lies start as
// loud as what the layers add, instead of fifty times quieter, and the layers' outputs are scaled down with
// their number.
[[nodiscard]] Llava make_tiny_llava(const LlavaConfig& config, std::int64_t seed);
[[nodiscard]] PixelsConfig tiny_pixels_config();
[[nodiscard]] ClapConfig tiny_clap_config();
[[nodiscard]] LogMelConfig tiny_log_mel_config();

// Drawn by seed; its batch norm and its projection are set from generated sounds, so that the vectors of
// different sounds spread out instead of sharing one large common part, as those of an untrained tower do.
[[nodiscard]] Clap make_tiny_clap(std::int64_t seed);

}  // namespace trainer
