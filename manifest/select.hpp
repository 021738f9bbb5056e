// Which samples: CPython's random.Random(seed).sample over a population in ascending order of ids, so that a
// choice can be repeated in Python. Each function is pure; a population that is too small is a mismatch error
// with both numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_set>
#include <vector>

#include "manifest/manifest.hpp"
#include "manifest/vqa_tables.hpp"

namespace manifest {

// What other splits hold already.
struct Excluded {
  std::unordered_set<std::int64_t> image_ids;
  std::unordered_set<std::int64_t> question_ids;
  std::unordered_set<std::string> youtube_ids;
};
// Manifests of either kind.
[[nodiscard]] Excluded read_excluded(const std::vector<std::filesystem::path>& manifests);

enum class VqaSplit { val, retention, base };

struct QuestionRequest {
  VqaSplit split = VqaSplit::val;
  std::uint64_t subset_size = 0;
  std::int64_t seed = 0;
  std::string data_subtype;  // "val2014": images are named COCO_<data_subtype>_<12 digits>.jpg
};

struct QuestionChoice {
  VqaManifest manifest;
  std::size_t population = 0;  // questions that could have been chosen
};
// The population is every annotated question of which neither the image nor the question is excluded; entries
// come in ascending order of question_id.
[[nodiscard]] QuestionChoice select_questions(const VqaTables& tables, const QuestionRequest& request,
                                              const Excluded& excluded);

struct ClipRequest {
  std::string split;  // "train": the folder audio/train
  std::uint64_t subset_size = 0;
  std::int64_t seed = 0;
};

struct ClipChoice {
  SubsetManifest manifest;
  std::size_t population = 0;  // clips that could have been chosen
};
// `rows` as parse_audiocaps_table gives them. A clip is its row of the lowest audiocap_id; entries come in
// byte order of youtube_id. Outside the train split the clip's other captions become references.
[[nodiscard]] ClipChoice select_clips(const std::vector<ClipEntry>& rows, const ClipRequest& request,
                                      const Excluded& excluded);

// The rows of clips that are not excluded, in the same order.
[[nodiscard]] std::vector<ClipEntry> select_captions(std::vector<ClipEntry> rows, const Excluded& excluded);

}  // namespace manifest
