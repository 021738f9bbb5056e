// What a run hears and sees with: the base and the audio encoder, found, checked and opened.
#pragma once

#include <memory>
#include <string>

#include "trainer/formats/pixels_config.hpp"
#include "trainer/formats/tokenizer.hpp"
#include "trainer/model/audio_encoder.hpp"
#include "trainer/model/vision_language_base.hpp"
#include "trainer/train/config.hpp"

namespace trainer {

// As config.base and config.audio_encoder have them.
struct FrozenModels {
  Placement placement;
  std::unique_ptr<VisionLanguageBase> base;
  Tokenizer tokenizer;
  PixelsConfig pixels;
  std::unique_ptr<AudioEncoder> audio;
  // Of the bytes that these were made of.
  std::string base_digest, audio_encoder_digest;
};

// Sets config.base and config.audio_encoder to the folders that they name (trainer/formats/find_model.hpp),
// and what `config` takes from the base: widths, and heads where none were asked for. Where one of the two is
// no model: an io error with the command that makes or downloads one. What their small files tell does not
// fit together is refused too: no weight is read for it.
void find_models(RunConfig& config);
// After find_models.
[[nodiscard]] FrozenModels open_models(RunConfig& config);

}  // namespace trainer
