#include "trainer/run/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/terminal.hpp"
#include "trainer/evaluate/measure_gate.hpp"
#include "trainer/evaluate/watch_curve.hpp"
#include "trainer/model/memory.hpp"
#include "trainer/model/safetensors.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/run_check.hpp"
#include "trainer/results/run_seal.hpp"
#include "trainer/results/summary.hpp"
#include "trainer/run/earlier_run.hpp"
#include "trainer/run/judge.hpp"
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
  // So many seconds of a lap were something else.
  void part(const char* lap, const char* name, double seconds) {
    timings_[lap] = timings_.at(lap).get<double>() - seconds;
    timings_[name] = seconds;
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

Metrics metrics_of(const RunConfig& config, const Evaluation& evaluation,
                   const std::vector<Prediction>& training, const TrainingResult& trained,
                   const Mechanisms& mechanisms, const SafeModel& model,
                   const std::vector<GateMetrics>& gate) {
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

// As `safe-trainer plan` has it; what cannot fit is refused before a weight is read.
Plan fitting_plan(RunConfig config, const Selection& selection) {
  const PlanInputs inputs = plan_inputs(config, selection);
  const Plan plan = make_plan(config, inputs);
  require_fits(config, plan, inputs, Work::training_and_judging);
  if (inputs.placement.device.is_cuda() && config.verbosity == common::Verbosity::normal)
    common::print_line(stderr,
                       fmt::format("{} rows at once, by {:.1f} GB of free GPU memory (safe-trainer plan "
                                   "has the numbers)",
                                   plan.micro_batch, static_cast<double>(inputs.device_free) / 1e9));
  return plan;
}

// A pack that is built for one run has one builder.
void require_pack_for_several(const RunConfig& config, const ProcessGroup& group) {
  if (group.is_alone() || reads_pack_root(config)) return;
  throw common::Error(
      common::ErrorKind::usage,
      fmt::format("{} processes train from a pack, and --train-source {} with --val-source {} would "
                  "build one; build it first (safe-packer build), then give --pack-root",
                  group.size(), config.train_source, config.val_source));
}

RunDirectory open_directory(const RunConfig& config, const common::Digest& digest, EarlierRun& earlier) {
  if (earlier.unfinished) return *std::move(earlier.unfinished);
  return RunDirectory::create(config.output_root, config.variant, digest, std::chrono::system_clock::now());
}

}  // namespace

RunResult run_experiment(RunConfig config, Resume resume, std::shared_ptr<const ProcessGroup> shared) {
  const ProcessGroup& group = *shared;
  if (!group.is_first()) config.verbosity = common::Verbosity::quiet;
  share_host_memory(group.local_size());
  require_source(config);
  require_pack_for_several(config, group);
  const std::optional<common::SecretKey> key = read_run_key(config.signing_key);
  find_models(config);
  Stopwatch watch;
  Workplace work(config.output_root);
  const packer::VerifiedPack pack = open_source(config, work);
  watch.lap("open_pack_s");

  const PackSamples samples = read_samples(pack);
  Selection selection = select_samples(samples, config);
  require_mechanisms_can_act(config, selection);
  const bool rows_are_given = config.micro_batch > 0;
  const Plan plan = fitting_plan(config, selection);
  config.micro_batch = group.least(plan.micro_batch);
  // What the plan counted with, of the least memory of all processes.
  const Kept planned = group.least(plan.kept_keys_bytes > 0 ? 1 : 0) == 1 ? Kept::keys : Kept::states;
  watch.lap("plan_s");
  FrozenModels models = open_models(config);
  watch.lap("load_s");
  const RunInputs inputs{pack.id().hex(), pack.name(), models.base_digest, models.audio_encoder_digest,
                         models.placement};
  common::Json record = config_json(config, inputs);
  for (const std::string& warning : record_sizes(selection, config, record))
    if (group.is_first()) common::print_line(stderr, warning);
  const Compute compute(config.threads, config.fusion.width, models.placement, std::move(shared));
  if (config.fusion.width > Compute::k_wide) record["threads"] = compute.threads_inside();
  const common::Digest digest = config_digest(record);
  record["config_digest"] = digest.hex();
  group.require_same("the configuration, or what its pack, models and arithmetic are,", digest.hex());
  EarlierRun earlier = find_earlier_run(config, resume, digest, group);
  if (earlier.state == RunState::finished) {
    RunResult result;
    if (group.is_first()) result = read_finished(*earlier.finished, config);
    group.wait_for_all();
    return result;
  }
  std::optional<RunClaim> claim;
  if (resume == Resume::resume && earlier.state == RunState::fresh && group.is_first())
    claim.emplace(config, digest);
  // On a GPU bits depend on it, and the free memory that it followed from may be another now.
  if (!rows_are_given && earlier.micro_batch) config.micro_batch = *earlier.micro_batch;
  if (resume == Resume::resume && earlier.state == RunState::fresh && group.is_first())
    say_what_differs(config, record);
  if (earlier.unfinished && config.verbosity == common::Verbosity::normal)
    common::print_line(stderr,
                       fmt::format("going on with {} from step {}", earlier.unfinished->path().string(),
                                   earlier.checkpoint ? earlier.checkpoint->step : 0));
  const FeatureCaches caches = open_caches(config, record, models.placement, compute);
  const auto open = [&] {
    return open_experiment(pack, std::move(selection), config, std::move(models), caches, compute,
                           earlier.kept.value_or(planned));
  };
  Experiment experiment = earlier.state == RunState::unfinished ? resumable("encoding", open) : open();
  group.wait_for_all();  // all have encoded: there is something to make a directory for
  watch.lap("encode_s");

  std::optional<RunDirectory> run;  // of the first process
  if (group.is_first()) {
    run = open_directory(config, digest, earlier);
    claim.reset();  // the directory has a lock of its own
    record["output_dir"] = run->path().filename().string();
    if (experiment.base->placement().device.is_cuda()) record[k_micro_batch] = config.micro_batch;
    if (!group.is_alone()) record[k_processes] = group.size();
    if (!experiment.retention_rows.empty())
      record[k_kept_prefixes] = experiment.retention_prefixes.kept() == Kept::keys ? k_keys : k_states;
    record[k_feature_cache] = to_json(caches);
    record[k_resumed_at] = earlier.resumed_at;
    run->write_config(record);
    run->write_subset_indices(experiment.selection.train_indices);
    keep_source_pack(work, *run);
  }

  SafeModel model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed);
  Mechanisms mechanisms = make_mechanisms(config);
  double looks_s = 0;
  const TrainingResult trained = resumable("preparing the training", [&] {
    CurveWatch watch_curve(config, experiment, model, compute, run ? &*run : nullptr,
                           earlier.checkpoint ? earlier.checkpoint->step : 0);
    TrainingResult result = train(config, experiment, model, mechanisms, run ? &*run : nullptr, digest.hex(),
                                  compute, earlier.checkpoint, &watch_curve);
    looks_s = watch_curve.seconds();
    return result;
  });
  watch.lap("train_s");
  if (config.curve.is_on()) watch.part("train_s", "look_s", looks_s);
  // Answers of another state of training are none of this one's.
  if (run && (!earlier.checkpoint || earlier.checkpoint->step < trained.steps))
    AnswerLog::remove_from(run->folder());
  const Judgement judged = resumable("evaluating", [&] {
    return judge(config, experiment, model, compute, run ? &run->folder() : nullptr);
  });
  const Evaluation& evaluation = judged.evaluation;
  const std::vector<Prediction>& training = judged.training;
  watch.lap("evaluate_s");
  if (!evaluation.bit_equal_without_audio.value_or(true))
    throw common::Error(
        common::ErrorKind::mismatch,
        "without audio the trained model differs from its base, which must never happen; please "
        "report it with " +
            (run ? run->path().string() : "the run's folder"));
  RunResult result;
  if (!run) {
    group.wait_for_all();  // until the first has sealed the run: a sweep's next one may fail here
    return result;
  }
  result.metrics =
      metrics_of(config, evaluation, training, trained, mechanisms, model,
                 measure_gate(experiment, model, compute.rows_at_once(config.micro_batch, 1 << 30)));
  std::vector<Prediction> predictions = evaluation.predictions;
  predictions.insert(predictions.end(), training.begin(), training.end());
  run->write_predictions(predictions);
  AnswerLog::remove_from(run->folder());
  run->write_metrics(result.metrics);
  save_adapter(*run, digest.hex(), model);
  run->write_timings(watch.timings());
  result.digest = seal_run(run->path(), key ? &*key : nullptr);
  result.directory = run->path();
  group.wait_for_all();
  return result;
}

}  // namespace trainer
