// The numbers of the tiny base, and its calibrated audio tower.
#pragma once

#include "trainer/data/log_mel.hpp"
#include "trainer/data/pixels.hpp"
#include "trainer/model/clap.hpp"
#include "trainer/model/llava_config.hpp"

namespace trainer {

[[nodiscard]] LlavaConfig tiny_llava_config(std::int64_t vocabulary, std::int64_t image_token,
                                            std::int64_t pad_token);
[[nodiscard]] PixelsConfig tiny_pixels_config();
[[nodiscard]] ClapConfig tiny_clap_config();
[[nodiscard]] LogMelConfig tiny_log_mel_config();

// Drawn by seed; its batch norm and its projection are set from generated sounds, so that the vectors of different
// sounds spread out instead of sharing one large common part, as those of an untrained tower do.
[[nodiscard]] Clap make_tiny_clap(std::int64_t seed);

}  // namespace trainer
