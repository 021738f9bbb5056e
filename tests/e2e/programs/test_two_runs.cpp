#include <doctest/doctest.h>

#ifdef SAFE_TRAINER

#include <fstream>

#include "tests/support/small_world.hpp"

// Two trainers at once, and trainers that were killed.

using namespace support::small_world;
using support::Finished;
using support::run_process;

namespace {

const std::vector<std::string> k_more = {"--num-epochs", "60", "--checkpoint-every", "20"};  // 120 steps

std::string command_of(const std::vector<std::string>& arguments) {
  std::string command = "'" + k_bin + "/safe-trainer' --quiet";
  for (const std::string& word : arguments) command += " " + support::quoted(word);
  return command;
}

// Starts a run and kills it once it has `lines` lines of history.
void leave_killed(const std::string& out, const std::vector<std::string>& arguments, int lines) {
  const World& w = world();
  const std::string script = command_of(arguments) + " & pid=$!; for i in $(seq 1200); do n=$(cat '" +
                             w.root + "/" + out + "'/*/history.jsonl 2>/dev/null | wc -l); [ \"$n\" -ge " +
                             std::to_string(lines) +
                             " ] && break; sleep 0.02; done; kill -KILL $pid; wait $pid";
  REQUIRE(run_process({"bash", "-c", script}).code == 137);
}

std::vector<std::int64_t> steps_of(const fs::path& run) {
  std::vector<std::int64_t> steps;
  std::ifstream history(run / "history.jsonl");
  for (std::string line; std::getline(history, line);)
    steps.push_back(common::parse_json(line, "history").at("step").get<std::int64_t>());
  return steps;
}

}  // namespace

TEST_CASE("of two that resume one run at once the second is told so, and no step is in the history twice") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "undisturbed", k_more)));
  const std::string whole = support::text_of_file(w.only_run("undisturbed") / "history.jsonl");
  leave_killed("killed", w.run("no_retention", "killed", k_more), 30);
  int refused = 0;
  for (const char* delay : {"0", "0.01", "0.02", "0.04"}) {
    CAPTURE(delay);
    const std::string out = "twice" + std::string(delay);
    fs::copy(w.root + "/killed", w.root + "/" + out, fs::copy_options::recursive);
    std::vector<std::string> again = w.run("no_retention", out, k_more);
    again.emplace_back("--resume");
    const Finished both =
        run_process({"bash", "-c",
                     command_of(again) + " & a=$!; sleep " + delay + "; " + command_of(again) +
                         " & b=$!; wait $a; echo $?; wait $b; echo $?"});
    CAPTURE(both.out);
    CAPTURE(both.err);
    const bool one_refused = both.err.find("is in use by process") != std::string::npos;
    CHECK(both.out.find(one_refused ? "3\n" : "0\n") != std::string::npos);
    CHECK(both.out.find("0\n") != std::string::npos);
    refused += one_refused ? 1 : 0;
    const fs::path run = w.only_run(out);
    CHECK(support::text_of_file(run / "history.jsonl") == whole);
    CHECK(trainer({"verify-run", run.string()}).code == 0);
    const std::vector<std::int64_t> steps = steps_of(run);
    for (std::size_t i = 0; i < steps.size(); ++i) CHECK(steps[i] == static_cast<std::int64_t>(i) + 1);
    CHECK(json_of(run / "config.json").at("resumed_at_steps").size() == 1);
    // Nothing but the run is left.
    for (const auto& entry : fs::directory_iterator(w.root + "/" + out))
      CHECK((entry.path() == run || entry.path().filename() == ".features"));
  }
  CHECK(refused == 4);
  CHECK(json_of(w.only_run("undisturbed") / "config.json").at("resumed_at_steps") == common::Json::array());
}

TEST_CASE("what a killed run left of its sources is gone after the next run") {
  const World& w = world();
  const auto arguments = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = {
        "--train-source", "audiocaps", "--val-source", "vqa", "--data-path", w.root + "/data",
        "--subset-size",  "6",         "--val-size",   "10"};
    all.insert(all.end(), more.begin(), more.end());
    return w.run("no_retention", "swept_sources", all);
  };
  const std::string script = command_of(arguments({})) + " & pid=$!; for i in $(seq 2000); do ls -d '" +
                             w.root +
                             "'/swept_sources/.source-* >/dev/null 2>&1 && break; sleep 0.005; done; " +
                             "kill -KILL $pid; wait $pid";
  REQUIRE(run_process({"bash", "-c", script}).code == 137);
  REQUIRE_FALSE(fs::is_empty(w.root + "/swept_sources"));
  World::ok(trainer(arguments({"--num-epochs", "1"})));
  for (const auto& entry : fs::directory_iterator(w.root + "/swept_sources")) {
    CAPTURE(entry.path().string());
    CHECK(entry.path().filename().string().find("source-") == std::string::npos);
  }
}

#endif
