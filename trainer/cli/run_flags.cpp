#include "trainer/cli/run_flags.hpp"

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "common/error.hpp"
#include "trainer/run/sources.hpp"

namespace trainer {
namespace {

[[noreturn]] void usage(const std::string& message) {
  throw common::Error(common::ErrorKind::usage, message);
}

void add_data_flags(CLI::App& command, RunFlags& f) {
  RunConfig& c = f.config;
  command.add_option("--variant", c.variant, "which retention is on")
      ->required()
      ->check(CLI::IsMember(k_variants));
  command.add_option("--name", c.name, "what a report calls runs of this configuration [the variant]");
  command.add_option("--subset-size", c.subset_size, "training clips; 0: all")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--seed", c.seed)->capture_default_str();
  command.add_option("--train-source", c.train_source)
      ->capture_default_str()
      ->check(CLI::IsMember(k_train_sources));
  command.add_option("--val-source", c.val_source)
      ->capture_default_str()
      ->check(CLI::IsMember(k_val_sources));
  command.add_option("--val-size", c.evaluation.size)->capture_default_str()->check(CLI::NonNegativeNumber);
  command.add_option("--pack-root", f.pack_root,
                     "pack, a folder or a .tar [$PACK_ROOT or experiments/overfitting/data_pack]");
  command.add_option("--data-path", f.data_path,
                     "holds audiocaps/ and vqa/ for sources that are no packs [$DATA_ROOT or data]");
  command.add_option("--pack-id", f.pack_id, "refuse any other pack");
  command.add_option("--require-signature", f.required_key,
                     "refuse a pack that this public key (KEY.pub.pem) did not sign");
  command.add_option("--output-root", c.output_root)->capture_default_str();
  command.add_option("--feature-cache", f.feature_cache,
                     "folder of what the frozen encoders made of clips and images, kept between runs; off: "
                     "none [<output root>/.features]");
}

void add_model_flags(CLI::App& command, RunFlags& f) {
  command.add_option("--model-config", f.config.model_config, "projector and fusion sizes")
      ->capture_default_str()
      ->check(CLI::IsMember({"tiny", "demo", "full", "multimodal"}));
  command.add_option("--base", f.base, "LLaVA-1.5 as a Hugging Face folder [" + f.config.base.string() + "]");
  command.add_option("--audio-encoder", f.audio_encoder,
                     "CLAP as a Hugging Face folder [" + f.config.audio_encoder.string() + "]");
  command.add_option("--silence-baseline", f.silence_baseline, "subtract the tokens of silence")
      ->capture_default_str()
      ->check(CLI::IsMember({"on", "off"}));
  command
      .add_option("--fusion-positions", f.fusion_positions, "text: only what stands after the image hears")
      ->capture_default_str()
      ->check(CLI::IsMember({"text", "all"}));
  command
      .add_option("--gate-scale", f.gate_scale,
                  "spread of the gate's first weights [0.7; 1 where a null space thins the gate out]")
      ->check(CLI::PositiveNumber);
  command.add_option("--device", f.device)
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
}

std::vector<std::string> null_space_choices() {
  std::vector<std::string> all = {"off"};
  all.insert(all.end(), k_null_space_placements.begin(), k_null_space_placements.end());
  return all;
}

void add_training_flags(CLI::App& command, RunFlags& f) {
  RunConfig& c = f.config;
  command.add_option("--train-batch-size", c.train_batch_size)
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--num-epochs", c.epochs)->capture_default_str()->check(CLI::PositiveNumber);
  command.add_option("--lr-projector", c.projector_rate)->capture_default_str()->check(CLI::PositiveNumber);
  command.add_option("--lr-adapter", c.adapter_rate)->capture_default_str()->check(CLI::PositiveNumber);
  command.add_option("--kl-weight", f.kl_weight, "of the variant unless given; 0: off")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--kl-temperature", f.kl_temperature)->check(CLI::PositiveNumber);
  command.add_option("--fisher-weight", f.fisher_weight, "of the variant unless given; 0: off")
      ->check(CLI::NonNegativeNumber);
  command
      .add_option(
          "--null-space", f.null_space,
          "which maps are protected, of the variant unless given; all: every map but the gate; gradient: no "
          "map, but the directions of the answers' gradients")
      ->check(CLI::IsMember(null_space_choices()));
  command
      .add_option("--null-space-energy", f.null_space_energy,
                  "share of the retention states' energy that is protected")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--null-space-rank", f.null_space_rank,
                  "at most so many directions; 0: as many as the energy asks for, of gradients 64")
      ->check(CLI::NonNegativeNumber);
  command
      .add_option("--null-space-refresh", f.null_space_refresh,
                  "gradient alone: steps between two subspaces [50]")
      ->check(CLI::PositiveNumber);
  command
      .add_option("--null-space-min-samples", f.null_space_min_samples,
                  "fewer retention questions are refused")
      ->check(CLI::PositiveNumber);
  command.add_option("--retention-batch-size", f.retention_batch_size, "questions a step for KL")
      ->check(CLI::PositiveNumber);
  command.add_option("--num-workers", f.num_workers, "as --threads")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--checkpoint-every", c.checkpoint_every, "steps; 0: only when asked to stop")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_flag("--resume", f.resume,
                   "go on with the newest run of this configuration, or start one; a finished one is done");
  command
      .add_option("--train-accuracy-interval", c.accuracy_every,
                  "steps between token accuracies in the history; 0: none")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_option("--train-accuracy-warmup", c.accuracy_first, "first steps that have one each")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command.add_flag(
      "--debug-logging", f.debug_logging,
      "accepted for the original's scripts; every term of every step is always in history.jsonl");
}

