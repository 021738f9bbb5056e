// What was seen while a model was trained: it changes nothing of the training, and a run that is stopped has
// it as one that was not.
#include <signal.h>
#include <sys/wait.h>

#include <thread>

#include "tests/support/small_world.hpp"
#include "tests/support/start.hpp"

#include <doctest/doctest.h>

using namespace support::small_world;

namespace {

const std::vector<std::string> k_looks = {"--learning-curve-every", "3", "--learning-curve-items", "5"};

std::string text_in(const std::string& out, const char* file) {
  return support::text_of_file(world().only_run(out) / file);
}

}  // namespace

TEST_CASE("looking at a model while it is trained changes nothing of the run") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "unseen")));
  World::ok(trainer(w.run("no_retention", "seen", k_looks)));
  for (const char* file : {"history.jsonl", "predictions.jsonl", "metrics.json"}) {
    CAPTURE(file);
    CHECK(text_in("seen", file) == text_in("unseen", file));
  }
  CHECK(trainer({"verify-run", w.only_run("seen")}).code == 0);
  CHECK(json_of(w.only_run("seen") / "config.json").at("learning_curve") ==
        common::Json{{"every", 3}, {"items", 5}});
  CHECK_FALSE(fs::exists(w.only_run("unseen") / "learning_curve.jsonl"));
  // Eight steps: looks at 3 and 6.
  const std::string curve = text_in("seen", "learning_curve.jsonl");
  CHECK(std::count(curve.begin(), curve.end(), '\n') == 2);
}

TEST_CASE("a run that is stopped or killed while it is looked at ends with the same curve") {
  const World& w = world();
  std::vector<std::string> more = {"--num-epochs",           "40", "--checkpoint-every", "7",
                                   "--learning-curve-every", "2"};
  World::ok(trainer(w.run("no_retention", "curve_whole", more)));
  more.emplace_back("--resume");
  for (int attempt = 0; attempt < 12; ++attempt) {
    const std::uintmax_t before = history_bytes(fs::path(w.root) / "curve_stopped");
    std::vector<std::string> command = w.run("no_retention", "curve_stopped", more);
    command.insert(command.begin(), {k_bin + "/safe-trainer", "--quiet"});
    const pid_t child = support::start(command);
    REQUIRE(child > 0);
    // Somewhere in training, each time at another place.
    for (int i = 0; i < 6000 && history_bytes(fs::path(w.root) / "curve_stopped") <= before + 200U; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    std::this_thread::sleep_for(std::chrono::milliseconds(attempt));
    ::kill(child, attempt % 2 == 0 ? SIGTERM : SIGKILL);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
  }
  World::ok(trainer(w.run("no_retention", "curve_stopped", more)));
  for (const char* file : {"history.jsonl", "predictions.jsonl", "metrics.json", "learning_curve.jsonl"}) {
    CAPTURE(file);
    CHECK(text_in("curve_stopped", file) == text_in("curve_whole", file));
  }
  CHECK(trainer({"verify-run", w.only_run("curve_stopped")}).code == 0);
}
