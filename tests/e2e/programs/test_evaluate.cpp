#include <doctest/doctest.h>

#ifdef SAFE_TRAINER

#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <chrono>
#include <thread>

#include "tests/support/small_world.hpp"
#include "tests/support/start.hpp"

using namespace support::small_world;

namespace {

std::vector<std::string> evaluate(const World& w, const fs::path& run, const std::string& out,
                                  const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {
      "evaluate",        run.string(),    "--base",           w.base + "/vl",    "--audio-encoder",
      w.base + "/audio", "--output-root", w.root + "/" + out, "--feature-cache", "off"};
  if (std::find(more.begin(), more.end(), "--pack-root") == more.end())
    arguments.insert(arguments.end(), {"--pack-root", w.pack});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

// What an evaluation has remembered below its output root.
std::uintmax_t remembered_bytes(const std::string& out) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(out, none))
    if (entry.path().filename().string().starts_with(".evaluation-"))
      if (const std::uintmax_t bytes = fs::file_size(entry.path() / "evaluation.jsonl", none); !none)
        return bytes;
  return 0;
}

}  // namespace

TEST_CASE("a run that is judged again on its own pack says what it said, letter for letter") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "judged", {"--null-space", "gate", "--num-epochs", "20"})));
  const fs::path run = w.only_run("judged");
  World::ok(trainer(evaluate(w, run, "again")));
  const fs::path again = w.only_run("again");
  CHECK(support::text_of_file(run / "predictions.jsonl") ==
        support::text_of_file(again / "predictions.jsonl"));
  const common::Json before = json_of(run / "metrics.json");
  const common::Json after = json_of(again / "metrics.json");
  CHECK(before.at("validation").at("conditions") == after.at("validation").at("conditions"));
  CHECK(json_of(again / "config.json").at("evaluated_run").at("name") == run.filename().string());
  CHECK(trainer({"verify-run", again.string()}).code == 0);
  CHECK(trainer({"report", run.string(), again.string()}).code == 0);
  World::ok(
      trainer(evaluate(w, run, "every_gate", {"--eval-audio-gate-comparison", "--eval-beyond-stream"})));
  const common::Json more =
      json_of(w.only_run("every_gate") / "metrics.json").at("validation").at("conditions");
  CHECK(more.contains("gate_0.25"));
  CHECK(more.contains("instruction_moved:distractor_memorised"));
  CHECK(more.at("no_audio") == after.at("validation").at("conditions").at("no_audio"));
}

TEST_CASE("whatever a run was told, its seal holds, and it is reported and judged again") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "unusual",
                          {"--gradient-accumulation-steps",
                           "3",
                           "--num-epochs",
                           "5",
                           "--silence-baseline",
                           "off",
                           "--fusion-positions",
                           "all",
                           "--fusion-layers",
                           "2",
                           "--fusion-heads",
                           "2",
                           "--lora-rank",
                           "3",
                           "--audio-tokens",
                           "3",
                           "--bottleneck",
                           "20",
                           "--gate-scale",
                           "0.5",
                           "--l2-sp-weight",
                           "0.01",
                           "--replay-weight",
                           "0.1",
                           "--start-average",
                           "0.9",
                           "--retention-size",
                           "9",
                           "--retention-batch-size",
                           "2",
                           "--train-accuracy-interval",
                           "2",
                           "--train-accuracy-warmup",
                           "0",
                           "--learning-curve-every",
                           "2",
                           "--learning-curve-items",
                           "3",
                           "--val-batch-size",
                           "3",
                           "--train-eval-batches",
                           "0",
                           "--subset-size",
                           "13"})));
  const fs::path run = w.only_run("unusual");
  World::ok(trainer({"verify-run", run.string(), "--pack", w.pack}));
  World::ok(trainer(evaluate(w, run, "unusual_again")));
  const fs::path again = w.only_run("unusual_again");
  World::ok(trainer({"report", run.string(), again.string()}));
  CHECK(support::text_of_file(run / "predictions.jsonl") ==
        support::text_of_file(again / "predictions.jsonl"));
}

