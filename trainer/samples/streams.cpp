#include "trainer/samples/streams.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/error.hpp"
#include "common/random.hpp"

namespace trainer {

std::vector<std::int64_t> epoch_order(std::int64_t seed, const std::string& stream, std::int64_t epoch,
                                      std::int64_t count) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  common::Random(seed, stream + "/epoch/" + std::to_string(epoch)).shuffle(order);
  return order;
}

EpochStream::EpochStream(std::int64_t seed, std::string name, std::int64_t count, std::int64_t batch)
    : seed_(seed),
      name_(std::move(name)),
      count_(count),
      batch_(batch),
      steps_per_epoch_((count + batch - 1) / batch) {
  ENSURE(count > 0 && batch > 0);
}

std::vector<std::int64_t> EpochStream::rows(std::int64_t step) const {
  ENSURE(step >= 1);
  const std::vector<std::int64_t> order = epoch_order(seed_, name_, epoch_of(step), count_);
  const std::int64_t begin = (step - 1) % steps_per_epoch_ * batch_;
  return {order.begin() + begin, order.begin() + std::min(count_, begin + batch_)};
}

RetentionStream::RetentionStream(std::int64_t seed, std::int64_t questions, std::int64_t clips,
                                 std::int64_t batch)
    : seed_(seed), clips_(clips), order_(seed, "retention", questions, batch) {
  ENSURE(clips > 0);
}

RetentionDraw RetentionStream::draw(std::int64_t step) const {
  RetentionDraw draw;
  draw.questions = order_.rows(step);
  const std::string epoch = std::to_string(order_.epoch_of(step));
  for (const std::int64_t question : draw.questions) {
    common::Random random(seed_, "distractor/" + epoch + "/" + std::to_string(question));
    draw.clips.push_back(static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(clips_))));
  }
  return draw;
}

std::vector<std::int64_t> retention_subset(std::int64_t seed, std::int64_t count, std::int64_t size) {
  ENSURE(0 <= size && size <= count);
  std::vector<std::int64_t> order = epoch_order(seed, "retention-subset", 0, count);
  order.resize(static_cast<std::size_t>(size));
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<std::int64_t> evaluation_distractors(std::int64_t seed, std::int64_t questions,
                                                 std::int64_t clips) {
  std::vector<std::int64_t> chosen;
  for (std::int64_t round = 0; static_cast<std::int64_t>(chosen.size()) < questions; ++round)
    for (const std::int64_t clip : epoch_order(seed, "evaluation-distractor", round, clips))
      if (static_cast<std::int64_t>(chosen.size()) < questions) chosen.push_back(clip);
  return chosen;
}

}  // namespace trainer
