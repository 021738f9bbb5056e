#include "trainer/train/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>

#include "common/error.hpp"
#include "common/terminal.hpp"
#include "trainer/model/compat.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/samples/streams.hpp"
#include "trainer/train/encode_questions.hpp"
#include "trainer/train/sample_rows.hpp"

namespace trainer {
namespace {

template <typename T>
std::vector<T> first_of(const std::vector<T>& items, std::int64_t count) {
  const auto keep = std::min(static_cast<std::int64_t>(items.size()), std::max<std::int64_t>(count, 0));
  return {items.begin(), items.begin() + keep};
}

// 0 is all.
std::int64_t all_or(std::int64_t size) { return size > 0 ? size : std::numeric_limits<std::int64_t>::max(); }

std::vector<QuestionSample> choose_retention(const std::vector<QuestionSample>& all,
                                             const RunConfig& config) {
  const auto count = static_cast<std::int64_t>(all.size()), size = config.retention.questions;
  if (size == 0) return all;
  if (size > count)
    throw common::Error(
        common::ErrorKind::mismatch,
        fmt::format("--retention-size is {} and the pack has {} retention questions; take at most "
                    "that many, or build the pack with a larger retention_manifest.json",
                    size, count));
  std::vector<QuestionSample> chosen;
  for (const std::int64_t i : retention_subset(config.seed, count, size))
    chosen.push_back(all[static_cast<std::size_t>(i)]);
  return chosen;
}

// The others of a clip that is not learnt are references only.
std::vector<ClipSample> with_first_captions(std::vector<ClipSample> clips) {
  for (ClipSample& clip : clips) clip.captions.resize(1);
  return clips;
}

ClipGroup encode_group(const packer::VerifiedPack& pack, const AudioEncoder& audio, const FeatureCache& cache,
                       const VisionLanguageBase& base, const std::vector<std::vector<Row>>& rows,
                       const std::vector<ClipSample>& clips, std::int64_t first_layer, const Compute& compute,
                       common::Progress& progress) {
  ClipGroup group;
  group.items.resize(clips.size());
  std::vector<common::PackPath> paths;
  for (const ClipSample& clip : clips) paths.push_back(clip.path);
  const std::vector<torch::Tensor> vectors = encode_clips(pack, audio, paths, cache, compute, progress);
  compute.for_each(clips.size(), [&](std::size_t i) {
    group.items[i] = {clips[i], static_cast<std::int64_t>(i),
                      encode_row(base, rows[i].front(), {}, nullptr, first_layer, Teacher::not_asked)};
  });
  group.vectors = (vectors.empty() ? torch::zeros({0, audio.width()}) : torch::stack(vectors))
                      .to(base.placement().device);
  return group;
}

// The rows to train on, of all captions of each clip; that of the first one is encoded already.
void encode_captions(const VisionLanguageBase& base, const std::vector<std::vector<Row>>& rows,
                     std::int64_t first_layer, const Compute& compute, Experiment& experiment) {
  std::vector<const Row*> captions;  // null: the first
  for (const ClipItem& item : experiment.train.items)
    for (std::size_t i = 0; i < item.sample.captions.size(); ++i) {
      experiment.train_clips.push_back(item.clip);
      captions.push_back(i == 0 ? nullptr : &rows[static_cast<std::size_t>(item.clip)][i]);
    }
  experiment.train_rows.resize(captions.size());
  compute.for_each(captions.size(), [&](std::size_t i) {
    const ClipItem& item = experiment.train.items[static_cast<std::size_t>(experiment.train_clips[i])];
    experiment.train_rows[i] =
        captions[i] == nullptr ? item.row
                               : encode_row(base, *captions[i], {}, nullptr, first_layer, Teacher::not_asked);
  });
}

// The clips of `wanted`, taken from what is encoded already.
ClipGroup pick(const ClipGroup& all, const std::vector<ClipSample>& wanted) {
  ClipGroup group;
  std::vector<std::int64_t> rows;
  std::map<std::string, const ClipItem*> by_id;
  for (const ClipItem& item : all.items) by_id.emplace(item.sample.clip_id, &item);
  for (const ClipSample& clip : wanted) {
    const auto found = by_id.find(clip.clip_id);
    ENSURE(found != by_id.end());
    rows.push_back(found->second->clip);
    group.items.push_back(*found->second);
    group.items.back().clip = static_cast<std::int64_t>(rows.size()) - 1;
  }
  group.vectors = pick_rows(all.vectors, rows);
  return group;
}

// A set of questions beyond the stream, as rows.
struct AskedSet {
  std::string_view name;
  const std::vector<QuestionSample>* questions;
  std::vector<Row> rows;
};

std::vector<AskedSet> sets_beyond(const PromptWriter& writer, const Selection& selection,
                                  RowProblems& problems) {
  std::vector<AskedSet> sets;
  const auto add = [&](std::string_view name, const std::vector<QuestionSample>& questions, Asking asking) {
    if (!questions.empty())
      sets.push_back({name, &questions, question_rows(writer, questions, problems, asking)});
  };
  add(question_set::k_unlike, selection.unlike, Asking::as_trained);
  add(question_set::k_instruction_moved, selection.validation, Asking::instruction_moved);
  add(question_set::k_no_picture, selection.validation, Asking::no_picture);
  return sets;
}

// Those that this process asks; the others' samples alone.
std::vector<QuestionItem> encode_items(const QuestionScene& scene,
                                       const std::vector<QuestionSample>& questions,
                                       const std::vector<Row>& rows) {
  std::vector<QuestionItem> items(questions.size());
  std::vector<std::size_t> own;
  std::vector<QuestionSample> own_questions;
  std::vector<Row> own_rows;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    items[i].sample = questions[i];
    if (!is_asked_here(scene.compute.group(), scene.config.evaluation.batch_size, i)) continue;
    own.push_back(i);
    own_questions.push_back(questions[i]);
    own_rows.push_back(rows[i]);
  }
  EncodedQuestions encoded = encode_validation(scene, own_questions, own_rows);
  for (std::size_t i = 0; i < own.size(); ++i) {
    items[own[i]].head = std::move(encoded.heads[i]);
    items[own[i]].row = std::move(encoded.rows[i]);
  }
  return items;
}

}  // namespace

