// Which rows a step sees, as a pure function of seed and step. Nothing is kept between steps, so a resumed
// run sees what an uninterrupted one would have seen; each stream has a generator of its own, so runs with
// one seed hear the same clips in the same order whatever else they do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace trainer {

// A permutation of 0 .. count-1 for one epoch (0-based) of one stream.
[[nodiscard]] std::vector<std::int64_t> epoch_order(std::int64_t seed, const std::string& stream,
                                                    std::int64_t epoch, std::int64_t count);

// Rows in shuffled epochs of ceil(count / batch) steps; the last batch of an epoch may be smaller.
class EpochStream {
 public:
  EpochStream(std::int64_t seed, std::string name, std::int64_t count, std::int64_t batch);
  [[nodiscard]] std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  [[nodiscard]] std::int64_t epoch_of(std::int64_t step) const { return (step - 1) / steps_per_epoch_; }
  // The rows of `step`, counted from 1.
  [[nodiscard]] std::vector<std::int64_t> rows(std::int64_t step) const;

 private:
  std::int64_t seed_;
  std::string name_;
  std::int64_t count_, batch_, steps_per_epoch_;
};

struct RetentionDraw {
  std::vector<std::int64_t> questions;
  std::vector<std::int64_t> clips;  // the distractor of each question
};

// Retention questions in shuffled epochs, each with a distractor clip drawn anew every epoch.
class RetentionStream {
 public:
  RetentionStream(std::int64_t seed, std::int64_t questions, std::int64_t clips, std::int64_t batch);
  [[nodiscard]] RetentionDraw draw(std::int64_t step) const;

 private:
  std::int64_t seed_, clips_;
  EpochStream order_;
};

// `size` of the questions 0 .. count-1, ascending: the first of one permutation, so that a smaller set is
// part of every larger one of that seed. size <= count.
[[nodiscard]] std::vector<std::int64_t> retention_subset(std::int64_t seed, std::int64_t count,
                                                         std::int64_t size);

// Evaluation's own fixed distractors: question i hears clip distractors[i], drawn without replacement as far
// as the clips go.
[[nodiscard]] std::vector<std::int64_t> evaluation_distractors(std::int64_t seed, std::int64_t questions,
                                                               std::int64_t clips);

}  // namespace trainer
