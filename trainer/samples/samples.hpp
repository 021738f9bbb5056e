// What a verified pack holds, as samples. Only a VerifiedPack makes them: there is no way to train on bytes
// that nobody checked. Splits that leak into one another are refused here, whoever built the pack.
#pragma once

#include <string>
#include <vector>

#include "common/path.hpp"
#include "manifest/datasets/scorer.hpp"
#include "packer/check/open.hpp"

namespace trainer {

struct ClipSample {
  std::string clip_id;
  std::vector<std::string> captions;  // at least one; all are learnt, and all are references
  common::PackPath path;
  // Of the clip's data set: what a model is asked about it, and how the answer is scored.
  std::string question{};
  manifest::Scorer scorer = manifest::Scorer::captions;
};

struct QuestionSample {
  std::int64_t question_id = 0;
  std::int64_t image_id = 0;
  std::string question;
  std::vector<std::string> answers;  // of people, usually ten
  std::string majority_answer;
  common::PackPath image;
};

struct PackSamples {
  std::vector<ClipSample> clips;     // manifest.json: learnt by heart
  std::vector<ClipSample> held_out;  // audio_val_manifest.json, or none
  std::vector<QuestionSample> validation, retention, base;
  std::vector<QuestionSample> unlike;      // unlike_manifest.json, or none: retention asks none of these
  std::vector<std::string> base_captions;  // text without sound
  std::string base_question;               // to which these are answers: that of manifest.json's clips
};

[[nodiscard]] PackSamples read_samples(const packer::VerifiedPack& pack);

// A mismatch error where a question of unlike is asked in the same words in retention.
void require_other_words(const PackSamples& samples);

}  // namespace trainer
