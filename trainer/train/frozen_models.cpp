#include "trainer/train/frozen_models.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "trainer/formats/find_model.hpp"
#include "trainer/formats/model_folder.hpp"
#include "trainer/model/open_model.hpp"
#include "trainer/model/prompt.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

// A link that leads nowhere is there too: whoever reads it says what it is.
bool has_entry(const fs::path& file) { return fs::symlink_status(file).type() != fs::file_type::not_found; }

// A tiny base is two folders, vl/ and audio/ below the one that make-base was given.
void require_model_folder(const fs::path& folder, const std::string& flag, const char* inside,
                          const RunConfig& config) {
  if (has_entry(folder / "config.json") || has_entry(folder / "adapter_config.json")) return;
  if (fs::exists(folder) && !fs::is_directory(folder))
    throw Error(ErrorKind::io, folder.string() + " is a file; " + flag +
                                   " names the folder of a model, with its config.json");
  if (const std::string id = hub_id_of(folder); !id.empty())
    throw Error(ErrorKind::io,
                folder.string() + " is not whole (no config.json); download the rest:\n  hf download " + id);
  if (fs::exists(folder / inside / "config.json"))
    throw Error(ErrorKind::io, folder.string() + " holds no model (no config.json), but " +
                                   (folder / inside).string() + " does; give " + flag + " " +
                                   (folder / inside).string());
  // What make-base would be given to make this very folder.
  const fs::path named = folder.has_filename() ? folder : folder.parent_path();
  const fs::path out = named.filename() != inside ? named
                       : named.has_parent_path()  ? named.parent_path()
                                                  : ".";
  throw Error(ErrorKind::io, folder.string() +
                                 " holds no model (no config.json); make a tiny one with\n  safe-trainer "
                                 "make-base --pack " +
                                 config.pack_root.string() + " --out " + out.string() +
                                 "\nor name a Hugging Face folder with " + flag);
}

// What the base does not allow of the adapter that was asked for.
void refuse_wrong_adapter(const RunConfig& config, const BaseShape& base) {
  if (config.fusion.width % config.fusion.heads != 0)
    throw Error(ErrorKind::usage,
                fmt::format("the adapter has {} heads, which do not divide the base's width of {}; give "
                            "--fusion-heads {}, as many as the base has",
                            config.fusion.heads, config.fusion.width, base.decoder.heads));
  for (const std::int64_t layer : config.fusion.layers)
    if (layer < 0 || layer >= base.decoder.layers)
      throw Error(ErrorKind::usage,
                  fmt::format("the adapter is to be fused at decoder layer {} (--fusion-layers, or "
                              "--model-config {}), and the "
                              "base has {} layers; name others with --fusion-layers, each from 0 to {}",
                              layer, config.model_config, base.decoder.layers, base.decoder.layers - 1));
}

void refuse_wrong_pixels(const PixelsConfig& pixels, const BaseShape& base, const fs::path& folder) {
  if (pixels.crop_side != base.image_side)
    throw Error(
        ErrorKind::mismatch,
        fmt::format("{}: the preprocessor's configuration cuts pictures of {} pixels, and image_size in "
                    "config.json is {}; the two files belong to different models",
                    folder.string(), pixels.crop_side, base.image_side));
}

void require_kind(const ModelFolder& folder, ModelKind kind, const char* flag) {
  if (kind_of(folder) == kind) return;
  throw Error(ErrorKind::usage,
              folder.path().string() +
                  (kind == ModelKind::audio ? " is a language model and no audio encoder; "
                                            : " is an audio encoder and no language model; ") +
                  "check " + flag);
}

void check_models(RunConfig& config) {
  const ModelFolder base(config.base), audio(config.audio_encoder);
  require_kind(base, ModelKind::vision_language, "--base");
  require_kind(audio, ModelKind::audio, "--audio-encoder");
  const BaseShape shape = read_base_shape(base);
  config.projector.width = config.fusion.width = shape.decoder.hidden;
  if (config.fusion.heads == 0) config.fusion.heads = shape.decoder.heads;
  refuse_wrong_adapter(config, shape);
  require_image_token(Tokenizer::load(base), shape.image_token, base.path_of("tokenizer.json").string());
  refuse_wrong_pixels(load_pixels_config(base), shape, config.base);
}

}  // namespace

void find_models(RunConfig& config) {
  config.base = find_model(config.base, hub_caches());
  config.audio_encoder = find_model(config.audio_encoder, hub_caches());
  require_model_folder(config.base, "--base", "vl", config);
  require_model_folder(config.audio_encoder, "--audio-encoder", "audio", config);
  check_models(config);
}

FrozenModels open_models(RunConfig& config) {
  const Placement placement = placement_for(config.device, config.dtype);
  const ModelFolder base(config.base), audio(config.audio_encoder);
  // The smaller one first; and in float32, so that what it hears is the same in every run.
  std::unique_ptr<AudioEncoder> encoder = open_audio_encoder(audio, {torch::kFloat32, placement.device});
  config.projector.audio_width = encoder->width();
  Tokenizer tokenizer = Tokenizer::load(base);
  const PixelsConfig pixels = load_pixels_config(base);
  std::unique_ptr<VisionLanguageBase> opened = open_base(base, placement);
  return {placement,          std::move(opened),   std::move(tokenizer), pixels,
          std::move(encoder), base.digest().hex(), audio.digest().hex()};
}

}  // namespace trainer
