#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>

#include "common/cli/print_json.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "common/terminal.hpp"
#include "trainer/cli/commands.hpp"
#include "trainer/cli/in_group.hpp"
#include "trainer/cli/sweep.hpp"

namespace trainer {
namespace {

struct SweepFlags {
  std::filesystem::path config;
  std::map<std::string, std::string> places;
  bool count = false, list = false;
  std::optional<std::size_t> task;
};

void print_run(const SweepRun& run, const RunResult& result, const common::CommonFlags& flags) {
  if (flags.json)
    common::print_json({{"name", run.name},
                        {"seed", run.seed},
                        {"run", result.directory.string()},
                        {"digest", result.digest.hex()}},
                       common::JsonLayout::line);
  else
    common::print_line(stdout, result.digest.hex() + "  " + result.directory.string());
  std::fflush(stdout);
}

// The one that --task asks for, or all.
std::vector<SweepRun> asked_for(std::vector<SweepRun> runs, const SweepFlags& sweep) {
  if (!sweep.task) return runs;
  if (*sweep.task >= runs.size())
    throw common::Error(common::ErrorKind::usage,
                        fmt::format("{} has {} runs, so --task takes 0 to {}", sweep.config.string(),
                                    runs.size(), runs.size() - 1));
  return {std::move(runs[*sweep.task])};
}

int print_count(const SweepFlags& sweep, const common::CommonFlags& flags) {
  const std::size_t runs = read_sweep(sweep.config, sweep.places).size();
  if (flags.json)
    common::print_json({{"runs", runs}}, common::JsonLayout::line);
  else
    common::print_line(stdout, std::to_string(runs));
  return 0;
}

// The name as config.json has it, so that a script finds the run's directory by it.
int print_list(const SweepFlags& sweep, const common::CommonFlags& flags) {
  const std::vector<SweepRun> runs = read_sweep(sweep.config, sweep.places);
  for (std::size_t task = 0; task < runs.size(); ++task) {
    const SweepRun& run = runs[task];
    if (flags.json)
      common::print_json({{"task", task}, {"seed", run.seed}, {"name", run.name}}, common::JsonLayout::line);
    else
      common::print_line(stdout, fmt::format("{} {} {}", task, run.seed, common::dump_line(run.name)));
  }
  return 0;
}

int run_sweep(const SweepFlags& sweep, const common::CommonFlags& flags,
              const std::shared_ptr<const ProcessGroup>& group) {
  std::vector<SweepRun> runs = asked_for(read_sweep(sweep.config, sweep.places), sweep);
  std::vector<std::string> report = {"safe-trainer", "report"};
  for (std::size_t i = 0; i < runs.size(); ++i) {
    SweepRun& run = runs[i];
    run.config.threads = threads_of(*group, flags.threads != 0 ? flags.threads : run.config.threads);
    run.config.verbosity = flags.verbosity();
    if (group->is_first())
      common::say(flags, fmt::format("run {} of {}: {}, seed {}", i + 1, runs.size(), run.name, run.seed));
    const RunResult result = run_experiment(run.config, Resume::resume, group);
    if (!group->is_first()) continue;
    print_run(run, result, flags);
    report.push_back(result.directory.string());
  }
  if (group->is_first()) common::say_next(flags, report);
  return 0;
}

}  // namespace

void add_sweep(common::Program& program) {
  auto sweep = std::make_shared<SweepFlags>();
  common::Verb& verb = program.add(
      {"sweep",
       "Run every condition of a JSON file with every seed; the same command again goes on",
       {"sweep experiments/overfitting/configs/ablation.json",
        "sweep my_sweep.json --pack-root data_pack --base base/vl --audio-encoder base/audio"},
       {{1, "the pack or the base is damaged or not the expected one, or a mechanism never acted"},
        {3, "I/O error: missing, unreadable, no space left, or a file that is no sweep"},
        {4, k_unsigned},
        {75, "asked to stop; saved, and the same command goes on"},
        {130, k_interrupted}}});
  verb.path("CONFIG", sweep->config,
            "Read this file: {\"run\": {flags}, \"seeds\": [...], \"conditions\": [...]}")
      .required();
  verb.on("--count", sweep->count, "Print how many runs the file has, and run none");
  verb.on("--list", sweep->list, "Print task, seed and name of each run that the file has, and run none")
      .excludes({"--count"});
  verb.whole("--task", sweep->task, common::k_whole,
             "Run only this one, counted from 0: a job array has one task a run")
      .excludes({"--count", "--list"});
  const std::map<std::string, std::string> aliases = {
      {"pack-root", ",--pack"}, {"pack-id", ",--expect"}, {"output-root", ",--output,--out,-o"}};
  for (const char* place : {"pack-root", "pack-id", "base", "audio-encoder", "output-root", "data-path",
                            "feature-cache", "device"}) {
    const std::string flag = "--" + std::string(place);
    const auto alias = aliases.find(place);
    verb.value(flag + (alias == aliases.end() ? "" : alias->second), "VALUE",
               "Set " + flag + " of every run, whatever the file says",
               [sweep, place](const std::string&, const std::string& value) { sweep->places[place] = value; })
        .otherwise("as the file says, else that of run");
  }
  verb.action([sweep](const common::CommonFlags& flags) {
    if (sweep->count) return print_count(*sweep, flags);
    if (sweep->list) return print_list(*sweep, flags);
    return in_group([&](const std::shared_ptr<const ProcessGroup>& group) {
      return on_device([&] { return run_sweep(*sweep, flags, group); });
    });
  });
}

}  // namespace trainer
