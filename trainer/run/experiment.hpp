// A verified pack and a frozen base, opened and encoded once: everything that training and evaluation read.
// Axes: D width of the audio encoder, P features of an image, H width of the language model.
#pragma once

#include <filesystem>
#include <vector>

#include "trainer/data/batch.hpp"
#include "trainer/data/encoders.hpp"
#include "trainer/data/prompt.hpp"
#include "trainer/data/samples.hpp"
#include "trainer/run/config.hpp"

namespace trainer {

// A question with all that is computed of it once.
struct QuestionItem {
  QuestionSample sample;
  torch::Tensor features;  // [P, H]
  EncodedRow row;          // with the majority answer
};

struct ClipItem {
  ClipSample sample;
  std::int64_t clip = 0;  // row of the group's vectors
  EncodedRow row;         // with the first caption
};

struct ClipGroup {
  std::vector<ClipItem> items;
  torch::Tensor vectors;  // [items, D]
};

// Which clips and questions a run trains on and is judged by, in the order of the sources.
struct Selection {
  std::vector<std::int64_t> train_indices;  // into manifest.json, ascending: subset_indices.json
  std::vector<ClipSample> memorised, held_out;
  std::vector<QuestionSample> validation, retention;
  std::vector<ClipSample> train;
};
[[nodiscard]] Selection select_samples(const PackSamples& samples, const RunConfig& config);

struct Experiment {
  Llava base;
  Tokenizer tokenizer;
  torch::Tensor silence;  // [D]
  Selection selection;
  ClipGroup train;                     // every training clip
  std::vector<EncodedRow> train_rows;  // in the order of train.items
  ClipGroup memorised, held_out;       // of the evaluation
  std::vector<QuestionItem> validation;
  std::vector<EncodedRow> retention_rows;
};

struct FeatureCaches {
  FeatureCache clips, images;
};

[[nodiscard]] Experiment open_experiment(const packer::VerifiedPack& pack, const RunConfig& config,
                                         Llava base, Tokenizer tokenizer, const AudioEncoder& audio,
                                         const FeatureCaches& caches, const Compute& compute);

}  // namespace trainer
