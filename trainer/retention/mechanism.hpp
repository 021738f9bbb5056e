// What every retention mechanism is to the training loop: something that may prepare itself before the first
// step, and that adds a value and a gradient at each step. One file a mechanism; the loop knows no other
// name. Axes: N answer positions of a batch, V vocabulary.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "trainer/data/batch.hpp"
#include "trainer/model/safe_model.hpp"
#include "trainer/model/tensor.hpp"
#include "trainer/run/streams.hpp"

namespace trainer {

// What a mechanism may look at: the model in training, and retention questions heard with distractor clips.
struct RetentionScene {
  SafeModel& model;
  const std::vector<EncodedRow>& rows;  // the retention questions
  const torch::Tensor& clips;           // [clips, D], from which distractors are drawn
  const RetentionStream& stream;
};

// A mechanism's part of one step. Gradients are in the order of model.parameters(); undefined where there is
// none.
struct RetentionTerm {
  double value = 0;
  std::vector<torch::Tensor> gradients;
  double gradient_norm = 0;
};

// Global L2 norm over all that are defined.
[[nodiscard]] double gradient_norm(const std::vector<torch::Tensor>& gradients);

class RetentionMechanism {
 public:
  RetentionMechanism() = default;
  virtual ~RetentionMechanism() = default;
  RetentionMechanism(const RetentionMechanism&) = delete;
  RetentionMechanism& operator=(const RetentionMechanism&) = delete;

  [[nodiscard]] virtual std::string name() const = 0;
  // Once, before step 1 (also before a resumed run goes on: what is built here is a function of the frozen
  // base).
  virtual void prepare(RetentionScene& /*scene*/) {}
  virtual RetentionTerm term(std::int64_t step, RetentionScene& scene) = 0;
  // What a checkpoint must hold so that a resumed run goes on with the same bytes.
  [[nodiscard]] virtual std::map<std::string, torch::Tensor> state() const { return {}; }
  virtual void set_state(const std::map<std::string, torch::Tensor>& /*state*/) {}
};

// The student's logits at the answers of one retention batch, each question heard with its distractor at gate
// 1: [N, V], with a graph to the trained tensors. base_logits are the teacher's.
struct DistractedBatch {
  Batch batch;
  torch::Tensor student;
};
[[nodiscard]] DistractedBatch run_distracted(RetentionScene& scene, const RetentionDraw& draw);

[[nodiscard]] std::vector<torch::Tensor> leaves_of(const SafeModel& model);

}  // namespace trainer
