#include "trainer/run/evaluate_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/error.hpp"
#include "trainer/model/memory.hpp"
#include "trainer/model/safetensors.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/results/run_seal.hpp"
#include "trainer/results/run_summary.hpp"
#include "trainer/results/summary.hpp"
#include "trainer/run/judge.hpp"
#include "trainer/run/plan.hpp"
#include "trainer/run/sources.hpp"
#include "trainer/train/checkpoint.hpp"

namespace trainer {
namespace {

using common::Json;

// As common::integer_member, between two bounds: a run's record may come from anybody.
std::int64_t count_in(const Json& config, const char* key, std::int64_t least, std::int64_t most,
                      const std::string& where) {
  const std::int64_t count = common::integer_member(config, key, where);
  if (count < least || count > most)
    throw common::Error(
        common::ErrorKind::format,
        fmt::format("{}: \"{}\" is {}, not in {}..{}; get the run again", where, key, count, least, most));
  return count;
}

constexpr std::int64_t k_batch_limit = 1 << 16, k_token_limit = 1 << 12, k_width_limit = 1 << 16,
                       k_layer_limit = 1 << 10, k_count_limit = std::int64_t{1} << 40;

std::int64_t limit_in(const Json& config, const char* key, const std::string& where) {
  return common::member(config, key, where).is_null() ? 0 : count_in(config, key, 0, k_count_limit, where);
}

bool flag_in(const Json& config, const char* key, const std::string& where) {
  const Json& value = common::member(config, key, where);
  if (!value.is_boolean())
    throw common::Error(common::ErrorKind::format, where + ": \"" + key + "\" must be true or false");
  return value.get<bool>();
}

EvaluationConfig recorded_evaluation(const Json& config, const std::string& where) {
  EvaluationConfig e;
  e.batch_size = count_in(config, "val_batch_size", 1, k_batch_limit, where);
  e.size = common::integer_member(config, "val_size", where);
  e.max_batches = limit_in(config, "max_eval_batches", where);
  e.max_audio_batches = count_in(config, "max_audio_eval_batches", 0, k_count_limit, where);
  e.max_vl_batches = count_in(config, "max_vl_eval_batches", 0, k_count_limit, where);
  e.audio_gate = flag_in(config, "eval_with_audio_gate", where) ? AudioGate::on : AudioGate::off;
  e.gate_comparison =
      flag_in(config, "eval_audio_gate_comparison", where) ? GateComparison::sweep : GateComparison::none;
  e.beyond_stream = config.value(k_beyond_stream, "") == k_asked ? BeyondStream::ask : BeyondStream::none;
  e.train_batches = count_in(config, "train_eval_batches", 0, k_count_limit, where);
  e.answer_tokens = count_in(config, "generation_max_new_tokens", 1, k_token_limit, where);
  e.caption_tokens = count_in(config, "audio_generation_max_new_tokens", 1, k_token_limit, where);
  return e;
}

void read_sizes(const Json& config, const std::string& where, RunConfig& to) {
  const Json& projector = common::member(config, "projector", where);
  to.projector.tokens = count_in(projector, "tokens", 1, k_token_limit, where);
  to.projector.bottleneck = count_in(projector, "bottleneck", 1, k_width_limit, where);
  to.projector.silence_baseline = common::string_member(projector, "silence_baseline", where) == "keep"
                                      ? SilenceBaseline::keep
                                      : SilenceBaseline::subtract;
  const Json& fusion = common::member(config, "fusion", where);
  if (!has_this_gate(fusion))
    throw common::Error(common::ErrorKind::mismatch,
                        fmt::format("{}: the run's gate stands after the output map, and this program has it "
                                    "before (fusion.{}); evaluate it with the program of the commit that it "
                                    "names",
                                    where, k_gate_place));
  to.fusion.layers.clear();
  for (const Json& layer : common::array_member(fusion, "layers", where)) {
    if (!layer.is_number_integer() || to.fusion.layers.size() == k_layer_limit) break;
    to.fusion.layers.push_back(layer.get<std::int64_t>());
  }
  if (to.fusion.layers.empty() || to.fusion.layers.size() != fusion.at("layers").size())
    throw common::Error(common::ErrorKind::format,
                        where + ": \"fusion\" does not list its decoder layers; get the run again");
  to.fusion.heads = count_in(fusion, "heads", 1, k_layer_limit, where);
  to.fusion.rank = count_in(fusion, "rank", 0, k_token_limit, where);
  to.fusion.alpha = common::number_member(fusion, "alpha", where);
  to.fusion.positions = common::string_member(fusion, "positions", where) == "all" ? FusionPositions::all
                                                                                   : FusionPositions::text;
}

void take_places(const RunConfig& places, RunConfig& to) {
  to.pack_root = places.pack_root;
  to.base = places.base;
  to.audio_encoder = places.audio_encoder;
  to.output_root = places.output_root;
  to.feature_cache = places.feature_cache;
  to.expected_pack_id = places.expected_pack_id;
  to.required_key = places.required_key;
  to.device = places.device;
  to.threads = places.threads;
  to.verbosity = places.verbosity;
}

void require_same_models(const RunSummary& run, const FrozenModels& models, const RunConfig& config) {
  const auto require = [&](const std::filesystem::path& folder, const std::string& found,
                           const std::string& recorded, const char* flag) {
    if (found != recorded)
      throw common::Error(common::ErrorKind::mismatch, folder.string() + " has the digest " + found +
                                                           " and " + run.name + " was made with " + recorded +
                                                           "; name the right folder with " + flag);
  };
  require(config.base, models.base_digest, run.base_digest, "--base");
  require(config.audio_encoder, models.audio_encoder_digest,
          common::string_member(run.config, "audio_encoder_digest", run.name), "--audio-encoder");
}

// Of any pack: what the run was trained on, and all else as held out.
Selection select_for(const RunSummary& run, const packer::VerifiedPack& pack, const RunConfig& config) {
  const PackSamples samples = read_samples(pack);
  Selection selection = select_samples(samples, config);
  selection.retention.clear();  // nothing is trained
  if (pack.id().hex() == run.pack_id) return selection;
  selection.unlike.clear();  // in other words than that pack's retention has, not than the run's
  const auto learnt = run.tables.find(condition::k_memorised);
  const auto is_learnt = [&](const ClipSample& clip) {
    return learnt != run.tables.end() &&
           std::binary_search(learnt->second.ids.begin(), learnt->second.ids.end(), clip.clip_id);
  };
  std::vector<ClipSample> known;
  std::vector<ClipSample> unknown;
  for (const std::vector<ClipSample>* clips : {&samples.clips, &samples.held_out})
    for (const ClipSample& clip : *clips) (is_learnt(clip) ? known : unknown).push_back(clip);
  selection.train_indices.clear();
  for (std::size_t i = 0; i < samples.clips.size(); ++i)
    if (is_learnt(samples.clips[i])) selection.train_indices.push_back(static_cast<std::int64_t>(i));
  selection.train = selection.memorised = known;
  selection.held_out = unknown;
  return selection;
}

// The first captions of each clip, so that clips of a data set with five and of one with seven are scored
// alike.
void limit_captions(Selection& selection, std::size_t count) {
  for (std::vector<ClipSample>* clips : {&selection.train, &selection.memorised, &selection.held_out})
    for (ClipSample& clip : *clips) {
      if (clip.captions.size() < count)
        throw common::Error(
            common::ErrorKind::mismatch,
            fmt::format("the clip {} has {} of the {} captions that --captions-per-clip asks for; ask for no "
                        "more, or evaluate on a pack of a split with so many, such as AudioCaps' test",
                        clip.clip_id, clip.captions.size(), count));
      clip.captions.resize(count);
    }
}

Json record_of(const RunSummary& run, const RunConfig& config, const RunInputs& inputs) {
  Json record = run.config;
  for (const std::string_view key : k_outside_digest) record.erase(std::string(key));
  record.erase("used");
  record.erase(k_learning_curve);  // nothing is trained
  const Json now = config_json(config, inputs);
  for (const char* key :
       {"pack_id", "pack_name", "device", k_arithmetic, "torch_version", "safe_packs_version", "git_commit",
        "gate_comparison", "eval_audio_gate_comparison"})
    record[key] = now.at(key);
  for (const char* key : {k_beyond_stream, k_caption_beams, k_captions_per_clip})
    if (now.contains(key)) record[key] = now.at(key);
  record.erase("cuda");
  if (now.contains("cuda")) record["cuda"] = now.at("cuda");
  record["evaluated_run"] = {{"name", run.name}, {"sha256sums_digest", run.sums_digest.hex()}};
  return record;
}

// What was answered is kept, so that a signal need not lose it.
template <typename Judge>
Judgement remembered(const Judge& judge) {
  try {
    return judge();
  } catch (const common::Error& error) {
    if (error.kind() != common::ErrorKind::interrupted) throw;
    throw common::Error(common::ErrorKind::stopped,
                        "stopped while judging; what was answered is kept, and the same command goes on");
  }
}

}  // namespace

RunConfig recorded_config(const Json& config, const std::string& where) {
  RunConfig c;
  c.variant = common::string_member(config, "variant", where);
  c.name = common::string_member(config, "name", where);
  c.seed = common::integer_member(config, "seed", where);
  c.subset_size = common::integer_member(config, "subset_size", where);
  c.train_source = "pack";
  const std::string source = common::string_member(config, "val_source", where);
  c.val_source = source.starts_with("pack_") ? source : "pack_vl";
  c.train_batch_size = count_in(config, "train_batch_size", 1, k_batch_limit, where);
  c.model_config = common::string_member(config, "model_config", where);
  // Runs before there was a choice have none.
  c.dtype = config.contains("dtype") && common::string_member(config, "dtype", where) == "bfloat16"
                ? DtypeChoice::bfloat16
                : DtypeChoice::float32;
  c.evaluation = recorded_evaluation(config, where);
  read_sizes(config, where, c);
  if (config.contains(k_prompt) && config.at(k_prompt) == "llava") c.prompt = PromptForm::llava;
  return c;
}

RunResult evaluate_run(const EvaluateRequest& request, std::shared_ptr<const ProcessGroup> shared) {
  const ProcessGroup& group = *shared;
  const std::optional<common::SecretKey> key = read_run_key(request.places.signing_key);
  const RunSummary run = read_run(request.run);
  RunConfig config = recorded_config(run.config, (request.run / "config.json").string());
  take_places(request.places, config);
  if (!group.is_first()) config.verbosity = common::Verbosity::quiet;
  share_host_memory(group.local_size());
  if (request.gate_comparison == GateComparison::sweep)
    config.evaluation.gate_comparison = GateComparison::sweep;
  if (request.beyond_stream == BeyondStream::ask) config.evaluation.beyond_stream = BeyondStream::ask;
  config.evaluation.caption_beams = request.caption_beams;
  config.evaluation.captions_per_clip = request.captions_per_clip;
  find_models(config);
  Workplace work(config.output_root);
  const packer::VerifiedPack pack = open_source(config, work);
  Selection selection = select_for(run, pack, config);
  if (request.captions_per_clip > 0)
    limit_captions(selection, static_cast<std::size_t>(request.captions_per_clip));
  const PlanInputs sizes = plan_inputs(config, selection);
  require_fits(config, make_plan(config, sizes), sizes, Work::judging);
  FrozenModels models = open_models(config);
  require_same_models(run, models, config);
  Json record = record_of(
      run, config,
      {pack.id().hex(), pack.name(), models.base_digest, models.audio_encoder_digest, models.placement});
  const Compute compute(config.threads, config.fusion.width, models.placement, std::move(shared));
  const common::Digest digest = config_digest(record);
  record["config_digest"] = digest.hex();
  group.require_same("the configuration, or what its pack, models and arithmetic are,", digest.hex());
  const FeatureCaches caches = open_caches(config, record, models.placement, compute);
  const Experiment experiment =
      open_experiment(pack, std::move(selection), config, std::move(models), caches, compute);
  SafeModel model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed);
  const std::string adapter = "checkpoints/adapter.safetensors";
  load_adapter(
      parse_safetensors(read_sealed(request.run, run.sums_digest, adapter), (request.run / adapter).string()),
      request.run / adapter, model);
  std::optional<EvaluationMemory> memory;
  if (group.is_first()) memory.emplace(config.output_root, digest);
  const Judgement judged = remembered(
      [&] { return judge(config, experiment, model, compute, memory ? &memory->folder() : nullptr); });
  const Evaluation& evaluation = judged.evaluation;
  std::vector<Prediction> predictions = evaluation.predictions;
  const std::vector<Prediction>& training = judged.training;
  RunResult result;
  if (!group.is_first()) {
    group.wait_for_all();  // until the first has sealed it
    return result;
  }
  result.metrics.validation = summarise(predictions, "validation");
  if (!training.empty()) result.metrics.training = summarise(training, "training");
  result.metrics.bit_equal_without_audio = evaluation.bit_equal_without_audio;
  predictions.insert(predictions.end(), training.begin(), training.end());

  RunDirectory directory =
      RunDirectory::create(config.output_root, config.variant, digest, std::chrono::system_clock::now());
  record["output_dir"] = directory.path().filename().string();
  if (!group.is_alone()) record[k_processes] = group.size();
  record[k_feature_cache] = to_json(caches);
  record[k_resumed_at] = common::Json::array();
  directory.write_config(record);
  directory.write_subset_indices(experiment.selection.train_indices);
  (void)directory.history();  // empty: nothing was trained
  directory.write_predictions(predictions);
  directory.write_metrics(result.metrics);
  result.digest = seal_run(directory.path(), key ? &*key : nullptr);
  result.directory = directory.path();
  memory->finish();
  group.wait_for_all();
  return result;
}

}  // namespace trainer
