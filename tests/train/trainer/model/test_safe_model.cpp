#include <numeric>

#include "tests/support/small_experiment.hpp"
#include "trainer/model/safe_model.hpp"
#include "trainer/retention/mechanism.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::move_all;
using support::noise;

namespace {

// Questions about pictures, and a model that can be given sounds.
struct Asked {
  RunConfig config = support::small_config("no_retention");
  Experiment experiment = support::small_experiment(config);
  SafeModel model{experiment.base, experiment.silence, config.projector, config.fusion, config.seed};
  Batch batch = make_batch(experiment.retention_rows, {0, 1, 2, 3}, config.fusion.positions, torch::kCPU);
  torch::Tensor base = model.base_answer_logits(batch);  // [N, V]

  // Where a row's answer positions begin in the batch's.
  [[nodiscard]] std::int64_t begin_of(std::size_t row) const {
    return std::accumulate(batch.counts.begin(), batch.counts.begin() + static_cast<std::ptrdiff_t>(row),
                           std::int64_t{0});
  }
  [[nodiscard]] bool is_base(const torch::Tensor& logits, std::size_t row) const {
    const std::int64_t begin = begin_of(row);
    const std::int64_t end = begin + batch.counts[row];
    return logits.slice(0, begin, end).equal(base.slice(0, begin, end));
  }
  [[nodiscard]] torch::Tensor loss() const {
    return at::cross_entropy_loss(
        model.answer_logits(batch, model.hear(noise({4, support::k_sound_width}, 9), 1.0)), batch.targets, {},
        at::Reduction::Sum);
  }
};

}  // namespace

TEST_CASE("before the first step SAFE is its base, bit for bit, whatever it hears") {
  const Asked asked;
  const torch::Tensor clips = noise({4, support::k_sound_width}, 9);
  CHECK(asked.model.answer_logits(asked.batch, asked.model.hear(clips, 1.0)).equal(asked.base));
}

TEST_CASE("after training too: without sound, at gate 0, of silence, and in those rows of a mixed batch") {
  const Asked asked;
  move_all(asked.model.parameters());
  const SafeModel& model = asked.model;
  const torch::Tensor clips = noise({4, support::k_sound_width}, 9);
  CHECK(model.answer_logits(asked.batch, {}).equal(asked.base));
  CHECK(model.answer_logits(asked.batch, model.hear(clips, 0.0)).equal(asked.base));
  const torch::Tensor silence = model.silence().unsqueeze(0).expand({4, -1}).contiguous();
  CHECK(model.answer_logits(asked.batch, model.hear(silence, 1.0)).equal(asked.base));

  // Row 0 hears a clip, row 1 nothing, row 2 a clip at gate 0, row 3 silence.
  const torch::Tensor three = torch::stack({clips[0], clips[2], model.silence()});
  const torch::Tensor mixed = model.answer_logits(asked.batch, model.hear(three, {0, 2, 3}, {1.0, 0.0, 1.0}));
  CHECK_FALSE(asked.is_base(mixed, 0));
  for (const std::size_t row : {1U, 2U, 3U}) CHECK(asked.is_base(mixed, row));
}

TEST_CASE("without sound no trained number has a gradient") {
  const Asked asked;
  move_all(asked.model.parameters());
  torch::Tensor hidden =
      asked.batch.hidden.detach().set_requires_grad(true);  // so that there is a graph at all
  Batch batch = asked.batch;
  batch.hidden = hidden;
  const torch::Tensor loss = asked.model.answer_logits(batch, {}).sum();
  for (const torch::Tensor& gradient :
       torch::autograd::grad({loss}, leaves_of(asked.model), {}, false, false, true))
    CHECK_FALSE(gradient.defined());
}

TEST_CASE("the gradient of the answer's loss agrees with central differences in every trained tensor") {
  const Asked asked;
  move_all(asked.model.parameters());
  const std::vector<torch::Tensor> leaves = leaves_of(asked.model);
  const std::vector<torch::Tensor> gradients = torch::autograd::grad({asked.loss()}, leaves);
  const torch::NoGradGuard no_graph;
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    CAPTURE(asked.model.parameters()[k].name);
    // Along the gradient itself, where the slope is its norm: any other direction would mostly measure
    // rounding.
    const double slope = gradients[k].norm().item<double>();
    const torch::Tensor step = gradients[k] * (1e-2 / slope);
    torch::Tensor value = leaves[k].detach();
    value.add_(step);
    const double above = asked.loss().item<double>();
    value.sub_(step, 2);
    const double below = asked.loss().item<double>();
    value.add_(step);
    CHECK((above - below) / 2e-2 == doctest::Approx(slope).epsilon(0.02));
  }
}
