#include "trainer/inspect/inspect_model.hpp"

#include <algorithm>
#include <map>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/media/audio.hpp"
#include "common/media/image.hpp"
#include "trainer/data/pixels.hpp"
#include "trainer/formats/find_model.hpp"
#include "trainer/formats/model_form.hpp"
#include "trainer/model/open_model.hpp"
#include "trainer/model/prompt.hpp"
#include "trainer/model/safetensors.hpp"

namespace trainer {
namespace {

using common::Json;

constexpr std::int64_t k_first_values = 8, k_top_tokens = 5;
constexpr std::uint64_t k_clip_limit_bytes = std::uint64_t{1} << 30;

[[noreturn]] void usage(const std::string& message) {
  throw common::Error(common::ErrorKind::usage, message);
}

// The norm in double, so that its digits are those of the values.
Json summarise(const std::string& stage, const torch::Tensor& value) {
  const torch::Tensor flat = value.detach().to(torch::kCPU, torch::kFloat64).reshape({-1});
  const torch::Tensor first = flat.slice(0, 0, k_first_values).contiguous();
  return {{"stage", stage},
          {"shape", value.sizes().vec()},
          {"mean", flat.mean().item<double>()},
          {"norm", flat.norm().item<double>()},
          {"first", std::vector<double>(first.data_ptr<double>(), first.data_ptr<double>() + first.numel())}};
}

Json describe_weights(const ModelFolder& folder) {
  const SafetensorsFolder weights(folder);
  std::int64_t parameters = 0;
  std::map<std::string, std::int64_t> stored;
  for (const std::string& name : weights.names()) {
    const TensorEntry& entry = weights.entry(name);
    if (!is_floating(entry.type)) continue;
    std::int64_t count = 1;
    for (const std::int64_t side : entry.shape) count *= side;
    parameters += count;
    stored[name_of(entry.type)] += count;
  }
  return {{"parameters", parameters}, {"stored_as", stored}, {"tensors", weights.names().size()}};
}

Json token_list(const Tokenizer& tokenizer, const TokenIds& ids) {
  Json pieces = Json::array();
  for (const std::int64_t id : ids) pieces.push_back(id < tokenizer.size() ? tokenizer.piece(id) : "");
  return {{"ids", ids}, {"pieces", pieces}};
}

Json text_entry(const Tokenizer& tokenizer, const std::string& text) {
  const TokenIds ids = tokenizer.encode(text);
  Json entry = {{"text", text}, {"decoded", tokenizer.decode(ids)}};
  entry.update(token_list(tokenizer, ids));
  return entry;
}

Json top_of(const Tokenizer& tokenizer, const torch::Tensor& logits) {
  const auto [values, ids] = logits.to(torch::kCPU).topk(std::min(k_top_tokens, logits.size(0)));
  Json top = Json::array();
  for (std::int64_t i = 0; i < ids.size(0); ++i) {
    const auto id = ids[i].item<std::int64_t>();
    top.push_back({{"id", id},
                   {"piece", id < tokenizer.size() ? tokenizer.piece(id) : ""},
                   {"logit", values[i].item<double>()}});
  }
  return top;
}

// Mean negative log-likelihood of the answer and </s>.
double likelihood_of(const VisionLanguageBase& base, const Row& row, const torch::Tensor& features) {
  const torch::Tensor ids = index_on(base.placement().device, row.ids).unsqueeze(0);
  const torch::Tensor valid = torch::ones_like(ids).to(torch::kBool);
  const Decoder& decoder = base.decoder();
  const torch::Tensor hidden =
      decoder.run_layers(base.embed(ids, features), 0, decoder.layers(), decoder.context(valid));
  const auto length = static_cast<std::int64_t>(row.ids.size());
  const torch::Tensor log_p =
      torch::log_softmax(decoder.logits(hidden[0].slice(0, row.answer_begin - 1, length - 1)), -1);
  const torch::Tensor said = ids[0].slice(0, row.answer_begin, length).unsqueeze(1);
  return -log_p.gather(1, said).mean().item<double>();
}

void ask_picture(const InspectRequest& request, const ModelFolder& folder, const Tokenizer& tokenizer,
                 Json& result) {
  const PixelsConfig config = load_pixels_config(folder);
  const common::Picture picture = common::decode_picture(
      common::read_file(*request.image, common::k_picture_limit_bytes), request.image->string());
  const std::unique_ptr<VisionLanguageBase> base =
      open_base(folder, placement_for(request.device, request.dtype));
  const PromptWriter writer(*base, tokenizer, request.prompt, folder.path_of("tokenizer.json").string());
  const std::string question = request.texts.empty() ? "What is this?" : request.texts.front();
  const Row row = writer.image_row(question, 0);
  result["prompt"] = {{"text", writer.image_prompt(question)}};
  result["prompt"].update(token_list(tokenizer, tokenizer.encode(writer.image_prompt(question))));

  Json stages = Json::array();
  const Tap tap = [&](const std::string& stage, const torch::Tensor& value) {
    stages.push_back(summarise(stage, value.squeeze(0)));
  };
  const Placement& placement = base->placement();
  const torch::Tensor pixels = pixels_of(picture, config).unsqueeze(0);
  tap("pixels", pixels);
  const torch::Tensor features = base->encode_images(pixels.to(placement.device, placement.dtype), tap);
  const torch::Tensor ids = index_on(placement.device, row.ids).unsqueeze(0);
  const torch::Tensor hidden = base->embed(ids, features);
  tap("embedded", hidden);
  const Decoder& decoder = base->decoder();
  const torch::Tensor valid = torch::ones_like(ids).to(torch::kBool);
  const torch::Tensor last = decoder.run_layers(hidden, 0, decoder.layers(), decoder.context(valid),
                                                [&](std::int64_t layer, const torch::Tensor& state) {
                                                  tap("layer " + std::to_string(layer), state);
                                                  return state;
                                                });
  const torch::Tensor logits = decoder.logits(last[0][last.size(1) - 1]);
  stages.push_back(summarise("logits", logits));
  result["stages"] = std::move(stages);
  result["top"] = top_of(tokenizer, logits);
  const TokenIds said = generate(decoder, base->tokens().eos, hidden, valid, request.token_limit).front();
  result["said"] = token_list(tokenizer, said);
  result["said"]["text"] = tokenizer.decode(said);
  if (request.answer)
    result["answer"] = {{"text", *request.answer},
                        {"nll", likelihood_of(*base, writer.with_answer(row, *request.answer), features)}};
}

void inspect_base(const InspectRequest& request, const ModelFolder& folder, Json& result) {
  if (request.clip)
    usage("--clip is for an audio encoder, and " + folder.path().string() + " is a language model");
  const BaseShape shape = read_base_shape(folder);
  result["kind"] = "vision-language model";
  result["decoder"] = {
      {"layers", shape.decoder.layers}, {"width", shape.decoder.hidden}, {"heads", shape.decoder.heads}};
  result["image"] = {{"side", shape.image_side}, {"token", shape.image_token}};
  const Tokenizer tokenizer = Tokenizer::load(folder);
  require_image_token(tokenizer, shape.image_token, folder.path_of("tokenizer.json").string());
  for (const std::string& text : request.texts) result["texts"].push_back(text_entry(tokenizer, text));
  if (request.image) ask_picture(request, folder, tokenizer, result);
}

void hear_clip(const InspectRequest& request, const ModelFolder& folder, Json& result) {
  const Placement placement = {torch::kFloat32, placement_for(request.device, DtypeChoice::float32).device};
  const std::unique_ptr<AudioEncoder> encoder = open_audio_encoder(folder, placement);
  const common::Waveform sound =
      common::decode_audio(common::read_file(*request.clip, k_clip_limit_bytes), request.clip->string());
  const std::vector<float> samples = common::to_mono(sound, encoder->rate_hz());
  if (samples.empty())
    throw common::Error(common::ErrorKind::mismatch,
                        request.clip->string() + " has no sample at the encoder's rate; take a longer clip");
  Json stages = Json::array();
  const torch::Tensor prepared = encoder->prepare(samples);
  stages.push_back(summarise("log-mel", prepared));
  const torch::Tensor vectors =
      encoder->encode(prepared, [&](const std::string& stage, const torch::Tensor& value) {
        stages.push_back(summarise(stage, value.squeeze(0)));
      });
  stages.push_back(summarise("embedding", vectors[0]));
  result["stages"] = std::move(stages);
  const torch::Tensor one = vectors[0].contiguous();
  result["embedding"] = std::vector<float>(one.data_ptr<float>(), one.data_ptr<float>() + one.numel());
}

void inspect_encoder(const InspectRequest& request, const ModelFolder& folder, Json& result) {
  if (request.image || !request.texts.empty())
    usage("--text and --image are for a language model, and " + folder.path().string() +
          " is an audio encoder; give --clip");
  result["kind"] = "audio encoder";
  if (request.clip) hear_clip(request, folder, result);
}

}  // namespace

Json inspect_model(const InspectRequest& request) {
  const torch::NoGradGuard frozen;
  const ModelFolder folder(find_model(request.model, hub_caches()));
  const ModelKind kind = kind_of(folder);
  Json result = {{"model", folder.path().string()}};
  result.update(describe_weights(folder));
  if (kind == ModelKind::vision_language)
    inspect_base(request, folder, result);
  else
    inspect_encoder(request, folder, result);
  if (request.image || request.clip) result["digest"] = folder.digest().hex();
  return result;
}

}  // namespace trainer
