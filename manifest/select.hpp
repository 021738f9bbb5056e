// Which samples: CPython's random.Random(seed).sample over a population in ascending order of ids, or a
// stratified sample of it; either can be repeated in Python. Each function is pure; a population that is too
// small is a mismatch error with both numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "manifest/datasets/data_sets.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/tables/vqa_tables.hpp"

namespace manifest {

// What other splits hold already.
struct Excluded {
  std::unordered_set<std::int64_t> image_ids;
  std::unordered_set<std::int64_t> question_ids;
  std::unordered_set<std::string> clip_ids;
  std::unordered_set<std::string> questions;  // their words, as words_of gives them
};
// Manifests of either kind.
[[nodiscard]] Excluded read_excluded(const std::vector<std::filesystem::path>& manifests);

// A question without what does not change it: ASCII letters small, and no punctuation or double spaces. "What
// colour is it?" and "what colour  is it" are one.
[[nodiscard]] std::string words_of(std::string_view question);
// Adds the words of all questions of these manifests, so that none is asked in them again. A manifest without
// questions is a usage error.
void exclude_words(const std::vector<std::filesystem::path>& manifests, Excluded& excluded);

enum class VqaSplit { val, retention, base, unlike };
enum class Strategy { original, stratified };
[[nodiscard]] const char* name_of(Strategy strategy);

struct QuestionRequest {
  VqaSplit split = VqaSplit::val;
  std::uint64_t subset_size = 0;  // 0: all
  common::Seed seed = 0;
  std::string data_subtype;  // "val2014": the part of the data set that pictures are named by
  Strategy strategy = Strategy::original;
};

struct QuestionChoice {
  VqaManifest manifest;
  std::size_t population = 0;  // questions that could have been chosen
};
// The population is every annotated question of which neither image, question nor words are excluded; entries
// come in ascending order of question_id.
[[nodiscard]] QuestionChoice select_questions(const VqaTables& tables, const QuestionRequest& request,
                                              const Excluded& excluded);

struct ClipRequest {
  std::string split;              // "train": the folder audio/train
  std::uint64_t subset_size = 0;  // 0: all
  common::Seed seed = 0;
  // Whether there is a file for a clip; not asked where it is empty.
  std::function<bool(const ClipEntry& clip)> is_available = {};
  const SoundSet* data_set = &original_sound_set();
};

struct ClipChoice {
  SubsetManifest manifest;
  std::size_t population = 0;  // clips that could have been chosen
  // Clips that were drawn and had no file; the next ones of the same draw stand in for them.
  std::vector<Recipe::Skipped> skipped;
};
// `rows` as parse_clip_table gives them. A clip is its row of the lowest number; entries come in byte order
// of their ids. Further captions of the row, and of later rows of the same ten seconds, become references;
// in the train split only where the manifest has our own schema.
[[nodiscard]] ClipChoice select_clips(const std::vector<ClipEntry>& rows, const ClipRequest& request,
                                      const Excluded& excluded);

// One row for each caption of clips that are not excluded, in the same order. The second caption of the row 7
// is called "7_2".
[[nodiscard]] std::vector<ClipEntry> select_captions(const std::vector<ClipEntry>& rows,
                                                     const Excluded& excluded);

}  // namespace manifest