void add_evaluation_flags(CLI::App& command, RunFlags& f) {
  EvaluationConfig& e = f.config.evaluation;
  command.add_option("--val-batch-size", e.batch_size)->capture_default_str()->check(CLI::PositiveNumber);
  command.add_option("--max-eval-batches", e.max_batches, "0: all")->capture_default_str();
  command.add_option("--max-audio-eval-batches", e.max_audio_batches, "0: all")->capture_default_str();
  command.add_option("--max-vl-eval-batches", e.max_vl_batches, "0: all")->capture_default_str();
  command.add_flag("--eval-with-audio-gate,!--no-eval-with-audio-gate", f.audio_gate,
                   "ask the questions with sound at gate 1 (on)");
  command.add_flag("--eval-audio-gate-comparison", f.gate_comparison,
                   "ask them at gates 0, 1/4, 1/2 and 1 too");
  command
      .add_option("--eval-logging-steps", f.eval_logging_steps,
                  "accepted for the original's scripts; progress is always shown unless --quiet")
      ->capture_default_str();
  command
      .add_option("--train-eval-batches", e.train_batches,
                  "of the training clips, under \"training\"; 0: none")
      ->capture_default_str();
  command.add_option("--generation-max-new-tokens", e.answer_tokens)
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  command.add_option("--audio-generation-max-new-tokens", e.caption_tokens)
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
}

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

// What must be downloaded for a configuration that this program cannot make.
void require_base(const RunFlags& flags) {
  if (flags.config.model_config == "tiny" || !flags.base.empty()) return;
  const std::string base = flags.config.model_config == "demo"
                               ? "Salesforce/blip2-opt-2.7b (not readable here: use a LLaVA-1.5 folder)"
                               : "llava-hf/llava-1.5-13b-hf";
  usage("--model-config " + flags.config.model_config +
        " needs --base and --audio-encoder: download the folders " + base +
        " and laion/clap-htsat-unfused (as safetensors), or use --model-config tiny");
}

