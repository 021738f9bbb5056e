#include "trainer/cli/run_flags.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "trainer/run/sources.hpp"

namespace trainer {
namespace {

using common::k_positive_whole;
using common::k_whole;
using common::RealRange;
using common::Verb;

[[noreturn]] void usage(const std::string& message) {
  throw common::Error(common::ErrorKind::usage, message);
}

void add_data_flags(Verb& verb, RunFlags& f) {
  RunConfig& c = f.config;
  verb.choice("--variant", c.variant,
              {{"no_retention", "no retention mechanism"},
               {"soft_retention", "KL and Fisher"},
               {"full_safe", "KL, Fisher and the null space"}},
              "Switch on the retention mechanisms of this variant")
      .required();
  verb.text("--name", c.name, "Call runs of this configuration so in reports").otherwise("the variant");
  verb.whole("--subset-size", c.subset_size, k_whole, "Train on the first N clips; 0: all of them");
  verb.whole("--seed", c.seed, {},
             "Draw the adapter's first weights, the order of clips and questions, and the distractors with "
             "this seed");
  std::vector<common::Choice> train_sources = {{"pack", "the training clips of --pack-root"}};
  for (const manifest::SoundSet* set : manifest::sound_sets())
    train_sources.push_back(
        {std::string(set->name), fmt::format("clips drawn from the {} table {} in --data-path/{}", set->title,
                                             set->train_split, set->name)});
  train_sources.push_back({"mock", "clips that are made up from the seed"});
  verb.choice("--train-source", c.train_source, std::move(train_sources), "Take training clips from here");
  verb.choice("--val-source", c.val_source,
              {{"pack_vl", "the pack's validation questions, all training clips and the held-out clips"},
               {"pack_audio", "the first --val-size training clips, no questions"},
               {"pack_train_audio", "as pack_audio, but at most 100 clips unless 0 asks for all"},
               {"pack_mixed", "half of --val-size training clips, half questions, and the held-out clips"},
               {"vqa", "questions drawn from VQA v2's val2014 tables in --data-path/vqa"},
               {"mock_vl", "questions about pictures that are made up from the seed"}},
              "Judge the run on this");
  verb.whole("--val-size", c.evaluation.size, k_whole,
             "Judge on this many questions or clips of --val-source; 0: all of them");
  verb.path("--data-path", c.data_path,
            "Look here for audiocaps/ (or clotho/) and vqa/, for sources that are not packs")
      .from_environment("DATA_ROOT");
}

void add_model_flags(Verb& verb, RunFlags& f) {
  verb.choice(
      "--model-config", f.config.model_config,
      {{"tiny", "for a base from make-base"},
       {"demo", "the original's sizes for a small base; needs --base"},
       {"full", "the original's sizes for LLaVA-1.5, 7B or 13B; needs --base"},
       {"multimodal", "the original's third set of sizes, for 13B; needs --base"},
       {"phase1",
        "the original's later sizes, for 13B: 32 tokens, rank 64, layers 4, 8, ... 36; needs --base"}},
      "Use the projector and fusion sizes of this configuration");
  verb.path("--base", f.base,
            "Freeze and train on this LLaVA-1.5: a Hugging Face folder, or an id (llava-hf/llava-1.5-7b-hf) "
            "that was downloaded into the Hugging Face cache")
      .otherwise(f.config.base.string());
  verb.path("--audio-encoder", f.audio_encoder, "Hear with this CLAP, named as --base is")
      .otherwise(f.config.audio_encoder.string());
  add_dtype_flag(verb, f.dtype);
  add_shape_flags(verb, f.shape);
  verb.choice("--silence-baseline", f.silence_baseline,
              {{"on", "audio tokens are what the clip adds to silence"}, {"off", "audio tokens as they are"}},
              "Subtract the audio tokens of silence");
  verb.choice("--fusion-positions", f.fusion_positions,
              {{"text", "only what stands after the image"}, {"all", "image and text"}},
              "Fuse audio into these positions");
  verb.real("--gate-scale", f.gate_scale, RealRange::positive, "Set the spread of the gate's first weights")
      .otherwise(fmt::format("{}", FusionConfig{}.gate_scale));
}

void add_retention_flags(Verb& verb, RunFlags& f) {
  add_mechanism_flags(verb, f.mechanisms);
  verb.whole(
          "--retention-size", f.retention_size, k_whole,
          "Use only this many of the pack's retention questions, drawn by the seed; a smaller set is part of "
          "every larger one; 0: all")
      .otherwise("0");
  verb.whole("--retention-batch-size", f.retention_batch_size, k_positive_whole,
             "Ask this many retention questions a step for KL and replay")
      .otherwise(std::to_string(RetentionConfig{}.batch_size));
}

void add_training_flags(Verb& verb, RunFlags& f) {
  RunConfig& c = f.config;
  verb.whole("--train-batch-size", c.train_batch_size, k_positive_whole, "Train on this many clips a step");
  verb.whole("--gradient-accumulation-steps", f.gradient_accumulation, k_positive_whole,
             "Sum the gradients of this many batches, of clips and of questions, in each step")
      .otherwise("1, or 32 with --model-config phase1");
  verb.whole("--micro-batch-size", c.micro_batch, k_whole,
             "Compute this many rows at once on a GPU; 0: as many as its memory takes");
  verb.whole("--num-epochs", c.epochs, k_positive_whole, "Train for this many passes over the clips");
  verb.real("--lr-projector", c.projector_rate, RealRange::positive,
            "Train the projector with this learning rate");
  verb.real("--lr-adapter", c.adapter_rate, RealRange::positive,
            "Train the fusion adapter with this learning rate");
  verb.whole("--num-workers", c.threads, {0, 4096}, "As --threads, which wins where both are given");
  verb.whole("--checkpoint-every", c.checkpoint_every, k_whole,
             "Save after this many steps; 0: only when asked to stop");
  verb.on("--resume", f.resume,
          "Go on with the newest run of this configuration, or start one; a finished one is left as it is");
  verb.whole("--train-accuracy-interval", c.accuracy_every, k_whole,
             "Put the token accuracy into the history after this many steps; 0: never");
  verb.whole("--train-accuracy-warmup", c.accuracy_first, k_whole,
             "Put the token accuracy of each of the first N steps into the history");
  verb.whole(
      "--learning-curve-every", c.curve.every, k_whole,
      "Look at the model after every N steps: ask questions while a trained clip plays, caption clips, and "
      "write it to learning_curve.jsonl; reports then compare settings at equal audio skill; 0: never");
  verb.whole("--learning-curve-items", c.curve.items, k_positive_whole,
             "Ask the first N questions and caption the first N clips at each look");
  verb.on("--debug-logging", f.debug_logging,
          "Accepted for the original's scripts: every term of every step is always in history.jsonl");
}

void add_evaluation_flags(Verb& verb, RunFlags& f) {
  EvaluationConfig& e = f.config.evaluation;
  verb.whole("--val-batch-size", e.batch_size, k_positive_whole, "Ask this many questions at once");
  // The original takes a negative number for all, too.
  constexpr common::WholeRange k_batches = {-k_positive_whole.most, k_positive_whole.most};
  verb.whole("--max-eval-batches", e.max_batches, k_batches,
             "Stop after this many batches of either kind; 0 or less: ask all");
  verb.whole("--max-audio-eval-batches", e.max_audio_batches, k_batches,
             "Stop after this many batches of clips; 0 or less: ask all");
  verb.whole("--max-vl-eval-batches", e.max_vl_batches, k_batches,
             "Stop after this many batches of questions; 0 or less: ask all");
  verb.on("--eval-with-audio-gate", f.audio_gate, "Ask the questions with sound at gate 1").otherwise("on");
  verb.off("--no-eval-with-audio-gate", f.audio_gate, "Do not; this one wins where both are given");
  verb.on("--eval-audio-gate-comparison", f.gate_comparison,
          "Ask the questions at gates 0, 1/4, 1/2 and 1 too");
  verb.on("--eval-beyond-stream", f.beyond_stream, k_beyond_stream_help);
  verb.whole("--eval-logging-steps", f.eval_logging_steps, k_whole,
             "Accepted for the original's scripts: progress is always shown unless --quiet");
  verb.whole("--train-eval-batches", e.train_batches, k_batches,
             "Judge this many batches of the training clips too; 0 or less: none");
  verb.whole("--generation-max-new-tokens", e.answer_tokens, k_positive_whole,
             "Answer questions in at most this many tokens");
  verb.whole("--audio-generation-max-new-tokens", e.caption_tokens, k_positive_whole,
             "Caption clips in at most this many tokens");
}

// What must be downloaded for a configuration that this program cannot make.
void require_base(const RunFlags& flags) {
  if (flags.config.model_config == "tiny" || flags.base) return;
  const std::string base = flags.config.model_config == "demo"
                               ? "Salesforce/blip2-opt-2.7b (unsupported here: use a LLaVA-1.5 folder)"
                               : "llava-hf/llava-1.5-13b-hf";
  usage("--model-config " + flags.config.model_config + " needs --base and --audio-encoder, such as --base " +
        base +
        " --audio-encoder laion/clap-htsat-unfused once both are downloaded (hf download), or use "
        "--model-config "
        "tiny");
}

void resolve_retention(const RunFlags& flags, RunConfig& config) {
  config.retention = preset_of(config.variant);
  apply(flags.mechanisms, config.retention);
  if (flags.retention_size) config.retention.questions = *flags.retention_size;
  if (flags.retention_batch_size) config.retention.batch_size = *flags.retention_batch_size;
  if (flags.gate_scale) config.fusion.gate_scale = *flags.gate_scale;
}

}  // namespace

void add_pack_flags(Verb& verb, RunConfig& config) {
  verb.path("--pack-root,--pack", config.pack_root, "Read this pack, a folder or a .tar")
      .from_environment("PACK_ROOT");
  verb.pack_id("--pack-id,--expect", config.expected_pack_id, "Refuse any pack but the one with this id");
  verb.path("--require-signature,--trust", config.required_key,
            "Refuse a pack that the owner of this public key (KEY.pub.pem) did not sign; checked first");
}

void add_place_flags(Verb& verb, RunConfig& config, std::string& feature_cache, std::string& device,
                     std::string& arithmetic) {
  verb.path("--output-root,--output,--out,-o", config.output_root, "Make run directories in this folder");
  verb.path(
      "--key", config.signing_key,
      "Sign the finished run with this secret key, KEY.pem, as safe-packer keygen makes it; checked first");
  verb.text("--feature-cache", feature_cache,
            "Keep what the frozen encoders make of clips and images in this folder, for later runs; off: "
            "keep nothing")
      .otherwise("<output root>/.features");
  verb.choice("--device", device,
              {{"auto", "CUDA where LibTorch has it, else the CPU"}, {"cpu", "the CPU"}, {"cuda", "a GPU"}},
              "Compute on this device");
  // Taken before main: trainer/cli/arithmetic.hpp.
  verb.choice(
      "--arithmetic", arithmetic,
      {{"portable", "by kernels that every x86-64-v3 processor has, whose bits another machine repeats"},
       {"native", "by this processor's own"}},
      "Compute on the CPU");
}

void add_dtype_flag(Verb& verb, std::string& dtype) {
  verb.choice("--dtype", dtype,
              {{"auto", "bfloat16 on a GPU that computes in it, else float32"},
               {"float32", "four bytes a weight"},
               {"bfloat16", "two bytes a weight"}},
              "Keep and run the frozen base in this type; the adapter and all losses are float32");
}

DtypeChoice dtype_of(const std::string& flag) {
  return flag == "float32"    ? DtypeChoice::float32
         : flag == "bfloat16" ? DtypeChoice::bfloat16
                              : DtypeChoice::automatic;
}

void add_run_flags(Verb& verb, RunFlags& flags) {
  add_data_flags(verb, flags);
  add_pack_flags(verb, flags.config);
  add_place_flags(verb, flags.config, flags.feature_cache, flags.device, flags.arithmetic);
  add_model_flags(verb, flags);
  add_training_flags(verb, flags);
  add_retention_flags(verb, flags);
  add_evaluation_flags(verb, flags);
}

DeviceChoice device_of(const std::string& flag) {
  return flag == "cpu" ? DeviceChoice::cpu : flag == "cuda" ? DeviceChoice::cuda : DeviceChoice::automatic;
}

std::filesystem::path feature_cache_of(const std::string& flag, const std::filesystem::path& output_root) {
  if (flag == "off") return {};
  return flag.empty() ? output_root / ".features" : std::filesystem::path(flag);
}

RunConfig resolve(const RunFlags& flags) {
  require_base(flags);
  RunConfig config = flags.config;
  if (config.name.empty()) config.name = config.variant;
  apply_model_config(config);
  apply(flags.shape, config);
  if (flags.gradient_accumulation) config.gradient_accumulation = *flags.gradient_accumulation;
  config.projector.silence_baseline =
      flags.silence_baseline == "on" ? SilenceBaseline::subtract : SilenceBaseline::keep;
  config.fusion.positions = flags.fusion_positions == "text" ? FusionPositions::text : FusionPositions::all;
  resolve_retention(flags, config);
  config.evaluation.audio_gate = flags.audio_gate ? AudioGate::on : AudioGate::off;
  config.evaluation.gate_comparison = flags.gate_comparison ? GateComparison::sweep : GateComparison::none;
  config.evaluation.beyond_stream = flags.beyond_stream ? BeyondStream::ask : BeyondStream::none;
  config.device = device_of(flags.device);
  config.dtype = dtype_of(flags.dtype);
  config.feature_cache = feature_cache_of(flags.feature_cache, config.output_root);
  if (flags.base) config.base = *flags.base;
  if (flags.audio_encoder) config.audio_encoder = *flags.audio_encoder;
  if (config.expected_pack_id && !reads_pack_root(config))
    usage("--pack-id names a pack; use it with --train-source pack and a pack_ val source");
  if (config.required_key && !reads_pack_root(config))
    usage("--require-signature is about a pack; use it with --train-source pack and a pack_ val source");
  return config;
}

}  // namespace trainer
