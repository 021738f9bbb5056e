// What every retention mechanism is to the training loop: something that may prepare itself before the first
// step, and that adds a value and a gradient at each step, or takes something out of the update or the
// trained weights. One file a mechanism; the loop knows no other name. Axes: N answer positions of a batch, V
// vocabulary.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "trainer/model/batch.hpp"
#include "trainer/model/compute.hpp"
#include "trainer/model/prefix_store.hpp"
#include "trainer/model/safe_model.hpp"
#include "trainer/model/tensor.hpp"
#include "trainer/results/metrics.hpp"
#include "trainer/samples/streams.hpp"

namespace trainer {

// What a mechanism may look at: the model in training, and retention questions heard with distractor clips.
struct RetentionScene {
  SafeModel& model;
  const std::vector<EncodedRow>& rows;  // the retention questions
  const PrefixStore& prefixes;          // and what stands before them
  const torch::Tensor& clips;           // [clips, D], from which distractors are drawn
  const RetentionStream& stream;
  std::int64_t rows_at_once;  // that a pass may hold
  const Compute& compute;     // by whom
};

// A mechanism's part of one step. Gradients are in the order of model.parameters(); undefined where there is
// none.
struct RetentionTerm {
  enum class Of { all, own_passes };
  Of of = Of::all;  // own_passes: the terms of all processes add up to it
  double value = 0;
  std::vector<torch::Tensor> gradients;
  double gradient_norm = 0;
};

// Global L2 norm over all that are defined.
[[nodiscard]] double gradient_norm(const std::vector<torch::Tensor>& gradients);

// Into `sums`, which is empty before the first; nothing is added where a gradient is undefined. Sums are
// fp64: of a few hundred fp32 gradients they are as good as always exact, and so the same however many
// processes add their parts.
void add_gradients(std::vector<torch::Tensor>& sums, const std::vector<torch::Tensor>& gradients);

enum class MechanismKind { loss, constraint };

class RetentionMechanism {
 public:
  RetentionMechanism() = default;
  virtual ~RetentionMechanism() = default;
  RetentionMechanism(const RetentionMechanism&) = delete;
  RetentionMechanism& operator=(const RetentionMechanism&) = delete;

  [[nodiscard]] virtual std::string name() const = 0;
  // Before step 1, and before a resumed run goes on: what is built here is a function of the frozen base and
  // of the adapter's first draw. All mechanisms reparametrise before the first of them anchors, so that an
  // anchor is where the weights start, in whatever form they are trained.
  virtual void reparametrise(RetentionScene& /*scene*/) {}
  virtual void anchor(RetentionScene& /*scene*/) {}
  // Before the passes of a step, which wait for it: may divide work of its own among threads and processes.
  virtual void renew(std::int64_t /*step*/, RetentionScene& /*scene*/) {}
  // Runs beside the other passes of a step. Waits for no other process.
  virtual RetentionTerm term(std::int64_t /*step*/, RetentionScene& /*scene*/) { return {}; }
  // Leaves whose gradients it wants of the task, beside those of the trained ones; and where it is given
  // both, once a step and before any other term is added. `task` is in the order of model.parameters(),
  // `watched` in that of watched(); both are of the sum of the batch's losses, in fp64, over all processes;
  // undefined where there is none.
  [[nodiscard]] virtual std::vector<torch::Tensor> watched() const { return {}; }
  virtual void see_task(const std::vector<torch::Tensor>& /*task*/,
                        const std::vector<torch::Tensor>& /*watched*/, const SafeModel& /*model*/) {}
  // A constraint adds no loss; it changes the gradient, the update or the maps themselves.
  virtual void before_update(std::vector<torch::Tensor>& /*gradients*/, const SafeModel& /*model*/) {}
  virtual void after_update(SafeModel& /*model*/) {}
  // After the last step: the model as it is evaluated and saved.
  virtual void finish(SafeModel& /*model*/) {}
  [[nodiscard]] virtual MechanismKind kind() const { return MechanismKind::loss; }
  // Of a constraint: above 0 where it acted in the last step; each has its own unit.
  [[nodiscard]] virtual double removed() const { return 0; }
  // What a checkpoint must hold so that a resumed run goes on with the same bytes.
  [[nodiscard]] virtual std::map<std::string, torch::Tensor> state() const { return {}; }
  virtual void set_state(const std::map<std::string, torch::Tensor>& /*state*/) {}
  // Puts what it knows of the trained model into the metrics: its own keys, or Metrics::mechanisms[name()].
  virtual void measure(const SafeModel& /*model*/, Metrics& /*metrics*/) const {}
};

using Mechanisms = std::vector<std::unique_ptr<RetentionMechanism>>;

// In two rounds, as said above.
void prepare(const Mechanisms& mechanisms, RetentionScene& scene);

// The questions begin .. end-1 of a draw.
[[nodiscard]] RetentionDraw part_of(const RetentionDraw& draw, std::int64_t begin, std::int64_t end);

// Those questions, padded to one batch.
[[nodiscard]] Batch batch_of(const RetentionScene& scene, const std::vector<std::int64_t>& questions);

// The student's logits at the answers of one retention batch, each question heard with its distractor at gate
// 1: [N, V], with a graph to the trained tensors. base_logits are the teacher's.
struct DistractedBatch {
  Batch batch;
  torch::Tensor student;
};
[[nodiscard]] DistractedBatch run_distracted(RetentionScene& scene, const RetentionDraw& draw);

// weight times the mean over a draw's answer positions of what `loss` gives for each of a pass, [N]. Passes
// of scene.rows_at_once questions; those of this process.
[[nodiscard]] RetentionTerm answer_term(double weight, const RetentionDraw& draw, RetentionScene& scene,
                                        const std::function<torch::Tensor(const DistractedBatch&)>& loss);

[[nodiscard]] std::vector<torch::Tensor> leaves_of(const SafeModel& model);

// The gradient of log p(y | x) for one retention question heard with one clip, divided by the square root of
// the answer's length because the KL is a mean over positions. y is drawn from the model, by a generator of
// `seed` and `purpose` alone, whoever draws it.
[[nodiscard]] std::vector<torch::Tensor> sampled_gradient(RetentionScene& scene, std::int64_t question,
                                                          std::int64_t clip, std::int64_t seed,
                                                          const std::string& purpose);

}  // namespace trainer
