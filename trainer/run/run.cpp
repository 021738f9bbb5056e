#include "trainer/run/run.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/terminal.hpp"
#include "trainer/evaluate/evaluate.hpp"
#include "trainer/evaluate/measure_gate.hpp"
#include "trainer/model/safetensors.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/run_check.hpp"
#include "trainer/results/run_seal.hpp"
#include "trainer/results/summary.hpp"
#include "trainer/run/plan.hpp"
#include "trainer/run/run_differences.hpp"
#include "trainer/run/sizes.hpp"
#include "trainer/run/sources.hpp"
#include "trainer/run/workplace.hpp"
#include "trainer/train/preconditions.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_metrics_limit_bytes = std::uint64_t{64} << 20;

class Stopwatch {
 public:
  void lap(const char* name) {
    const auto now = std::chrono::steady_clock::now();
    timings_[name] = std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }
  [[nodiscard]] const common::Json& timings() const { return timings_; }

 private:
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  common::Json timings_ = common::Json::object();
};

RunResult read_finished(const fs::path& run, const RunConfig& config) {
  if (config.signing_key) (void)sign_run(run, *config.signing_key);
  const RunCheck check = verify_run(run);
  refuse_findings(run, check.findings);
  const fs::path metrics = run / "metrics.json";
  return {run, check.digest,
          metrics_from_json(common::read_json(metrics, k_metrics_limit_bytes), metrics.string())};
}

Metrics measure(const RunConfig& config, const Evaluation& evaluation,
                const std::vector<Prediction>& training, const TrainingResult& trained,
                const Mechanisms& mechanisms, const SafeModel& model, const std::vector<GateMetrics>& gate) {
  Metrics metrics;
  metrics.gate = gate;
  metrics.validation = summarise(evaluation.predictions, "validation");
  if (!training.empty()) metrics.training = summarise(training, "training");
  metrics.bit_equal_without_audio = evaluation.bit_equal_without_audio;
  metrics.mechanisms = trained.activity;
  for (const auto& mechanism : mechanisms) mechanism->measure(model, metrics);
  fill_losses(metrics, config.retention.of<KlOptions>().weight);
  return metrics;
}

struct Judgement {
  Evaluation evaluation;
  std::vector<Prediction> training;
};

// Work of a run whose state is saved already, so that a signal can be answered with "resume".
template <typename Work>
auto resumable(const char* doing, const Work& work) {
  try {
    return work();
  } catch (const common::Error& error) {
    if (error.kind() != common::ErrorKind::interrupted) throw;
    throw common::Error(common::ErrorKind::stopped,
                        fmt::format("stopped while {}; the same command with --resume goes on", doing));
  }
}

// The run keeps the pack that was built for it.
void keep_source_pack(Workplace& work, const RunDirectory& run) {
  if (!work.is_made()) return;
  run.folder().remove(k_source_pack);
  work.folder().rename(k_source_pack, run.folder(), k_source_pack);
}

// The run that an earlier call of the same configuration left, and the step at which it goes on.
struct Earlier {
  RunDirectory run;
  std::optional<Checkpoint> checkpoint;
  common::Json resumed_at;  // this time included
};

Earlier go_on_with(RunDirectory run, const std::string& config_digest) {
  std::optional<Checkpoint> checkpoint = read_checkpoint(run, config_digest);
  common::Json resumed_at = run.read_config().value(k_resumed_at, common::Json::array());
  if (!resumed_at.is_array())
    throw common::Error(common::ErrorKind::format,
                        fmt::format("{}: \"{}\" is not a list; start again without "
                                    "--resume",
                                    (run.path() / "config.json").string(), k_resumed_at));
  resumed_at.push_back(checkpoint ? checkpoint->step : 0);
  return {std::move(run), std::move(checkpoint), std::move(resumed_at)};
}

// As `safe-trainer plan` has it; what cannot fit is refused before a weight is read.
std::int64_t fitting_micro_batch(RunConfig config, const Selection& selection) {
  const PlanInputs inputs = plan_inputs(config, selection);
  const Plan plan = make_plan(config, inputs);
  require_fits(plan, inputs);
  if (inputs.placement.device.is_cuda() && config.verbosity == common::Verbosity::normal)
    common::print_line(stderr,
                       fmt::format("{} rows at once, by {:.1f} GB of free GPU memory (safe-trainer plan "
                                   "has the numbers)",
                                   plan.micro_batch, static_cast<double>(inputs.device_free) / 1e9));
  return plan.micro_batch;
}

}  // namespace