TEST_CASE("a judging that is stopped or killed goes on where it was, and ends with the same bytes") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "to_judge", {"--num-epochs", "2", "--val-batch-size", "1"})));
  const fs::path run = w.only_run("to_judge");
  const std::string out = w.root + "/judged_in_parts";
  std::vector<std::string> command = evaluate(w, run, "judged_in_parts", {"--eval-audio-gate-comparison"});
  command.insert(command.begin(), {k_bin + "/safe-trainer", "--quiet", "--threads", "1"});
  for (const int signal : {SIGTERM, SIGKILL}) {
    const std::uintmax_t before = remembered_bytes(out);
    const pid_t child = support::start(command);
    REQUIRE(child > 0);
    for (int i = 0; i < 60000 && remembered_bytes(out) <= before; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ::kill(child, signal);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (signal == SIGTERM) CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 75));
    CHECK(remembered_bytes(out) > before);
  }
  World::ok(support::run_process(command));
  World::ok(trainer(evaluate(w, run, "judged_at_once", {"--eval-audio-gate-comparison"})));
  for (const char* file : {"predictions.jsonl", "metrics.json"})
    CHECK(support::text_of_file(w.only_run("judged_in_parts") / file) ==
          support::text_of_file(w.only_run("judged_at_once") / file));
  for (const auto& entry : fs::directory_iterator(out))
    CHECK_FALSE(entry.path().filename().string().starts_with(".evaluation-"));
}

TEST_CASE("two equal runs that begin together are one: the other goes on with it or says who has it") {
  const World& w = world();
  for (const std::string out : {"twice_a", "twice_b", "twice_c"}) {
    std::vector<std::string> command = w.run("no_retention", out, {"--num-epochs", "2", "--resume"});
    command.insert(command.begin(), k_bin + "/safe-trainer");
    std::array<pid_t, 2> both{};
    for (std::size_t i = 0; i < both.size(); ++i)
      both[i] = support::start(command, "/dev/null", w.root + "/twice.err" + std::to_string(i));
    std::size_t finished = 0;
    for (std::size_t i = 0; i < both.size(); ++i) {
      int status = 0;
      REQUIRE(::waitpid(both[i], &status, 0) == both[i]);
      REQUIRE(WIFEXITED(status));
      if (WEXITSTATUS(status) == 0) {
        ++finished;
        continue;
      }
      CHECK(WEXITSTATUS(status) == 3);
      CHECK(support::text_of_file(w.root + "/twice.err" + std::to_string(i)).find("process") !=
            std::string::npos);
    }
    CHECK(finished >= 1);
    CHECK(fs::exists(w.only_run(out) / "SHA256SUMS"));
  }
}

TEST_CASE("on another pack only what a run learnt counts as memorised") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "elsewhere", {"--num-epochs", "2"})));
  const fs::path run = w.only_run("elsewhere");
  const std::string other = w.root + "/other";
  fs::create_directories(other);
  World::ok(manifest({"audio", "--metadata", w.root + "/data/audiocaps/train.csv", "--subset-size", "9",
                      "--seed", "5", "--output", other + "/subset_manifest.json"}));
  World::ok(manifest({"val", "--subset-size", "10", "--seed", "5", "--output", other + "/val_manifest.json",
                      "--questions", w.vqa + "/v2_OpenEnded_mscoco_val2014_questions.json", "--annotations",
                      w.vqa + "/v2_mscoco_val2014_annotations.json"}));
  World::ok(packer({"build", "--quiet", "--manifest", other + "/subset_manifest.json", "--val-manifest",
                    other + "/val_manifest.json", "--source-root", w.root + "/data/audiocaps", "--dest-root",
                    other + "/pack"}));
  World::ok(trainer(evaluate(w, run, "there", {"--pack-root", other + "/pack"})));
  const common::Json metrics = json_of(w.only_run("there") / "metrics.json").at("validation");
  CHECK(metrics.at("conditions").at("no_audio").at("questions") == 10);
  const common::Json& audio = metrics.at("audio");
  const std::int64_t known = audio.contains("memorised") ? audio.at("memorised").at("samples").get<int>() : 0;
  CHECK(known + audio.at("held_out").at("samples").get<int>() == 9);
  CHECK(known < 9);
  CHECK(json_of(w.only_run("there") / "config.json").at("pack_id") !=
        json_of(run / "config.json").at("pack_id"));
}

TEST_CASE("a run that has changed, and a base that is not its own, are not judged") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "unjudged", {"--num-epochs", "1"})));
  const fs::path run = w.only_run("unjudged");
  const std::string other = w.root + "/other_base";
  fs::copy(w.base, other, fs::copy_options::recursive);
  const std::string used = other + "/vl/preprocessor_config.json";
  support::put_file(used, support::text_of_file(used) + "\n");
  const support::Finished swapped =
      trainer({"evaluate", run.string(), "--base", other + "/vl", "--audio-encoder", w.base + "/audio",
               "--pack-root", w.pack, "--output-root", w.root + "/nothing"});
  CHECK(swapped.code == 1);
  CHECK(swapped.err.find("name the right folder with --base") != std::string::npos);
  support::put_file((run / "subset_indices.json").string(), "[]");
  CHECK(trainer(evaluate(w, run, "nothing")).code == 1);
  CHECK_FALSE(fs::exists(w.root + "/nothing"));
}

#endif
