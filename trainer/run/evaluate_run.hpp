// A finished run judged again: on the pack it was trained from, which gives its own answers again (on another
// kind of device but for rounding), or on another.
#pragma once

#include "trainer/run/run.hpp"

namespace trainer {

struct EvaluateRequest {
  std::filesystem::path run;  // a sealed run directory
  // Where things lie and how to compute: pack_root, base, audio_encoder, output_root, feature_cache, device,
  // threads, verbosity, expected_pack_id, required_key. All else is the run's.
  RunConfig places;
  // Ask at every gate too, also where the run did not.
  GateComparison gate_comparison = GateComparison::none;
  BeyondStream beyond_stream = BeyondStream::none;  // likewise
  // Of captions: 1 is greedy; and how many references each clip is scored against, 0: all that it has. A clip
  // with fewer is a mismatch error.
  std::int64_t caption_beams = 1, captions_per_clip = 0;
};

// What the run's config.json says of model and evaluation. A format error names `where`.
[[nodiscard]] RunConfig recorded_config(const common::Json& config, const std::string& where);

// Evaluates and leaves a sealed run directory without checkpoints, whose config.json names the run under
// "evaluated_run". Clips that the run learnt are its memorised ones, in any pack; all others are held out. A
// run that has changed, another base or another audio encoder than the run's is a mismatch error. Every
// process of `group` calls it alike; the first has the result.
RunResult evaluate_run(const EvaluateRequest& request,
                       std::shared_ptr<const ProcessGroup> group = std::make_shared<const ProcessGroup>());

}  // namespace trainer
