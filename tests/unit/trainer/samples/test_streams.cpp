#include <doctest/doctest.h>

#include <algorithm>
#include <numeric>

#include "trainer/samples/streams.hpp"

using namespace trainer;

TEST_CASE("an epoch is every row once, and another epoch another order") {
  const EpochStream stream(42, "audio", 10, 4);
  CHECK(stream.steps_per_epoch() == 3);
  std::vector<std::vector<std::int64_t>> epochs(2);
  for (std::int64_t step = 1; step <= 6; ++step) {
    CHECK(stream.epoch_of(step) == (step - 1) / 3);
    for (const std::int64_t row : stream.rows(step))
      epochs[static_cast<std::size_t>((step - 1) / 3)].push_back(row);
  }
  CHECK(epochs[0] != epochs[1]);
  for (auto& epoch : epochs) {
    std::sort(epoch.begin(), epoch.end());
    std::vector<std::int64_t> all(10);
    std::iota(all.begin(), all.end(), 0);
    CHECK(epoch == all);
  }
}

TEST_CASE("a step's rows depend on the seed, the stream and the step alone") {
  const EpochStream stream(42, "audio", 100, 8);
  (void)stream.rows(3);
  CHECK(stream.rows(20) == EpochStream(42, "audio", 100, 8).rows(20));
  CHECK(stream.rows(20) != EpochStream(43, "audio", 100, 8).rows(20));
  CHECK(stream.rows(20) != EpochStream(42, "retention", 100, 8).rows(20));
}

TEST_CASE("a retention question hears another distractor in another epoch") {
  const RetentionStream stream(1, 6, 50, 6);
  const RetentionDraw first = stream.draw(1);
  const RetentionDraw second = stream.draw(2);
  CHECK(first.questions.size() == 6);
  CHECK(first.clips.size() == 6);
  const auto clip_of = [](const RetentionDraw& draw, std::int64_t question) {
    const auto found = std::find(draw.questions.begin(), draw.questions.end(), question);
    return draw.clips[static_cast<std::size_t>(found - draw.questions.begin())];
  };
  int changed = 0;
  for (std::int64_t question = 0; question < 6; ++question)
    if (clip_of(first, question) != clip_of(second, question)) ++changed;
  CHECK(changed >= 4);
  CHECK(stream.draw(1).clips == first.clips);
}

TEST_CASE("evaluation's distractors use every clip before any twice") {
  const std::vector<std::int64_t> chosen = evaluation_distractors(42, 25, 10);
  CHECK(chosen.size() == 25);
  for (std::int64_t clip = 0; clip < 10; ++clip) {
    const auto count = std::count(chosen.begin(), chosen.end(), clip);
    CHECK(count >= 2);
    CHECK(count <= 3);
  }
}

TEST_CASE(
    "retention questions are drawn so that a smaller set is part of every larger one, and all are all") {
  const std::vector<std::int64_t> all = trainer::retention_subset(42, 20, 20);
  for (std::int64_t i = 0; i < 20; ++i) CHECK(all[static_cast<std::size_t>(i)] == i);
  std::vector<std::int64_t> smaller;
  for (std::int64_t size = 1; size <= 20; ++size) {
    const std::vector<std::int64_t> larger = trainer::retention_subset(42, 20, size);
    CHECK(static_cast<std::int64_t>(larger.size()) == size);
    CHECK(std::is_sorted(larger.begin(), larger.end()));
    CHECK(std::includes(larger.begin(), larger.end(), smaller.begin(), smaller.end()));
    smaller = larger;
  }
  CHECK(trainer::retention_subset(42, 1000, 16) != trainer::retention_subset(43, 1000, 16));
  CHECK(trainer::retention_subset(42, 1000, 16) == trainer::retention_subset(42, 1000, 16));
}
