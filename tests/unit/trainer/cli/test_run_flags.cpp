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
  CHECK(choices_of("--null-space") == trainer::k_null_space_placements);
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

TEST_CASE("the flags of the adapter's shape replace what --model-config fixes, and nothing else") {
  const auto with = [](std::vector<std::string> words) {
    words.insert(words.begin(), {"--variant", "no_retention", "--model-config", "full", "--base", "b"});
    return config_of(words);
  };
  const trainer::RunConfig preset = with({});
  CHECK(preset.fusion.heads == 0);  // as many as the base has
  CHECK(preset.fusion.layers == std::vector<std::int64_t>{6, 12, 24});
  const trainer::RunConfig config =
      with({"--audio-tokens", "5", "--bottleneck", "7", "--fusion-layers", "0,3,11", "--fusion-heads", "2",
            "--lora-rank", "0", "--prompt", "llava"});
  CHECK(config.projector.tokens == 5);
  CHECK(config.projector.bottleneck == 7);
  CHECK(config.fusion.layers == std::vector<std::int64_t>{0, 3, 11});
  CHECK(config.fusion.heads == 2);
  CHECK(config.fusion.rank == 0);
  CHECK(config.prompt == trainer::PromptForm::llava);
  const trainer::RunConfig one = with({"--fusion-layers", "3"});
  CHECK(one.fusion.layers == std::vector<std::int64_t>{3});
  CHECK(one.projector.tokens == preset.projector.tokens);
  CHECK(one.fusion.rank == preset.fusion.rank);
  for (const char* layers : {"3,3", "4,2", "1,", ",1", "-1", "a", "1 2", "99999"}) {
    CAPTURE(layers);
    CHECK_THROWS_AS((void)with({"--fusion-layers", layers}), common::Error);
  }
}

TEST_CASE("phase1 is the original's later configuration") {
  const trainer::RunConfig config =
      config_of({"--variant", "full_safe", "--model-config", "phase1", "--base", "b"});
  CHECK(config.projector.tokens == 32);
  CHECK(config.fusion.rank == 64);
  CHECK(config.fusion.layers == std::vector<std::int64_t>{4, 8, 12, 16, 20, 24, 28, 32, 36});
}