std::int64_t count_train_rows(const Selection& selection) {
  std::size_t rows = 0;
  for (const ClipSample& clip : selection.train) rows += clip.captions.size();
  return static_cast<std::int64_t>(rows);
}

Selection select_samples(const PackSamples& samples, const RunConfig& config) {
  Selection chosen;
  const auto clips = static_cast<std::int64_t>(samples.clips.size());
  const std::int64_t train = config.subset_size > 0 ? std::min(config.subset_size, clips) : clips;
  chosen.train_indices.resize(static_cast<std::size_t>(train));
  std::iota(chosen.train_indices.begin(), chosen.train_indices.end(), 0);
  chosen.train = first_of(samples.clips, train);
  chosen.retention = choose_retention(samples.retention, config);
  const std::int64_t size = config.evaluation.size;
  if (config.val_source == "pack_audio") {
    chosen.memorised = first_of(chosen.train, all_or(size));
  } else if (config.val_source == "pack_train_audio") {
    chosen.memorised = first_of(chosen.train, size > 0 ? std::min<std::int64_t>(size, 100) : all_or(size));
  } else if (config.val_source == "pack_mixed") {
    // The original shuffles the mixture too; here each kind is asked and scored by itself, so order has no
    // effect.
    chosen.memorised = first_of(chosen.train, size > 0 ? size / 2 : all_or(size));
    chosen.validation = first_of(samples.validation, size > 0 ? size - size / 2 : all_or(size));
    chosen.held_out = samples.held_out;
  } else {
    chosen.validation = first_of(samples.validation, all_or(size));
    chosen.memorised = chosen.train;
    chosen.held_out = samples.held_out;
  }
  const bool asks_beyond = config.evaluation.beyond_stream == BeyondStream::ask && !chosen.validation.empty();
  if (asks_beyond) {
    require_other_words(samples);
    chosen.unlike = first_of(samples.unlike, all_or(size));
  }
  return chosen;
}

