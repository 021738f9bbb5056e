// Which models there are. A folder is opened by the model_type in its config.json; trainer/model/README.md
// lists them and says how one is added. Any other is a format error.
#pragma once

#include <cstdint>
#include <memory>

#include "trainer/formats/model_folder.hpp"
#include "trainer/model/audio_encoder.hpp"
#include "trainer/model/vision_language_base.hpp"

namespace trainer {

enum class ModelKind { vision_language, audio };
[[nodiscard]] ModelKind kind_of(const ModelFolder& folder);

// What config.json alone says of a base: enough to refuse a run before 26 GB are read.
struct BaseShape {
  std::int64_t width = 0, layers = 0, heads = 0;  // of the decoder
  std::int64_t image_side = 0, image_token = 0;
};
[[nodiscard]] BaseShape read_base_shape(const ModelFolder& folder);

[[nodiscard]] std::unique_ptr<VisionLanguageBase> open_base(const ModelFolder& folder,
                                                            const Placement& placement);
[[nodiscard]] std::unique_ptr<AudioEncoder> open_audio_encoder(const ModelFolder& folder,
                                                               const Placement& placement);

}  // namespace trainer
