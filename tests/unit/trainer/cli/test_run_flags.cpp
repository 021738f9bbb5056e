#include <algorithm>

#include "common/error.hpp"
#include "trainer/cli/run_flags.hpp"

#include <doctest/doctest.h>

namespace {

std::vector<std::string> choices_of(const std::string& flag) {
  common::Verb verb({"run", "", {}, {}});
  trainer::RunFlags flags;
  trainer::add_run_flags(verb, flags);
  std::vector<std::string> values;
  for (const common::Flag& one : verb.flags())
    if (one.name() == flag)
      for (const common::Choice& choice : one.all_choices()) values.push_back(choice.value);
  return values;
}

trainer::RunConfig config_of(const std::vector<std::string>& words) {
  common::Verb verb({"run", "", {}, {}});
  trainer::RunFlags flags;
  trainer::add_run_flags(verb, flags);
  verb.parse(words);
  return trainer::resolve(flags);
}

}  // namespace

TEST_CASE("the choices of --variant and --null-space are those that the trainer knows") {
  CHECK(choices_of("--variant") == trainer::k_variants);
  std::vector<std::string> placements = {"off"};
  placements.insert(placements.end(), trainer::k_null_space_placements.begin(),
                    trainer::k_null_space_placements.end());
  CHECK(choices_of("--null-space") == placements);
}

TEST_CASE("every flag of the original is there, with its name, and the aliases lead to the same settings") {
  const trainer::RunConfig config =
      config_of({"--variant", "full_safe", "--pack", "p", "--expect", std::string(64, 'a'), "--trust",
                 "k.pub.pem", "-o", "runs", "--num-workers", "3", "--no-eval-with-audio-gate"});
  CHECK(config.pack_root == "p");
  CHECK(config.expected_pack_id->hex() == std::string(64, 'a'));
  CHECK(config.required_key == "k.pub.pem");
  CHECK(config.output_root == "runs");
  CHECK(config.threads == 3);
  CHECK(config.evaluation.audio_gate == trainer::AudioGate::off);
  for (const char* flag : {"--variant",
                           "--subset-size",
                           "--seed",
                           "--train-source",
                           "--val-source",
                           "--val-size",
                           "--train-batch-size",
                           "--val-batch-size",
                           "--num-epochs",
                           "--lr-projector",
                           "--lr-adapter",
                           "--null-space-rank",
                           "--null-space-min-samples",
                           "--null-space-refresh",
                           "--num-workers",
                           "--data-path",
                           "--pack-root",
                           "--output-root",
                           "--model-config",
                           "--max-eval-batches",
                           "--max-audio-eval-batches",
                           "--max-vl-eval-batches",
                           "--eval-with-audio-gate",
                           "--eval-audio-gate-comparison",
                           "--eval-logging-steps",
                           "--train-accuracy-interval",
                           "--train-accuracy-warmup",
                           "--train-eval-batches",
                           "--generation-max-new-tokens",
                           "--audio-generation-max-new-tokens",
                           "--debug-logging"}) {
    CAPTURE(flag);
    common::Verb verb({"run", "", {}, {}});
    trainer::RunFlags flags;
    trainer::add_run_flags(verb, flags);
    CHECK(std::any_of(verb.flags().begin(), verb.flags().end(), [&](const common::Flag& one) {
      return std::count(one.names().begin(), one.names().end(), flag) == 1;
    }));
  }
}

TEST_CASE("the original's negative limits of batches mean all, a batch of no size is refused") {
  CHECK(config_of({"--variant", "no_retention", "--max-eval-batches", "-1"}).evaluation.max_batches == -1);
  CHECK_THROWS_AS((void)config_of({"--variant", "no_retention", "--val-batch-size", "0"}), common::Error);
  CHECK_THROWS_AS((void)config_of({"--variant", "no_retention", "--null-space-energy", "1.5"}),
                  common::Error);
}
