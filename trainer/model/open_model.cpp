#include "trainer/model/open_model.hpp"

#include <algorithm>

#include "trainer/formats/clap_config.hpp"
#include "trainer/formats/config_reader.hpp"
#include "trainer/formats/model_form.hpp"
#include "trainer/model/clap_encoder.hpp"
#include "trainer/model/llava.hpp"
#include "trainer/model/safetensors.hpp"

namespace trainer {

ModelKind kind_of(const ModelFolder& folder) {
  const common::Json config = read_model_config(folder);
  const ConfigReader reader(config, folder.path_of(k_model_config_name).string());
  const std::string type = reader.string("model_type", "(none)");
  if (type == "llava") return ModelKind::vision_language;
  if (type == "clap" || type == "clap_audio_model") return ModelKind::audio;
  reader.refuse("model_type " + type + " is not supported; llava and clap are");
}

BaseShape read_base_shape(const ModelFolder& folder) {
  const std::string name = folder.path_of(k_model_config_name).string();
  const LlavaConfig config = parse_llava_config(read_model_config(folder), name);
  check(config, name);
  return {config.text, config.vision.image_side, config.image_token, config.image_positions()};
}

std::int64_t read_audio_width(const ModelFolder& folder) {
  return parse_clap_config(read_model_config(folder), folder.path_of(k_model_config_name).string())
      .projection;
}

WeightSizes read_weight_sizes(const ModelFolder& folder, ModelKind kind) {
  const SafetensorsFolder weights(folder);
  WeightSizes sizes;
  for (const std::string& name : weights.names()) {
    // Of CLAP no name is left out: its text tower, where there is one, is small.
    if (kind == ModelKind::vision_language && canonical_llava_name(name).empty()) continue;
    const TensorEntry& entry = weights.entry(name);
    std::uint64_t one = 1;
    for (const std::int64_t side : entry.shape) one *= static_cast<std::uint64_t>(side);
    sizes.parameters += one;
    sizes.largest_bytes = std::max(sizes.largest_bytes, entry.end - entry.begin);
  }
  return sizes;
}

std::unique_ptr<VisionLanguageBase> open_base(const ModelFolder& folder, const Placement& placement) {
  return std::make_unique<Llava>(Llava::load(folder, placement));
}

std::unique_ptr<AudioEncoder> open_audio_encoder(const ModelFolder& folder, const Placement& placement) {
  return std::make_unique<ClapEncoder>(ClapEncoder::load(folder, placement));
}

}  // namespace trainer
