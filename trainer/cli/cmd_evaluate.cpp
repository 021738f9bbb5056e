#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "trainer/cli/commands.hpp"
#include "trainer/cli/run_flags.hpp"
#include "trainer/run/evaluate_run.hpp"

namespace trainer {
namespace {

struct EvaluateFlags {
  EvaluateRequest request;
  std::string pack_id, required_key, feature_cache, device = "auto";
  bool every_gate = false;
};

EvaluateRequest request_of(const EvaluateFlags& flags, const Globals& globals) {
  EvaluateRequest request = flags.request;
  RunConfig& places = request.places;
  if (!flags.pack_id.empty()) places.expected_pack_id = pack_id_of(flags.pack_id);
  if (!flags.required_key.empty()) places.required_key = flags.required_key;
  places.feature_cache = feature_cache_of(flags.feature_cache, places.output_root);
  places.device = device_of(flags.device);
  places.threads = globals.threads;
  places.verbosity = globals.verbosity();
  if (flags.every_gate) request.gate_comparison = GateComparison::sweep;
  return request;
}

}  // namespace

void add_evaluate(CLI::App& app, const Globals& globals) {
  auto flags = std::make_shared<EvaluateFlags>();
  CLI::App* command = app.add_subcommand("evaluate", "Judge a finished run again, on its pack or on another");
  RunConfig& places = flags->request.places;
  command->add_option("RUN", flags->request.run, "a run directory")->required();
  command->add_option("--pack-root", places.pack_root, "pack, a folder or a .tar")
      ->envname("PACK_ROOT")
      ->capture_default_str();
  command->add_option("--pack-id", flags->pack_id, "refuse any other pack");
  command->add_option("--require-signature", flags->required_key,
                      "refuse a pack that this public key (KEY.pub.pem) did not sign");
  command->add_option("--base", places.base, "the run's base")->capture_default_str();
  command->add_option("--audio-encoder", places.audio_encoder, "the run's audio encoder")
      ->capture_default_str();
  command->add_option("--output-root", places.output_root)->capture_default_str();
  command->add_option("--feature-cache", flags->feature_cache, "as of run");
  command->add_option("--device", flags->device)
      ->capture_default_str()
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  command->add_flag("--eval-audio-gate-comparison", flags->every_gate,
                    "ask the questions at gates 0, 1/4, 1/2 and 1 too");
  command->callback([flags, &globals] {
    const RunResult result = evaluate_run(request_of(*flags, globals));
    if (globals.json)
      fmt::print("{}\n", common::dump_line({{"run", result.directory.string()},
                                            {"digest", result.digest.hex()},
                                            {"metrics", to_json(result.metrics)}}));
    else
      fmt::print("{}  {}\n", result.digest.hex(), result.directory.string());
  });
}

}  // namespace trainer