void resolve_retention(const RunFlags& flags, RunConfig& config) {
  RetentionConfig& r = config.retention;
  r = preset_of(config.variant);
  if (flags.kl_weight) r.kl.weight = *flags.kl_weight;
  if (flags.kl_temperature) r.kl.temperature = *flags.kl_temperature;
  if (flags.fisher_weight) r.fisher.weight = *flags.fisher_weight;
  if (flags.retention_batch_size) r.batch_size = *flags.retention_batch_size;
  if (flags.null_space && *flags.null_space == "off") r.null_space.reset();
  if (flags.null_space && *flags.null_space != "off") {
    if (!r.null_space) r.null_space = NullSpaceOptions{};
    r.null_space->placement = null_space_placement(*flags.null_space);
  }
  if (r.null_space) {
    if (flags.null_space_energy) r.null_space->energy = *flags.null_space_energy;
    if (flags.null_space_rank) r.null_space->rank_limit = *flags.null_space_rank;
    if (flags.null_space_refresh) r.null_space->refresh = *flags.null_space_refresh;
    if (flags.null_space_min_samples) r.null_space->row_minimum = *flags.null_space_min_samples;
    // The basis takes most of the gate's first weights away.
    if (r.null_space->placement == NullSpacePlacement::gate) config.fusion.gate_scale = 1.0;
  }
  if (flags.gate_scale) config.fusion.gate_scale = *flags.gate_scale;
}

}  // namespace

std::shared_ptr<RunFlags> add_run_flags(CLI::App& command) {
  auto flags = std::make_shared<RunFlags>();
  add_data_flags(command, *flags);
  add_model_flags(command, *flags);
  add_training_flags(command, *flags);
  add_evaluation_flags(command, *flags);
  return flags;
}

DeviceChoice device_of(const std::string& flag) {
  return flag == "cpu" ? DeviceChoice::cpu : flag == "cuda" ? DeviceChoice::cuda : DeviceChoice::automatic;
}

std::filesystem::path feature_cache_of(const std::string& flag, const std::filesystem::path& output_root) {
  if (flag == "off") return {};
  return flag.empty() ? output_root / ".features" : std::filesystem::path(flag);
}

common::Digest pack_id_of(const std::string& flag) {
  const std::optional<common::Digest> id = common::parse_digest(flag);
  if (!id) usage("--pack-id must be 64 lower-case hexadecimal digits");
  return *id;
}

RunConfig resolve(const RunFlags& flags) {
  require_base(flags);
  RunConfig config = flags.config;
  if (config.name.empty()) config.name = config.variant;
  apply_model_config(config);
  config.projector.silence_baseline =
      flags.silence_baseline == "on" ? SilenceBaseline::subtract : SilenceBaseline::keep;
  config.fusion.positions = flags.fusion_positions == "text" ? FusionPositions::text : FusionPositions::all;
  resolve_retention(flags, config);
  config.evaluation.audio_gate = flags.audio_gate ? AudioGate::on : AudioGate::off;
  config.evaluation.gate_comparison = flags.gate_comparison ? GateComparison::sweep : GateComparison::none;
  config.device = device_of(flags.device);
  config.threads = static_cast<unsigned>(flags.num_workers);
  const auto choose = [](const std::string& flag, const char* variable, std::filesystem::path& to) {
    if (!flag.empty())
      to = flag;
    else if (const std::string value = from_environment(variable); !value.empty())
      to = value;
  };
  choose(flags.pack_root, "PACK_ROOT", config.pack_root);
  choose(flags.data_path, "DATA_ROOT", config.data_path);
  config.feature_cache = feature_cache_of(flags.feature_cache, config.output_root);
  if (!flags.base.empty()) config.base = flags.base;
  if (!flags.audio_encoder.empty()) config.audio_encoder = flags.audio_encoder;
  if (!flags.pack_id.empty()) {
    config.expected_pack_id = pack_id_of(flags.pack_id);
    if (!reads_pack_root(config))
      usage("--pack-id names a pack; use it with --train-source pack and a pack_ val source");
  }
  if (!flags.required_key.empty()) {
    config.required_key = flags.required_key;
    if (!reads_pack_root(config))
      usage("--require-signature is about a pack; use it with --train-source pack and a pack_ val source");
  }
  return config;
}

}  // namespace trainer
