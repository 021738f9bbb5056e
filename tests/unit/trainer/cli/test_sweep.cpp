#include <set>

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/cli/sweep.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

std::vector<SweepRun> read(const std::string& text, const std::map<std::string, std::string>& places = {}) {
  const support::Scratch scratch;
  support::put_file(scratch / "sweep.json", text);
  return read_sweep(scratch / "sweep.json", places);
}

common::ErrorKind refusal_of(const std::string& text) {
  try {
    (void)read(text);
  } catch (const common::Error& error) {
    return error.kind();
  }
  FAIL("accepted: " << text);
  return common::ErrorKind::usage;
}

}  // namespace

TEST_CASE(
    "a sweep is every condition with every seed, and a condition's own flags win over the common ones") {
  const std::vector<SweepRun> runs = read(
      R"({"run": {"num-epochs": 7, "eval-audio-gate-comparison": true}, "seeds": [1, 2], "conditions": [
          {"name": "plain", "variant": "no_retention"},
          {"name": "KL, harder", "variant": "no_retention", "kl-weight": 0.5, "num-epochs": 9}]})",
      {{"pack-root", "somewhere"}});
  REQUIRE(runs.size() == 4);
  CHECK(runs[0].seed == 1);
  CHECK(runs[1].seed == 1);
  CHECK(runs[3].seed == 2);
  CHECK(runs[0].config.epochs == 7);
  CHECK(runs[0].config.retention.of<trainer::KlOptions>().weight == 0);
  CHECK(runs[0].config.evaluation.gate_comparison == GateComparison::sweep);
  CHECK(runs[3].config.epochs == 9);
  CHECK(runs[3].config.seed == 2);
  CHECK(runs[3].config.name == "KL, harder");
  CHECK(runs[3].config.retention.of<trainer::KlOptions>().weight == 0.5);
  CHECK(runs[3].config.pack_root == "somewhere");
}

TEST_CASE("what is no sweep is refused before anything runs") {
  using common::ErrorKind;
  CHECK(refusal_of("[]") == ErrorKind::format);
  CHECK(refusal_of(R"({"seeds": [1], "conditions": []})") == ErrorKind::format);
  CHECK(refusal_of(R"({"seeds": [], "conditions": [{"name": "a", "variant": "full_safe"}]})") ==
        ErrorKind::format);
  CHECK(refusal_of(R"({"seeds": [1.5], "conditions": [{"name": "a", "variant": "full_safe"}]})") ==
        ErrorKind::format);
  CHECK(refusal_of(R"({"seeds": [1], "extra": 1, "conditions": [{"name": "a", "variant": "full_safe"}]})") ==
        ErrorKind::format);
  CHECK(refusal_of(R"({"seeds": [1], "conditions": [{"name": "a", "variant": "full_safe"},
                                                    {"name": "a", "variant": "full_safe"}]})") ==
        ErrorKind::format);
  CHECK(refusal_of(R"({"seeds": [1], "conditions": [{"name": "a", "variant": "full_safe", "seed": 3}]})") ==
        ErrorKind::format);
  CHECK(refusal_of(R"({"seeds": [1], "conditions": [{"name": "a", "variant": "full_safe", "lr": 3}]})") ==
        ErrorKind::usage);
  CHECK(refusal_of(R"({"seeds": [1], "conditions": [{"name": "a", "variant": "half_safe"}]})") ==
        ErrorKind::usage);
  CHECK(refusal_of(R"({"seeds": [1], "conditions": [{"name": "a"}]})") == ErrorKind::usage);
}

TEST_CASE("the sweeps of the ablation are sweeps, and no two conditions of one are the same experiment") {
  std::size_t sweeps = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(SAFE_SOURCE_DIR "/experiments/overfitting/configs")) {
    CAPTURE(entry.path().string());
    ++sweeps;
    const std::vector<SweepRun> runs = read_sweep(entry.path().string(), {});
    std::set<std::string> digests;
    for (SweepRun run : runs) {
      run.config.name.clear();
      digests.insert(config_digest(config_json(run.config, {})).hex());
    }
    CHECK(digests.size() == runs.size());
    CHECK(runs.size() > 1);
  }
  CHECK(sweeps >= 5);
}
