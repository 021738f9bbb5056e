// Everything that decides a run's bytes, resolved. config.json is this value; its digest names the run.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "common/progress.hpp"
#include "trainer/formats/prompt_form.hpp"
#include "trainer/model/compute.hpp"
#include "trainer/model/fusion.hpp"
#include "trainer/model/projector.hpp"
#include "trainer/results/learning_curve.hpp"
#include "trainer/retention/mechanism_table.hpp"

namespace trainer {

enum class AudioGate { on, off };           // ask the questions with sound at gate 1 at all
enum class GateComparison { sweep, none };  // gates 0, 1/4, 1/2, 1 on the same questions

enum class BeyondStream { ask, none };  // the sets of question_set too

struct EvaluationConfig {
  std::int64_t batch_size = 16;
  std::int64_t size = 500;       // --val-size
  std::int64_t max_batches = 0;  // of either kind; 0: all
  std::int64_t max_audio_batches = 0, max_vl_batches = 0;
  AudioGate audio_gate = AudioGate::on;
  GateComparison gate_comparison = GateComparison::none;
  BeyondStream beyond_stream = BeyondStream::none;
  std::int64_t train_batches = 4;  // of the training rows, under "training"; 0: none
  std::int64_t answer_tokens = 12, caption_tokens = 20;
  std::int64_t caption_beams = 1;      // 1: captions are greedy, as answers always are
  std::int64_t captions_per_clip = 0;  // references; 0: all that the pack has
  // How many of `count` the limits above leave.
  [[nodiscard]] std::int64_t questions_of(std::int64_t count) const;
  [[nodiscard]] std::int64_t clips_of(std::int64_t count) const;
};

struct RunConfig {
  std::string variant;  // no_retention, soft_retention, full_safe
  std::string name;     // of this configuration over its seeds, in reports
  std::int64_t subset_size = 400;
  std::int64_t seed = 42;
  std::string train_source = "pack", val_source = "pack_vl";
  std::filesystem::path data_path = "data", pack_root = "experiments/overfitting/data_pack";
  std::filesystem::path output_root = "experiments/overfitting/runs";
  std::filesystem::path feature_cache;  // empty: none
  std::optional<common::Digest> expected_pack_id;
  std::optional<std::filesystem::path> required_key;  // the public key that must have signed the pack
  std::optional<std::filesystem::path> signing_key;   // the secret key that signs the finished run
  std::string model_config = "tiny";
  std::filesystem::path base = "experiments/overfitting/base/vl";
  std::filesystem::path audio_encoder = "experiments/overfitting/base/audio";
  std::int64_t train_batch_size = 8, epochs = 30;
  double projector_rate = 1e-4, adapter_rate = 5e-5, weight_decay = 0.01, gradient_limit = 1.0;
  ProjectorConfig projector;
  FusionConfig fusion;  // 0 heads: as many as the base has
  PromptForm prompt = PromptForm::original;
  RetentionConfig retention;
  EvaluationConfig evaluation;
  std::int64_t accuracy_every = 10, accuracy_first = 5;  // steps at which history has the token accuracy
  CurveConfig curve;
  std::int64_t checkpoint_every = 200;  // steps; 0: only when asked to stop
  // Batches whose gradients one step of the optimiser sums up; retention questions likewise.
  std::int64_t gradient_accumulation = 1;
  std::int64_t micro_batch = 0;  // rows that a GPU computes at once; 0: as many as its memory takes
  DeviceChoice device = DeviceChoice::automatic;
  DtypeChoice dtype = DtypeChoice::automatic;
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
};

inline const std::vector<std::string> k_variants = {"no_retention", "soft_retention", "full_safe"};

// Projector and fusion of a --model-config (tiny, demo, full, multimodal, phase1); widths, and heads but
// tiny's, are filled in from the base.
void apply_model_config(RunConfig& config);

// What was opened: names every byte a run depends on.
struct RunInputs {
  std::string pack_id, pack_name, base_digest, audio_encoder_digest;
  Placement placement;
};

// The Python original's keys in its order, then ours. Threads, verbosity and where things lie on this machine
// are not among what the digest covers.
[[nodiscard]] common::Json config_json(const RunConfig& config, const RunInputs& inputs);
// Of what decides the run's bytes.
[[nodiscard]] common::Digest config_digest(const common::Json& config);

}  // namespace trainer
