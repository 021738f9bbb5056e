// A run that fails or is killed at any system call: its folder can be gone on with, and its history has whole
// lines, each step once.
#include "trainer/results/run_directory.hpp"

#include <cstdio>

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/run_apart.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/results/run_seal.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Fault;
using trainer::RunDirectory;

const common::Digest k_config = common::digest_of("a configuration");
constexpr int k_steps = 4;

std::string line(int step) { return "{\"step\": " + std::to_string(step) + "}\n"; }
std::string lines(int steps) {
  std::string all;
  for (int i = 1; i <= steps; ++i) all += line(i);
  return all;
}

// As a run does it, from where an earlier one was; the history's length stands for a checkpoint.
void run_once(const fs::path& root) {
  std::optional<RunDirectory> run;
  if (const auto found = trainer::find_run(root, "full_safe", k_config)) {
    if (trainer::is_finished(*found)) return;
    run = RunDirectory::open_unfinished(*found);
  }
  if (!run)
    run = RunDirectory::create(root, "full_safe", k_config, std::chrono::system_clock::from_time_t(0));
  run->write_config({{"variant", "full_safe"}, {"config_digest", k_config.hex()}});
  std::uint64_t saved = 0;
  if (run->folder().look("checkpoints/last"))
    saved = std::stoull(run->folder().read_text("checkpoints/last", 100));
  run->cut_history(saved);
  trainer::JsonLines history = run->history();
  for (int step = static_cast<int>(saved / line(1).size()) + 1; step <= k_steps; ++step) {
    history.append({{"step", step}});
    if (step % 2 == 0) run->folder().write("checkpoints/last", std::to_string(history.save().size));
  }
  run->write_subset_indices({});
  run->write_predictions({});
  run->write_metrics({});
}

}  // namespace

TEST_CASE("whichever system call is the last of a run, the next one goes on and has every step once") {
  for (const Fault fault : {Fault::killed, Fault::error, Fault::full, Fault::interrupted, Fault::cut_short}) {
    std::uint64_t at = 0;
    for (;; ++at) {
      const support::Scratch scratch;
      const int code = support::run_apart(scratch.path(), fault, at + 1, [&] { run_once(scratch / "runs"); });
      const support::CallCount calls = support::count_calls();
      CAPTURE(at);
      CAPTURE(static_cast<int>(fault));
      CAPTURE(std::string(calls.name));
      CHECK((code == 0 || code == (fault == Fault::killed ? support::k_killed : 3)));
      if (!calls.struck) break;
      CHECK(support::run_apart(scratch.path(), Fault::none, 0, [&] { run_once(scratch / "runs"); }) == 0);
      const auto run = trainer::find_run(scratch / "runs", "full_safe", k_config);
      REQUIRE(run.has_value());
      CHECK(support::text_of_file(*run / "history.jsonl") == lines(k_steps));
      trainer::seal_run(*run);  // no draft is left in it
      CHECK(trainer::check_run_seal(common::Folder::open(*run), {}).findings.empty());
    }
    std::printf("run, fault %d: %llu calls\n", static_cast<int>(fault), static_cast<unsigned long long>(at));
    CHECK(at > 5);
  }
}
