#include "trainer/train/experiment.hpp"

#include <algorithm>

#include "common/error.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

PackSamples pack_with(std::int64_t questions) {
  PackSamples samples;
  for (std::int64_t i = 0; i < questions; ++i) {
    QuestionSample question;
    question.question_id = i;
    samples.retention.push_back(question);
  }
  return samples;
}

std::vector<std::int64_t> ids_of(const PackSamples& samples, std::int64_t size, std::int64_t seed) {
  RunConfig config;
  config.seed = seed;
  config.retention.questions = size;
  std::vector<std::int64_t> ids;
  for (const QuestionSample& question : select_samples(samples, config).retention)
    ids.push_back(question.question_id);
  return ids;
}

}  // namespace

TEST_CASE("a run takes the retention questions that it asks for, by its seed, and 0 is all of the pack's") {
  const PackSamples samples = pack_with(40);
  CHECK(ids_of(samples, 0, 1).size() == 40);
  CHECK(ids_of(samples, 40, 1) == ids_of(samples, 0, 1));
  CHECK(ids_of(samples, 8, 1).size() == 8);
  CHECK(ids_of(samples, 8, 1) != ids_of(samples, 8, 2));
  const std::vector<std::int64_t> few = ids_of(samples, 8, 1), more = ids_of(samples, 16, 1);
  CHECK(std::includes(more.begin(), more.end(), few.begin(), few.end()));
}

TEST_CASE("more retention questions than the pack has are refused with both numbers") {
  CHECK_THROWS_WITH_AS((void)ids_of(pack_with(40), 41, 1),
                       doctest::Contains("--retention-size is 41 and the pack has 40"), common::Error);
}
