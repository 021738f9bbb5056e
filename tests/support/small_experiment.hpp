// An experiment of a few rows without a pack: random models, random pictures and sounds as the encoders would
// give them. The same numbers on every device.
#pragma once

#include <string>
#include <vector>

#include "tests/support/tensors.hpp"
#include "trainer/model/llava.hpp"
#include "trainer/model/tokenizer_training.hpp"
#include "trainer/train/experiment.hpp"

namespace support {

inline constexpr std::int64_t k_sound_width = 10;  // D
inline constexpr const char* k_clip_question = "Describe the audio.";

inline trainer::Tokenizer small_tokenizer() {
  trainer::TokenizerTraining training;
  training.phrases = trainer::prompt_phrases();
  training.lines = {"What colour is it? Is it red? How many are there?", "red blue two three yes no",
                    "a dog barks and a bell rings", k_clip_question};
  return trainer::Tokenizer::parse(trainer::train_tokenizer(training), "tokenizer.json");
}

inline trainer::Llava small_llava(const trainer::Tokenizer& tokenizer,
                                  const trainer::Placement& placement = {}) {
  trainer::LlavaConfig c;
  c.vision.hidden = 16;
  c.vision.intermediate = 24;
  c.vision.layers = 2;
  c.vision.heads = 2;
  c.vision.image_side = 12;
  c.vision.patch_side = 4;
  c.text.vocabulary = tokenizer.size();
  c.text.hidden = 24;
  c.text.intermediate = 32;
  c.text.layers = 4;
  c.text.heads = 4;
  c.text.kv_heads = 2;
  c.text.head_width = 6;
  c.image_token = tokenizer.id_of("<image>");
  c.pad_token = tokenizer.id_of("<pad>");
  trainer::Llava base = trainer::Llava::random(c, 3, placement);
  // Embeddings start small; larger ones make attention depend on what it sees.
  for (auto& [name, tensor] : base.parameters())
    if (name.ends_with("embed_tokens.weight") || name.ends_with("lm_head.weight")) tensor.mul_(25);
  return base;
}

inline trainer::ClipGroup small_clips(const trainer::VisionLanguageBase& base,
                                      const trainer::Tokenizer& tokenizer, const std::string& prefix,
                                      std::int64_t count, std::int64_t first_layer) {
  const std::vector<std::string> captions = {"a dog barks", "a bell rings", "a dog barks and a bell rings"};
  const trainer::PromptWriter writer(base, tokenizer);
  trainer::ClipGroup group;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::string name = prefix + std::to_string(i);
    const std::string& caption = captions[static_cast<std::size_t>(i) % captions.size()];
    group.items.push_back(
        {{name, {caption}, common::PackPath("audio/train/" + name + ".wav")},
         i,
         trainer::encode_row(base, writer.with_answer(writer.text_row(k_clip_question), caption), {}, nullptr,
                             first_layer, trainer::Teacher::not_asked)});
  }
  group.vectors = noise({count, k_sound_width}, count).to(base.placement().device);
  return group;
}

// With the base's answers; item i is about image i of `prefixes`, where that is given.
inline std::vector<trainer::QuestionItem> small_questions(const trainer::VisionLanguageBase& base,
                                                          const trainer::Tokenizer& tokenizer,
                                                          std::int64_t count,
                                                          const trainer::RunConfig& config, std::int64_t seed,
                                                          trainer::PrefixStore* prefixes = nullptr) {
  const std::vector<std::pair<std::string, std::string>> asked = {
      {"What colour is it?", "red"}, {"How many are there?", "two"}, {"Is it red?", "yes"}};
  const torch::NoGradGuard frozen;
  const trainer::PromptWriter writer(base, tokenizer);
  const std::int64_t first_layer = config.fusion.layers.front();
  std::vector<trainer::QuestionItem> items;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto& [question, answer] = asked[static_cast<std::size_t>(i) % asked.size()];
    const torch::Tensor pixels =
        noise({1, 3, 12, 12}, seed + i).to(base.placement().device, base.placement().dtype);
    trainer::QuestionItem item;
    item.sample = {seed + i, seed + i,
                   question, std::vector<std::string>(10, answer),
                   answer,   common::PackPath("images/" + std::to_string(seed + i) + ".jpg")};
    const trainer::Row row = writer.with_answer(writer.image_row(question, 0), answer);
    item.head = trainer::embed_head(base, row, base.encode_images(pixels).squeeze(0));
    std::shared_ptr<const trainer::KvCache> prefix;
    torch::Tensor states = item.head.unsqueeze(0);
    if (config.fusion.positions == trainer::FusionPositions::text)
      prefix = std::make_shared<trainer::KvCache>(base.decoder().run_prefix(
          item.head.unsqueeze(0), 0, [&](std::int64_t layer, const torch::Tensor& hidden) {
            if (layer == first_layer) states = hidden;
            return hidden;
          }));
    item.row = trainer::encode_row(base, row, item.head, prefix, first_layer, trainer::Teacher::asked);
    if (prefix && prefixes != nullptr) {
      prefixes->put(i, states, *prefix);
      item.row.prefix = i;
    }
    items.push_back(std::move(item));
  }
  return items;
}

inline trainer::RunConfig small_config(const std::string& variant) {
  trainer::RunConfig config;
  config.variant = variant;
  config.seed = 5;
  config.train_batch_size = 4;
  config.epochs = 3;
  config.projector_rate = config.adapter_rate = 1e-2;
  config.projector = {k_sound_width, 16, 3, 24, trainer::SilenceBaseline::subtract};
  config.fusion.width = 24;
  config.fusion.layers = {1, 2};
  config.retention = trainer::preset_of(variant);
  config.retention.batch_size = 4;
  config.retention.of<trainer::FisherOptions>().every = 2;
  config.retention.of<trainer::FisherOptions>().samples = 4;
  config.retention.of<trainer::NullSpaceOptions>().row_minimum = 4;
  config.evaluation.gate_comparison = trainer::GateComparison::sweep;
  config.evaluation.batch_size = 4;
  config.evaluation.answer_tokens = config.evaluation.caption_tokens = 4;
  config.verbosity = common::Verbosity::quiet;
  return config;
}

inline trainer::Experiment small_experiment(const trainer::RunConfig& config,
                                            const trainer::Placement& placement = {},
                                            trainer::Kept kept = trainer::Kept::keys) {
  trainer::Tokenizer tokenizer = small_tokenizer();
  auto base = std::make_unique<trainer::Llava>(small_llava(tokenizer, placement));
  const std::int64_t first = config.fusion.layers.front();
  trainer::Experiment experiment{std::move(base), std::move(tokenizer), noise({k_sound_width}, 77), {}};
  const auto clips = [&](const char* prefix, std::int64_t count) {
    return small_clips(*experiment.base, experiment.tokenizer, prefix, count, first);
  };
  experiment.train = experiment.memorised = clips("train_", 6);
  experiment.held_out = clips("held_out_", 2);
  for (const trainer::ClipItem& item : experiment.train.items) {
    experiment.train_rows.push_back(item.row);
    experiment.train_clips.push_back(item.clip);
  }
  experiment.validation = small_questions(*experiment.base, experiment.tokenizer, 4, config, 1000);
  experiment.retention_prefixes = trainer::PrefixStore(8, first + 1, kept, {});
  for (trainer::QuestionItem& item : small_questions(*experiment.base, experiment.tokenizer, 8, config, 2000,
                                                     &experiment.retention_prefixes))
    experiment.retention_rows.push_back(std::move(item.row));
  return experiment;
}

}  // namespace support