RunResult run_experiment(RunConfig config, Resume resume) {
  require_source(config);
  const std::optional<common::SecretKey> key = read_run_key(config.signing_key);
  find_models(config);
  Stopwatch watch;
  Workplace work(config.output_root);
  const packer::VerifiedPack pack = open_source(config, work);
  watch.lap("open_pack_s");

  const PackSamples samples = read_samples(pack);
  Selection selection = select_samples(samples, config);
  config.micro_batch = fitting_micro_batch(config, selection);
  watch.lap("plan_s");
  FrozenModels models = open_models(config);
  watch.lap("load_s");
  const RunInputs inputs{pack.id().hex(), pack.name(), models.base_digest, models.audio_encoder_digest,
                         models.placement};
  common::Json record = config_json(config, inputs);
  record_sizes(selection, config, record);
  const Compute compute(config.threads, config.fusion.width, models.placement);
  if (config.fusion.width > Compute::k_wide) record["threads"] = compute.threads_inside();
  const common::Digest digest = config_digest(record);
  record["config_digest"] = digest.hex();
  std::optional<Earlier> earlier;
  if (const std::optional<fs::path> found =
          resume == Resume::resume ? find_run(config.output_root, config.variant, digest) : std::nullopt) {
    if (is_finished(*found)) return read_finished(*found, config);
    std::optional<RunDirectory> unfinished = RunDirectory::open_unfinished(*found);
    if (!unfinished) return read_finished(*found, config);  // sealed between the two looks
    earlier = go_on_with(*std::move(unfinished), digest.hex());
  }
  require_mechanisms_can_act(config, selection);
  if (resume == Resume::resume && !earlier) say_what_differs(config, record);
  if (earlier && config.verbosity == common::Verbosity::normal)
    common::print_line(stderr, fmt::format("going on with {} from step {}", earlier->run.path().string(),
                                           earlier->checkpoint ? earlier->checkpoint->step : 0));
  const FeatureCaches caches = open_caches(config, record, models.placement, compute);
  const auto open = [&] {
    return open_experiment(pack, std::move(selection), config, std::move(models), caches, compute);
  };
  Experiment experiment = earlier ? resumable("encoding", open) : open();
  watch.lap("encode_s");

  RunDirectory run = earlier ? std::move(earlier->run)
                             : RunDirectory::create(config.output_root, config.variant, digest,
                                                    std::chrono::system_clock::now());
  const std::optional<Checkpoint> checkpoint = earlier ? std::move(earlier->checkpoint) : std::nullopt;
  record["output_dir"] = run.path().filename().string();
  if (experiment.base->placement().device.is_cuda()) record[k_micro_batch] = config.micro_batch;
  record[k_feature_cache] = to_json(caches);
  record[k_resumed_at] = earlier ? earlier->resumed_at : common::Json::array();
  run.write_config(record);
  run.write_subset_indices(experiment.selection.train_indices);
  keep_source_pack(work, run);

  SafeModel model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed);
  Mechanisms mechanisms = make_mechanisms(config);
  const TrainingResult trained = resumable("preparing the training", [&] {
    return train(config, experiment, model, mechanisms, run, digest.hex(), compute, checkpoint);
  });
  watch.lap("train_s");
  // Answers of another state of training are none of this one's.
  if (!checkpoint || checkpoint->step < trained.steps) AnswerLog::remove_from(run.folder());
  const Judgement judged = resumable("evaluating", [&] {
    AnswerLog log(run.folder());
    return Judgement{evaluate(config, experiment, model, compute, log),
                     evaluate_training(config, experiment, model, compute, log)};
  });
  const Evaluation& evaluation = judged.evaluation;
  const std::vector<Prediction>& training = judged.training;
  watch.lap("evaluate_s");
  if (!evaluation.bit_equal_without_audio.value_or(true))
    throw common::Error(
        common::ErrorKind::mismatch,
        "without audio the trained model differs from its base, which must never happen; please "
        "report it with " +
            run.path().string());

  RunResult result;
  result.metrics = measure(config, evaluation, training, trained, mechanisms, model,
                           measure_gate(experiment, model, compute.rows_at_once(config.micro_batch)));
  std::vector<Prediction> predictions = evaluation.predictions;
  predictions.insert(predictions.end(), training.begin(), training.end());
  run.write_predictions(predictions);
  AnswerLog::remove_from(run.folder());
  run.write_metrics(result.metrics);
  save_adapter(run, digest.hex(), model);
  run.write_timings(watch.timings());
  result.digest = seal_run(run.path(), key ? &*key : nullptr);
  result.directory = run.path();
  return result;
}

}  // namespace trainer
