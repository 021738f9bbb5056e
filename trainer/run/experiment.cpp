#include "trainer/run/experiment.hpp"

#include <algorithm>
#include <numeric>

#include "common/error.hpp"
#include "common/random.hpp"

namespace trainer {
namespace {

template <typename T>
std::vector<T> first_of(const std::vector<T>& items, std::int64_t count) {
  const auto keep = std::min(static_cast<std::int64_t>(items.size()), std::max<std::int64_t>(count, 0));
  return {items.begin(), items.begin() + keep};
}

ClipGroup encode_clips(const packer::VerifiedPack& pack, const AudioEncoder& audio, const FeatureCache& cache,
                       const Llava& base, const PromptWriter& writer, const std::vector<ClipSample>& clips,
                       std::int64_t first_layer, const Compute& compute, common::Progress& progress) {
  ClipGroup group;
  group.items.resize(clips.size());
  std::vector<torch::Tensor> vectors(clips.size());
  compute.for_each(clips.size(), [&](std::size_t i) {
    const Row row = writer.with_answer(writer.text_row(k_audio_question), clips[i].captions.front());
    group.items[i] = {clips[i], static_cast<std::int64_t>(i), encode_row(base, row, {}, first_layer)};
    vectors[i] = audio.encode(pack, clips[i].path, cache);
    progress.add(1);
  });
  group.vectors = vectors.empty() ? torch::zeros({0, audio.width()}) : torch::stack(vectors);
  return group;
}

// The clips of `wanted`, taken from what is encoded already.
ClipGroup pick(const ClipGroup& all, const std::vector<ClipSample>& wanted) {
  ClipGroup group;
  std::vector<std::int64_t> rows;
  for (const ClipSample& clip : wanted) {
    const auto found = std::find_if(all.items.begin(), all.items.end(), [&](const ClipItem& item) {
      return item.sample.youtube_id == clip.youtube_id;
    });
    ENSURE(found != all.items.end());
    rows.push_back(found->clip);
    group.items.push_back(*found);
    group.items.back().clip = static_cast<std::int64_t>(rows.size()) - 1;
  }
  group.vectors = rows.empty() ? torch::zeros({0, all.vectors.size(1)})
                               : all.vectors.index_select(0, torch::tensor(rows, torch::kLong));
  return group;
}

void refuse_wrong_layers(const RunConfig& config, const Llava& base) {
  for (const std::int64_t layer : config.fusion.layers)
    if (layer < 0 || layer >= base.decoder().layers())
      throw common::Error(common::ErrorKind::usage,
                          "--model-config " + config.model_config + " fuses at decoder layer " +
                              std::to_string(layer) + " and the base has " +
                              std::to_string(base.decoder().layers()) +
                              " layers; choose another --model-config or another --base");
}

}  // namespace

Selection select_samples(const PackSamples& samples, const RunConfig& config) {
  Selection chosen;
  const auto clips = static_cast<std::int64_t>(samples.clips.size());
  const std::int64_t train = config.subset_size > 0 ? std::min(config.subset_size, clips) : clips;
  chosen.train_indices.resize(static_cast<std::size_t>(train));
  std::iota(chosen.train_indices.begin(), chosen.train_indices.end(), 0);
  chosen.train = first_of(samples.clips, train);
  chosen.retention = samples.retention;
  const std::int64_t size = config.evaluation.size;
  if (config.val_source == "pack_audio") {
    chosen.memorised = first_of(chosen.train, size);
  } else if (config.val_source == "pack_train_audio") {
    chosen.memorised = first_of(chosen.train, std::min<std::int64_t>(size > 0 ? size : 100, 100));
  } else if (config.val_source == "pack_mixed") {
    // The original shuffles the mixture too; here each kind is asked and scored by itself, so order has no
    // effect.
    const std::int64_t total = size > 0 ? size : 100;
    chosen.memorised = first_of(chosen.train, total / 2);
    chosen.validation = first_of(samples.validation, total - total / 2);
    chosen.held_out = samples.held_out;
  } else {
    chosen.validation = size > 0 ? first_of(samples.validation, size) : samples.validation;
    chosen.memorised = chosen.train;
    chosen.held_out = samples.held_out;
  }
  return chosen;
}

Experiment open_experiment(const packer::VerifiedPack& pack, const RunConfig& config, Llava base,
                           Tokenizer tokenizer, const AudioEncoder& audio, const FeatureCaches& caches,
                           const Compute& compute) {
  refuse_wrong_layers(config, base);
  const PackSamples samples = read_samples(pack);
  Experiment experiment{std::move(base),
                        std::move(tokenizer),
                        audio.silence(),
                        select_samples(samples, config),
                        {},
                        {},
                        {},
                        {},
                        {},
                        {}};
  const Llava& model = experiment.base;
  const Selection& chosen = experiment.selection;
  const PromptWriter writer(model, experiment.tokenizer);
  const std::int64_t first_layer = config.fusion.layers.front();
  common::Progress progress(
      "encoding", "items",
      chosen.train.size() + chosen.held_out.size() + chosen.validation.size() + chosen.retention.size(),
      config.verbosity);
  experiment.train =
      encode_clips(pack, audio, caches.clips, model, writer, chosen.train, first_layer, compute, progress);
  experiment.memorised = pick(experiment.train, chosen.memorised);
  experiment.held_out =
      encode_clips(pack, audio, caches.clips, model, writer, chosen.held_out, first_layer, compute, progress);
  for (const ClipItem& item : experiment.train.items) experiment.train_rows.push_back(item.row);
  const PixelsConfig pixels = load_pixels_config(config.base);
  const auto question_row = [&](const QuestionSample& question, const torch::Tensor& features) {
    progress.add(1);
    return encode_row(model,
                      writer.with_answer(writer.image_row(question.question, 0), question.majority_answer),
                      features, first_layer);
  };
  const std::vector<torch::Tensor> validation =
      encode_images(pack, model, pixels, chosen.validation, caches.images, compute);
  experiment.validation.resize(validation.size());
  compute.for_each(validation.size(), [&](std::size_t i) {
    experiment.validation[i] = {chosen.validation[i], validation[i],
                                question_row(chosen.validation[i], validation[i])};
  });
  const std::vector<torch::Tensor> retention =
      encode_images(pack, model, pixels, chosen.retention, caches.images, compute);
  experiment.retention_rows.resize(retention.size());
  compute.for_each(retention.size(), [&](std::size_t i) {
    experiment.retention_rows[i] = question_row(chosen.retention[i], retention[i]);
  });
  return experiment;
}

}  // namespace trainer
