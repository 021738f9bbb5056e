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
  DecoderConfig decoder;
  std::int64_t image_side = 0, image_token = 0;
  std::int64_t image_positions = 0;  // P, of every picture
};
[[nodiscard]] BaseShape read_base_shape(const ModelFolder& folder);
// D, the width of what an audio encoder gives.
[[nodiscard]] std::int64_t read_audio_width(const ModelFolder& folder);

// What the headers of a folder's weights say of those that are read.
struct WeightSizes {
  std::uint64_t parameters = 0;
  std::uint64_t largest_bytes = 0;  // of a tensor as it is stored
};
[[nodiscard]] WeightSizes read_weight_sizes(const ModelFolder& folder, ModelKind kind);

[[nodiscard]] std::unique_ptr<VisionLanguageBase> open_base(const ModelFolder& folder,
                                                            const Placement& placement);
[[nodiscard]] std::unique_ptr<AudioEncoder> open_audio_encoder(const ModelFolder& folder,
                                                               const Placement& placement);

}  // namespace trainer