bool is_asked_here(const ProcessGroup& group, std::int64_t batch_size, std::size_t question) {
  return group.takes(question / static_cast<std::size_t>(batch_size));
}

// A build from another commit may encode otherwise, and so may a library, a processor, a type or a number of
// threads that products are divided among.
FeatureCaches open_caches(const RunConfig& config, const common::Json& record, const Placement& placement,
                          const Compute& compute) {
  if (config.feature_cache.empty()) return {};
  std::optional<CacheKey> user;
  try {
    user = CacheKey::open(CacheKey::path_of_user());
  } catch (const common::Error& error) {
    common::print_line(stderr, fmt::format("safe-trainer: no features are kept or used: {}", error.what()));
    return {};
  }
  const auto maker = [&](const char* what, const char* model) {
    common::Json key = {{"what", what}, {"model", record.at(model)}};
    for (const char* part :
         {"device", "cuda", k_arithmetic, "torch_version", "safe_packs_version", "git_commit"})
      if (record.contains(part)) key[part] = record.at(part);
    key["library"] = describe_library();
    key["dtype"] = text_of(placement.dtype);
    key["threads"] = compute.threads_inside();
    return common::digest_of(common::dump_line(key));
  };
  const FeatureCache clips(config.feature_cache, maker("clips", "audio_encoder_digest"), *user);
  return {clips, clips.beside(maker("images", "base_digest"))};
}

common::Json to_json(const FeatureCaches& caches) {
  return {{"used", caches.clips.used() + caches.images.used()},
          {"computed", caches.clips.computed() + caches.images.computed()}};
}

Experiment open_experiment(const packer::VerifiedPack& pack, Selection selection, const RunConfig& config,
                           FrozenModels models, const FeatureCaches& caches, const Compute& compute,
                           std::optional<Kept> kept) {
  const AudioEncoder& audio = *models.audio;
  Experiment experiment{std::move(models.base), std::move(models.tokenizer), encode_silence(audio),
                        std::move(selection)};
  const VisionLanguageBase& model = *experiment.base;
  const Selection& chosen = experiment.selection;
  const PromptWriter writer(model, experiment.tokenizer, config.prompt,
                            (config.base / "tokenizer.json").string());
  RowProblems problems;
  const std::vector<std::vector<Row>> train_rows = caption_rows(writer, chosen.train, problems),
                                      held_out_rows = caption_rows(
                                          writer, with_first_captions(chosen.held_out), problems);
  const std::vector<Row> validation_rows = question_rows(writer, chosen.validation, problems),
                         retention_rows = question_rows(writer, chosen.retention, problems);
  std::vector<AskedSet> beyond;
  if (config.evaluation.beyond_stream == BeyondStream::ask)
    beyond = sets_beyond(writer, experiment.selection, problems);
  problems.refuse_any();
  const std::int64_t first_layer = config.fusion.layers.front();
  std::size_t items =
      chosen.train.size() + chosen.held_out.size() + chosen.validation.size() + chosen.retention.size();
  for (const AskedSet& set : beyond) items += set.rows.size();
  common::Progress progress("encoding", "items", items, config.verbosity);
  experiment.train = encode_group(pack, audio, caches.clips, model, train_rows, chosen.train, first_layer,
                                  compute, progress);
  experiment.memorised = pick(experiment.train, chosen.memorised);
  experiment.held_out = encode_group(pack, audio, caches.clips, model, held_out_rows, chosen.held_out,
                                     first_layer, compute, progress);
  encode_captions(model, train_rows, first_layer, compute, experiment);
  const DiskTensors disk(config.output_root);
  const QuestionScene scene{pack, model, models.pixels, config, caches.images, compute, disk, progress, kept};
  experiment.validation = encode_items(scene, chosen.validation, validation_rows);
  for (const AskedSet& set : beyond)
    experiment.beyond.push_back({set.name, encode_items(scene, *set.questions, set.rows)});
  EncodedQuestions retention = encode_retention(scene, chosen.retention, retention_rows);
  experiment.retention_rows = std::move(retention.rows);
  experiment.retention_prefixes = std::move(retention.prefixes);
  return experiment;
}

}  // namespace trainer
