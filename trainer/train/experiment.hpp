// A verified pack and a frozen base, opened and encoded once: everything that training and evaluation read.
// What is large lies in a file of the run's, and is read where a batch needs it.
// Axes: D width of the audio encoder, F positions up to the end of an image, H width of the language model.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "trainer/data/encoders.hpp"
#include "trainer/model/batch.hpp"
#include "trainer/model/prefix_store.hpp"
#include "trainer/model/prompt.hpp"
#include "trainer/samples/samples.hpp"
#include "trainer/train/config.hpp"
#include "trainer/train/frozen_models.hpp"

namespace trainer {

// A question with all that is computed of it once.
struct QuestionItem {
  QuestionSample sample;
  torch::Tensor head;  // [F, H], the embedded positions up to the end of its image; on the CPU
  EncodedRow row;      // with the majority answer
};

struct ClipItem {
  ClipSample sample;
  std::int64_t clip = 0;  // row of the group's vectors
  EncodedRow row;         // with the first caption
};

struct ClipGroup {
  std::vector<ClipItem> items;
  torch::Tensor vectors;  // [items, D], on the base's device
};

// Which clips and questions a run trains on and is judged by, in the order of the sources.
struct Selection {
  std::vector<std::int64_t> train_indices;  // into manifest.json, ascending: subset_indices.json
  std::vector<ClipSample> memorised, held_out;
  std::vector<QuestionSample> validation, unlike, retention;
  std::vector<ClipSample> train;
};
// Every caption of a training clip is a row of its own, as data sets with five of them are trained on.
[[nodiscard]] std::int64_t count_train_rows(const Selection& selection);
[[nodiscard]] Selection select_samples(const PackSamples& samples, const RunConfig& config);

// Questions beyond the stream, by a name of k_question_sets.
struct QuestionSet {
  std::string_view name;
  std::vector<QuestionItem> items;
};

struct Experiment {
  std::unique_ptr<VisionLanguageBase> base;
  Tokenizer tokenizer;
  torch::Tensor silence;  // [D]
  Selection selection;
  ClipGroup train{};  // every training clip
  // One for each caption of each training clip, in the order of train.items, and the clip of each.
  std::vector<EncodedRow> train_rows{};
  std::vector<std::int64_t> train_clips{};
  ClipGroup memorised{}, held_out{};  // of the evaluation
  std::vector<QuestionItem> validation{};
  std::vector<QuestionSet> beyond{};  // where they are asked
  std::vector<EncodedRow> retention_rows{};
  PrefixStore retention_prefixes{};
};

struct FeatureCaches {
  FeatureCache clips, images;
};
// `record` is the run's config.json: with it and the others all that decides a feature beside the file.
[[nodiscard]] FeatureCaches open_caches(const RunConfig& config, const common::Json& record,
                                        const Placement& placement, const Compute& compute);
// How many were found, and how many made: {"used": n, "computed": n}.
[[nodiscard]] common::Json to_json(const FeatureCaches& caches);

// Whether this process asks the question of that number: they are divided by the batch, so that each encodes
// the pictures of its own only.
[[nodiscard]] bool is_asked_here(const ProcessGroup& group, std::int64_t batch_size, std::size_t question);

// kept: as the run had the prefixes before it was stopped. With MKL keys that are kept and keys that are
// computed again differ in their last bits.
// Of `validation` and `beyond` an item of another process has a sample and no row.
[[nodiscard]] Experiment open_experiment(const packer::VerifiedPack& pack, Selection selection,
                                         const RunConfig& config, FrozenModels models,
                                         const FeatureCaches& caches, const Compute& compute,
                                         std::optional<Kept> kept = std::nullopt);

}  // namespace trainer
