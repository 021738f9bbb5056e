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
  RunConfig config;
  Experiment experiment;
  SafeModel model;
  Batch batch;
  torch::Tensor base;  // [N, V]

  explicit Asked(torch::Dtype dtype = torch::kFloat32, FusionPositions positions = FusionPositions::text,
                 Kept kept = Kept::keys)
      : config(config_with(positions)),
        experiment(support::small_experiment(config, {dtype, torch::kCPU}, kept)),
        model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed),
        batch(batch_of({0, 1, 2, 3})),
        base(model.base_answer_logits(batch)) {}

  static RunConfig config_with(FusionPositions positions) {
    RunConfig config = support::small_config("no_retention");
    config.fusion.positions = positions;
    return config;
  }
  [[nodiscard]] Batch batch_of(const std::vector<std::int64_t>& questions) const {
    const auto rows = pick(experiment.retention_rows, questions);
    return make_batch(rows, experiment.retention_prefixes.gather(*experiment.base, prefixes_of(rows)),
                      torch::kCPU);
  }
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

constexpr torch::Dtype k_dtypes[] = {torch::kFloat32, torch::kBFloat16};
constexpr FusionPositions k_positions[] = {FusionPositions::text, FusionPositions::all};

}  // namespace

TEST_CASE("before the first step SAFE is its base, bit for bit, whatever it hears") {
  for (const torch::Dtype dtype : k_dtypes)
    for (const FusionPositions positions : k_positions) {
      const Asked asked(dtype, positions);
      const torch::Tensor clips = noise({4, support::k_sound_width}, 9);
      CHECK(asked.model.answer_logits(asked.batch, asked.model.hear(clips, 1.0)).equal(asked.base));
    }
}

TEST_CASE("after training too: without sound, at gate 0, of silence, and in those rows of a mixed batch") {
  for (const torch::Dtype dtype : k_dtypes)
    for (const FusionPositions positions : k_positions) {
      const Asked asked(dtype, positions);
      move_all(asked.model.parameters());
      const SafeModel& model = asked.model;
      const torch::Tensor clips = noise({4, support::k_sound_width}, 9);
      CHECK(model.answer_logits(asked.batch, {}).equal(asked.base));
      CHECK(model.answer_logits(asked.batch, model.hear(clips, 0.0)).equal(asked.base));
      const torch::Tensor silence = model.silence().unsqueeze(0).expand({4, -1}).contiguous();
      CHECK(model.answer_logits(asked.batch, model.hear(silence, 1.0)).equal(asked.base));

      // Row 0 hears a clip, row 1 nothing, row 2 a clip at gate 0, row 3 silence.
      const torch::Tensor three = torch::stack({clips[0], clips[2], model.silence()});
      const torch::Tensor mixed =
          model.answer_logits(asked.batch, model.hear(three, {0, 2, 3}, {1.0, 0.0, 1.0}));
      CHECK_FALSE(asked.is_base(mixed, 0));
      for (const std::size_t row : {1U, 2U, 3U}) CHECK(asked.is_base(mixed, row));
    }
}

TEST_CASE("a graph changes no bit: training computes what evaluation does") {
  for (const torch::Dtype dtype : k_dtypes) {
    const Asked asked(dtype);
    move_all(asked.model.parameters());
    const torch::Tensor clips = noise({4, support::k_sound_width}, 9);
    const torch::Tensor with = asked.model.answer_logits(asked.batch, asked.model.hear(clips, 1.0));
    CHECK(with.requires_grad());
    const torch::NoGradGuard no_graph;
    CHECK(asked.model.answer_logits(asked.batch, asked.model.hear(clips, 1.0)).equal(with));
  }
}

TEST_CASE("what stands behind the image says what it says in a whole row, and the adapter trains alike") {
  // The same questions as whole rows: every layer from the embeddings on, and the adapter where they hear.
  const Asked asked;
  move_all(asked.model.parameters());
  const SafeModel& model = asked.model;
  const Decoder& decoder = asked.experiment.base->decoder();
  const torch::Tensor clips = noise({4, support::k_sound_width}, 9);
  const std::vector<torch::Tensor> leaves = leaves_of(model);
  const torch::Tensor split = model.answer_logits(asked.batch, model.hear(clips, 1.0));
  const auto split_gradients = torch::autograd::grad({split.pow(2).sum()}, leaves);

  const std::vector<QuestionItem> items =
      support::small_questions(*asked.experiment.base, asked.experiment.tokenizer, 4, asked.config, 2000);
  std::vector<torch::Tensor> whole;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Row& row = items[i].row.row;
    const auto end = static_cast<std::int64_t>(row.ids.size());
    const torch::Tensor embedded =
        embed_rest(*asked.experiment.base, row, items[i].head, 0, end).unsqueeze(0);
    const auto at = static_cast<std::int64_t>(i);
    const AudioInput audio = model.hear(clips.slice(0, at, at + 1), 1.0);
    const auto hook = [&](std::int64_t layer, const torch::Tensor& hidden) {
      const torch::Tensor behind = model.fusion().fuse(layer, hidden.slice(1, row.fused_begin), audio);
      return torch::cat({hidden.slice(1, 0, row.fused_begin), behind}, 1);
    };
    const torch::Tensor last = decoder.run_layers(embedded, 0, decoder.layers(),
                                                  decoder.context(torch::ones({1, end}, torch::kBool)), hook);
    whole.push_back(decoder.logits(last[0].slice(0, row.answer_begin - 1, end - 1)));
  }
  const torch::Tensor joined = torch::cat(whole);
  CHECK(torch::allclose(joined, split, 1e-4, 1e-4));
  const auto whole_gradients = torch::autograd::grad({joined.pow(2).sum()}, leaves);
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    CAPTURE(model.parameters()[k].name);
    const double size = whole_gradients[k].norm().item<double>();
    CHECK((whole_gradients[k] - split_gradients[k]).norm().item<double>() <= 1e-4 * size);
  }
}

TEST_CASE("keys that are kept and keys that are computed again are the same bits") {
  const Asked kept, computed(torch::kFloat32, FusionPositions::text, Kept::states);
  const auto one = kept.batch.prefix, other = computed.batch.prefix;
  for (std::size_t layer = 2; layer < one->keys.size(); ++layer) {
    CHECK(one->keys[layer].equal(other->keys[layer]));
    CHECK(one->values[layer].equal(other->values[layer]));
  }
  CHECK(kept.base.equal(computed.base));
}

TEST_CASE("bfloat16 says what float32 says, to its own precision") {
  const Asked wide, narrow(torch::kBFloat16);
  CHECK((narrow.batch.hidden.scalar_type() == torch::kBFloat16));
  CHECK((narrow.base.scalar_type() == torch::kFloat32));
  const torch::Tensor difference = torch::log_softmax(wide.base, -1) - torch::log_softmax(narrow.base, -1);
  CHECK(difference.abs().max().item<double>() < 0.5);
  CHECK(difference.abs().max().item<double>() > 0);
  for (const Parameter& parameter : narrow.model.parameters())
    CHECK((parameter.value.scalar_type() == torch::kFloat32));
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
