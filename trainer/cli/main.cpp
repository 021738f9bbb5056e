// safe-trainer: which numbers. Trains and judges from verified packs only.
#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

#include "common/error.hpp"
#include "common/program.hpp"
#include "trainer/base/make_base.hpp"
#include "trainer/cli/commands.hpp"
#include "trainer/cli/run_flags.hpp"
#include "trainer/cli/sweep.hpp"
#include "trainer/run/run.hpp"

namespace {

using trainer::Globals;
using trainer::MakeBaseRequest;

void add_make_base(CLI::App& app, const Globals& globals) {
  auto request = std::make_shared<MakeBaseRequest>();
  request->out = "experiments/overfitting/base";
  CLI::App* command =
      app.add_subcommand("make-base", "Train a tiny frozen base from a pack's base_manifest.json rows");
  command->add_option("--pack", request->pack, "pack, a folder or a .tar")->required();
  command->add_option("--out", request->out, "becomes vl/ and audio/, Hugging Face folders")
      ->capture_default_str();
  command->add_option("--steps", request->steps)->capture_default_str()->check(CLI::PositiveNumber);
  command->add_option("--batch-size", request->batch_size, "rows a step")
      ->capture_default_str()
      ->check(CLI::Range(8, 4096));
  command->add_option("--lr", request->learning_rate)->capture_default_str()->check(CLI::PositiveNumber);
  command->add_option("--seed", request->seed)->capture_default_str();
  command->callback([request, &globals] {
    request->threads = globals.threads;
    request->verbosity = globals.verbosity();
    const trainer::MakeBaseSummary summary = trainer::make_base(*request);
    if (globals.json) {
      const common::Json line = {{"vl", summary.vl_digest.hex()},  {"audio", summary.audio_digest.hex()},
                                 {"questions", summary.questions}, {"captions", summary.captions},
                                 {"loss", summary.loss},           {"already_there", summary.already_there}};
      fmt::print("{}\n", common::dump_line(line));
      return;
    }
    fmt::print("{}  {}\n{}  {}\n", summary.vl_digest.hex(), (request->out / "vl").string(),
               summary.audio_digest.hex(), (request->out / "audio").string());
    fmt::print(stderr, "{} from {} questions and {} captions, loss {:.4f} nats a token\n",
               summary.already_there ? "the base is there already," : "trained", summary.questions,
               summary.captions, summary.loss);
  });
}

void add_run(CLI::App& app, const Globals& globals) {
  CLI::App* command = app.add_subcommand("run", "Train and judge one variant from a verified pack");
  const auto flags = trainer::add_run_flags(*command);
  command->callback([flags, &globals] {
    trainer::RunConfig config = trainer::resolve(*flags);
    config.threads = globals.threads != 0 ? globals.threads : config.threads;
    config.verbosity = globals.verbosity();
    const trainer::RunResult result =
        trainer::run_experiment(config, flags->resume ? trainer::Resume::resume : trainer::Resume::fresh);
    if (globals.json)
      fmt::print("{}\n", common::dump_line({{"run", result.directory.string()},
                                            {"digest", result.digest.hex()},
                                            {"metrics", trainer::to_json(result.metrics)}}));
    else
      fmt::print("{}  {}\n", result.digest.hex(), result.directory.string());
  });
}

void add_sweep(CLI::App& app, const Globals& globals) {
  struct Values {
    std::string config;
    std::map<std::string, std::string> places;
  };
  auto values = std::make_shared<Values>();
  CLI::App* command = app.add_subcommand(
      "sweep", "Run every condition of a JSON file with every seed; the same command again resumes");
  command->add_option("CONFIG", values->config, "{\"run\": {flags}, \"seeds\": [...], \"conditions\": [...]}")
      ->required();
  for (const char* place :
       {"pack-root", "base", "audio-encoder", "output-root", "data-path", "feature-cache", "device"})
    command->add_option_function<std::string>(
        "--" + std::string(place),
        [values, place](const std::string& value) { values->places[place] = value; },
        "as of run, for all of them");
  command->callback([values, &globals] {
    std::vector<trainer::SweepRun> runs = trainer::read_sweep(values->config, values->places);
    for (std::size_t i = 0; i < runs.size(); ++i) {
      trainer::SweepRun& run = runs[i];
      run.config.threads = globals.threads != 0 ? globals.threads : run.config.threads;
      run.config.verbosity = globals.verbosity();
      if (!globals.quiet)
        fmt::print(stderr, "run {} of {}: {}, seed {}\n", i + 1, runs.size(), run.name, run.seed);
      const trainer::RunResult result = trainer::run_experiment(run.config, trainer::Resume::resume);
      if (globals.json)
        fmt::print("{}\n", common::dump_line({{"name", run.name},
                                              {"seed", run.seed},
                                              {"run", result.directory.string()},
                                              {"digest", result.digest.hex()}}));
      else
        fmt::print("{}  {}\n", result.digest.hex(), result.directory.string());
      std::fflush(stdout);
    }
  });
}

int run_main(int argc, char** argv) {
  CLI::App app{"safe-trainer: the overfitting ablation, from verified packs only", "safe-trainer"};
  Globals globals;
  int code = 0;
  app.require_subcommand(1);
  app.set_version_flag("--version", SAFE_VERSION);
  app.footer(common::exit_code_help());
  app.add_flag("--quiet", globals.quiet, "no progress");
  app.add_flag("--json", globals.json, "results as JSON");
  app.add_option("--threads", globals.threads, "0: as many as there are")->capture_default_str();
  app.fallthrough();
  add_make_base(app, globals);
  add_run(app, globals);
  add_sweep(app, globals);
  trainer::add_evaluate(app, globals);
  trainer::add_report(app, globals);
  trainer::add_verify_run(app, globals, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const c10::OutOfMemoryError& error) {
    throw common::Error(common::ErrorKind::io, std::string("the GPU's memory is too small: ") +
                                                   error.what_without_backtrace() +
                                                   "; use --device cpu, smaller batches or a smaller base");
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  return common::run_program("safe-trainer", [&] { return run_main(argc, argv); });
}
