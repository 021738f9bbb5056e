#include "trainer/model/open_model.hpp"

#include "trainer/formats/config_reader.hpp"
#include "trainer/formats/model_form.hpp"
#include "trainer/model/clap_encoder.hpp"
#include "trainer/model/llava.hpp"

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
  return {config.text.hidden, config.text.layers, config.text.heads, config.vision.image_side,
          config.image_token};
}

std::unique_ptr<VisionLanguageBase> open_base(const ModelFolder& folder, const Placement& placement) {
  return std::make_unique<Llava>(Llava::load(folder, placement));
}

std::unique_ptr<AudioEncoder> open_audio_encoder(const ModelFolder& folder, const Placement& placement) {
  return std::make_unique<ClapEncoder>(ClapEncoder::load(folder, placement));
}

}  // namespace trainer
