#include "trainer/train/preconditions.hpp"

#include <string>

#include "common/error.hpp"
#include "tests/support/holds.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

constexpr std::size_t k_clips = 10, k_questions = 64;

RunConfig soft_retention(std::int64_t epochs) {
  RunConfig config;
  config.variant = "soft_retention";
  config.retention = preset_of(config.variant);
  config.retention.of<FisherOptions>().every = 100;
  config.train_batch_size = 5;  // two steps an epoch
  config.epochs = epochs;
  return config;
}

Selection selection_with(std::size_t questions) {
  Selection selection;
  selection.train.resize(k_clips);
  for (auto& clip : selection.train) clip.captions = {"a dog barks"};
  selection.retention.resize(questions);
  return selection;
}

std::string refusal(const RunConfig& config, const Selection& selection) {
  try {
    require_mechanisms_can_act(config, selection);
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::mismatch);
    return error.what();
  }
  return {};
}

using support::holds;

}  // namespace

TEST_CASE("training that ends before the Fisher penalty moves anything is refused with the epochs it takes") {
  for (const std::int64_t epochs : {1, 49, 50}) {
    CAPTURE(epochs);
    const std::string why = refusal(soft_retention(epochs), selection_with(k_questions));
    CHECK(holds(why, "step 100"));
    CHECK(holds(why, "--num-epochs 51"));
  }
  CHECK(refusal(soft_retention(51), selection_with(k_questions)).empty());
  RunConfig without = soft_retention(1);
  without.retention = preset_of("no_retention");
  CHECK(refusal(without, selection_with(k_questions)).empty());
}

TEST_CASE("a mechanism without retention questions is refused, and training without mechanisms is not") {
  CHECK(holds(refusal(soft_retention(60), selection_with(0)), "safe-manifest retention"));
  RunConfig none = soft_retention(1);
  none.retention = preset_of("no_retention");
  CHECK(refusal(none, selection_with(0)).empty());
}

TEST_CASE("a null space on fewer questions than it needs is refused with both numbers") {
  RunConfig config = soft_retention(60);
  config.retention = preset_of("full_safe");
  CHECK(holds(refusal(config, selection_with(63)), "at least 64 retention questions, and the run has 63"));
  CHECK(refusal(config, selection_with(64)).empty());
}

TEST_CASE(
    "every mechanism is refused in training that ends before it changes a weight, with the steps it needs") {
  const auto alone = [](const std::string& variant, std::int64_t epochs) {
    RunConfig config = soft_retention(epochs);
    config.retention = preset_of(variant);
    config.train_batch_size = k_clips;  // one step an epoch
    return config;
  };
  RunConfig kl = alone("soft_retention", 2);
  kl.retention.of<FisherOptions>().weight = 0;
  CHECK(holds(refusal(kl, selection_with(k_questions)),
              "KL first changes a weight in step 2, so it needs 3 steps"));
  CHECK(holds(refusal(kl, selection_with(k_questions)), "this run has 2; take --num-epochs 3 or more"));
  CHECK(holds(refusal(kl, selection_with(k_questions)), "(--kl-weight 0)"));
  kl.epochs = 3;
  CHECK(refusal(kl, selection_with(k_questions)).empty());
  for (const NullSpacePlacement placement :
       {NullSpacePlacement::gate, NullSpacePlacement::query, NullSpacePlacement::output,
        NullSpacePlacement::all, NullSpacePlacement::gradient}) {
    CAPTURE(text_of(placement));
    RunConfig space = alone("no_retention", 1);
    space.retention.of<NullSpaceOptions>().placement = placement;
    CHECK(holds(refusal(space, selection_with(k_questions)), "null space first changes a weight"));
    space.epochs = 3;
    CHECK(refusal(space, selection_with(k_questions)).empty());
  }
}
