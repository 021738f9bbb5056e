// Captions as other programs score them: what a run said, written out for them, and their scores taken back
// under their own names. A report shows them, and says that they come from outside.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "trainer/results/run_summary.hpp"

namespace trainer {

// Scores of one run's clips, by the names of whoever computed them ("spider_fl").
struct CaptionScores {
  std::string run_digest;  // of the run's SHA256SUMS, in hex
  std::string clips;       // a name of k_audio_groups
  std::map<std::string, double> scores;
};

// {"run": digest, "clips": "held_out", "ids": [...], "candidates": [...], "mult_references": [[...], ...]},
// the last two as aac_metrics.evaluate takes them. A run without such clips, or whose clips are not scored as
// captions, is a usage error.
[[nodiscard]] common::Json export_captions(const RunSummary& run, const std::string& clips);

// {"run": digest, "clips": "held_out", "scores": {"spider_fl": 0.31, ...}}, or a list of such. A format error
// names `where`.
[[nodiscard]] std::vector<CaptionScores> parse_caption_scores(const common::Json& value,
                                                              const std::string& where);
[[nodiscard]] common::Json to_json(const std::vector<CaptionScores>& scores);

}  // namespace trainer
