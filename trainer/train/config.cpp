#include "trainer/train/config.hpp"

#include <ATen/detail/CUDAHooksInterface.h>

#include <algorithm>

#include "common/error.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/train/git_commit.hpp"

namespace trainer {
namespace {

std::int64_t limited(std::int64_t count, std::int64_t own_batches, std::int64_t all_batches,
                     std::int64_t batch_size) {
  if (own_batches > 0) count = std::min(count, own_batches * batch_size);
  if (all_batches > 0) count = std::min(count, all_batches * batch_size);
  return count;
}

const char* text_of(GateComparison value) { return value == GateComparison::sweep ? "sweep" : "none"; }
const char* text_of(FusionPositions value) { return value == FusionPositions::text ? "text" : "all"; }
const char* text_of(SilenceBaseline value) {
  return value == SilenceBaseline::subtract ? "subtract" : "keep";
}

common::Json limit_or_null(std::int64_t batches) {
  return batches > 0 ? common::Json(batches) : common::Json(nullptr);
}

// The keys of the Python original's config.json, in its order.
void append_original_keys(const RunConfig& c, common::Json& json) {
  const RetentionConfig& r = c.retention;
  const NullSpaceOptions& space = r.of<NullSpaceOptions>();
  const auto of_space = [&](std::int64_t value) {
    return space.is_on() ? common::Json(value) : common::Json(nullptr);
  };
  json["variant"] = c.variant;
  json["subset_size"] = c.subset_size;
  json["seed"] = c.seed;
  json["train_source"] = c.train_source;
  json["val_source"] = c.val_source;
  json["train_batch_size"] = c.train_batch_size;
  if (c.gradient_accumulation > 1) json[k_accumulation] = c.gradient_accumulation;
  json["val_batch_size"] = c.evaluation.batch_size;
  json["num_epochs"] = c.epochs;
  json["learning_rate_projector"] = c.projector_rate;
  json["learning_rate_adapter"] = c.adapter_rate;
  json["fisher_weight"] = r.of<FisherOptions>().weight;
  json["retention_loss_weight"] = any_on(r) ? 1.0 : 0.0;
  json["distillation_weight"] = r.of<KlOptions>().weight;
  json["enable_null_space"] = space.is_on();
  json["null_space_rank"] = of_space(space.rank_limit);
  json["null_space_min_samples"] = of_space(space.row_minimum);
  // Only a gradient's subspace expires; the others are built once.
  json["null_space_refresh_interval"] =
      space.placement == NullSpacePlacement::gradient ? common::Json(space.refresh) : common::Json(nullptr);
  json["max_eval_batches"] = limit_or_null(c.evaluation.max_batches);
  json["max_audio_eval_batches"] = c.evaluation.max_audio_batches;
  json["max_vl_eval_batches"] = c.evaluation.max_vl_batches;
  json["eval_with_audio_gate"] = c.evaluation.audio_gate == AudioGate::on;
  json["eval_audio_gate_comparison"] = c.evaluation.gate_comparison == GateComparison::sweep;
  json["train_accuracy_interval"] = c.accuracy_every;
  json["train_accuracy_warmup"] = c.accuracy_first;
  json["train_eval_batches"] = c.evaluation.train_batches;
  json["generation_max_new_tokens"] = c.evaluation.answer_tokens;
  json["audio_generation_max_new_tokens"] = c.evaluation.caption_tokens;
}

}  // namespace

std::int64_t EvaluationConfig::questions_of(std::int64_t count) const {
  return limited(count, max_vl_batches, max_batches, batch_size);
}

std::int64_t EvaluationConfig::clips_of(std::int64_t count) const {
  return limited(count, max_audio_batches, max_batches, batch_size);
}

void apply_model_config(RunConfig& config) {
  if (config.model_config == "tiny") {
    config.projector.tokens = 4;
    config.projector.bottleneck = 128;
    config.fusion.layers = {1, 2};
    config.fusion.heads = 4;
    config.fusion.rank = 0;
    return;
  }
  // The Python original's table of model configurations. Its heads are those of the base that it names.
  config.fusion.heads = 0;
  config.fusion.rank = 8;
  config.projector.bottleneck = 1024;
  if (config.model_config == "demo") {
    config.projector.tokens = 8;
    config.projector.bottleneck = 640;
    config.fusion.layers = {6, 16, 24};
  } else if (config.model_config == "full") {
    config.projector.tokens = 16;
    config.fusion.layers = {6, 12, 24};
  } else if (config.model_config == "phase1") {
    config.projector.tokens = 32;
    config.fusion.layers = {4, 8, 12, 16, 20, 24, 28, 32, 36};
    config.fusion.rank = 64;
    config.gradient_accumulation = 32;
  } else {
    config.projector.tokens = 12;
    config.fusion.layers = {15, 25, 35};
    config.fusion.rank = 16;
  }
}

common::Json config_json(const RunConfig& config, const RunInputs& inputs) {
  common::Json json;
  append_original_keys(config, json);
  json["name"] = config.name;
  json["val_size"] = config.evaluation.size;
  json["model_config"] = config.model_config;
  json["pack_id"] = inputs.pack_id;
  json["pack_name"] = inputs.pack_name;
  json["base_digest"] = inputs.base_digest;
  json["audio_encoder_digest"] = inputs.audio_encoder_digest;
  json["projector"] = {{"tokens", config.projector.tokens},
                       {"bottleneck", config.projector.bottleneck},
                       {"silence_baseline", text_of(config.projector.silence_baseline)}};
  json["fusion"] = {{"layers", config.fusion.layers},
                    {"heads", config.fusion.heads},
                    {"rank", config.fusion.rank},
                    {"alpha", config.fusion.alpha},
                    {"positions", text_of(config.fusion.positions)},
                    {k_gate_place, k_gate_before_output},
                    {"gate_scale", config.fusion.gate_scale}};
  if (config.prompt == PromptForm::llava) json[k_prompt] = "llava";  // older runs do not have the key
  json["retention"] = to_json(config.retention);
  if (config.evaluation.caption_beams != 1) json[k_caption_beams] = config.evaluation.caption_beams;
  if (config.evaluation.captions_per_clip != 0)
    json[k_captions_per_clip] = config.evaluation.captions_per_clip;
  json["gate_comparison"] = text_of(config.evaluation.gate_comparison);
  if (config.evaluation.beyond_stream == BeyondStream::ask) json[k_beyond_stream] = k_asked;  // a newer key
  if (config.curve.is_on()) json[k_learning_curve] = to_json(config.curve);
  json["weight_decay"] = config.weight_decay;
  json["gradient_limit"] = config.gradient_limit;
  json["optimiser"] = "AdamW, betas 0.9 and 0.98, epsilon 1e-8";
  json["schedule"] = "linear over min(1000, steps / 10), then cosine to 0";
  json["device"] = inputs.placement.device.str();
  json["dtype"] = text_of(inputs.placement.dtype);
  if (inputs.placement.device.is_cuda()) json["cuda"] = at::detail::getCUDAHooks().showConfig();
  const Arithmetic arithmetic = arithmetic_in_use();
  json[k_arithmetic] = {{"blas", arithmetic.blas}, {"aten", arithmetic.aten}};
  json["torch_version"] = TORCH_VERSION;
  json["safe_packs_version"] = SAFE_VERSION;
  json["git_commit"] = git_commit();
  return json;
}

common::Digest config_digest(const common::Json& config) {
  return common::digest_of(common::dump_line(config));
}

}  // namespace trainer
