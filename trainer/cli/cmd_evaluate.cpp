#include <memory>

#include "common/error.hpp"
#include "trainer/cli/commands.hpp"
#include "trainer/cli/in_group.hpp"
#include "trainer/cli/run_flags.hpp"
#include "trainer/run/evaluate_run.hpp"

namespace trainer {
namespace {

struct EvaluateFlags {
  EvaluateRequest request;
  std::string feature_cache, device = "auto", arithmetic = "portable";
  bool every_gate = false, beyond_stream = false;
};

void require_run(const std::filesystem::path& run) {
  namespace fs = std::filesystem;
  if (!fs::exists(run))
    throw common::Error(common::ErrorKind::io, run.string() + " does not exist; name a run directory");
  if (!fs::is_regular_file(run / "config.json"))
    throw common::Error(common::ErrorKind::usage,
                        run.string() +
                            " is not a run directory (it has no config.json); name one, such as one "
                            "of the folders that safe-trainer run makes in --output-root");
}

EvaluateRequest request_of(const EvaluateFlags& flags, const common::CommonFlags& common_flags) {
  EvaluateRequest request = flags.request;
  RunConfig& places = request.places;
  places.feature_cache = feature_cache_of(flags.feature_cache, places.output_root);
  places.device = device_of(flags.device);
  places.threads = common_flags.threads;
  places.verbosity = common_flags.verbosity();
  if (flags.every_gate) request.gate_comparison = GateComparison::sweep;
  if (flags.beyond_stream) request.beyond_stream = BeyondStream::ask;
  return request;
}

}  // namespace

void add_evaluate(common::Program& program) {
  auto flags = std::make_shared<EvaluateFlags>();
  common::Verb& verb = program.add(
      {"evaluate",
       "Judge a finished run again, on its pack or on another",
       {"evaluate experiments/overfitting/runs/RUN",
        "evaluate experiments/overfitting/runs/RUN --pack-root test_pack --captions-per-clip 5 --beams 4"},
       {{1, "the run, the pack or the base has changed, or is not the expected one"},
        {3, k_io},
        {4, k_unsigned},
        {75, "asked to stop; what was answered is kept, and the same command goes on"},
        {130, k_interrupted}}});
  RunConfig& places = flags->request.places;
  verb.path("RUN", flags->request.run, "Judge this run directory").required();
  add_pack_flags(verb, places);
  verb.path("--base", places.base, "Take the run's base from this Hugging Face folder");
  verb.path("--audio-encoder", places.audio_encoder,
            "Take the run's audio encoder from this Hugging Face folder");
  add_place_flags(verb, places, flags->feature_cache, flags->device, flags->arithmetic);
  verb.on("--eval-audio-gate-comparison", flags->every_gate,
          "Ask the questions at gates 0, 1/4, 1/2 and 1 too");
  verb.on("--eval-beyond-stream", flags->beyond_stream, k_beyond_stream_help);
  verb.whole("--captions-per-clip", flags->request.captions_per_clip, {1, 1000},
             "Score each clip against so many captions of its own; a clip that has fewer is refused")
      .otherwise("all that it has");
  verb.whole("--beams", flags->request.caption_beams, {1, 64}, "Caption by a beam search with so many beams");
  verb.action([flags](const common::CommonFlags& common_flags) {
    return in_group([&](const std::shared_ptr<const ProcessGroup>& group) {
      require_run(flags->request.run);
      EvaluateRequest request = request_of(*flags, common_flags);
      request.places.threads = threads_of(*group, request.places.threads);
      return on_device([&] {
        const RunResult result = evaluate_run(request, group);
        if (group->is_first()) print_run(result, common_flags);
        return 0;
      });
    });
  });
}

}  // namespace trainer
