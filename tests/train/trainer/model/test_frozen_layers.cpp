#include "trainer/model/frozen_layers.hpp"

#include "trainer/model/kernels.hpp"

#include "tests/support/small_experiment.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::noise;

namespace {

struct Layers {
  Tokenizer tokenizer = support::small_tokenizer();
  Llava base;
  explicit Layers(torch::Dtype dtype = torch::kFloat32)
      : base(support::small_llava(tokenizer, {dtype, torch::kCPU})) {}
  [[nodiscard]] const Decoder& decoder() const { return base.decoder(); }
};

// Two rows of which the second is shorter, behind a prefix of five positions or none.
DecoderContext context_of(const Layers& layers, bool prefixed, torch::Dtype dtype = torch::kFloat32) {
  torch::Tensor valid = torch::ones({2, 6}, torch::kBool);
  valid[1].slice(0, 4).fill_(false);
  if (!prefixed) return layers.decoder().context(valid);
  const torch::Tensor states = noise({2, 5, 24}, 3).to(dtype);
  return layers.decoder().context(valid, 0,
                                  std::make_shared<KvCache>(layers.decoder().run_prefix(states, 0)));
}

torch::Tensor gradient_of(const torch::Tensor& output, const torch::Tensor& input) {
  return torch::autograd::grad({(output.to(torch::kFloat32) * noise(output.sizes(), 8)).sum()}, {input})[0];
}

}  // namespace

TEST_CASE("the gradient that is written out is autograd's, with a prefix and without") {
  const Layers layers;
  for (const bool prefixed : {true, false})
    for (const Recall recall : {Recall::traces, Recall::inputs}) {
      const DecoderContext context = context_of(layers, prefixed);
      const torch::Tensor hidden = noise({2, 6, 24}, 1).requires_grad_();
      const torch::Tensor automatic = layers.decoder().run_layers(hidden, 1, 4, context);
      const torch::Tensor written = run_frozen(layers.decoder(), hidden, 1, 4, context, recall);
      CHECK(torch::allclose(written, automatic, 1e-5, 1e-5));
      const torch::Tensor expected = gradient_of(automatic, hidden);
      CHECK(torch::allclose(gradient_of(written, hidden), expected, 1e-4, 1e-5));
      CHECK(expected.norm().item<double>() > 1);
    }
}

TEST_CASE("in bfloat16 the gradient is float32's, to the precision of the type") {
  const Layers wide, narrow(torch::kBFloat16);
  const torch::Tensor hidden = noise({2, 6, 24}, 1);
  const torch::Tensor a = hidden.clone().requires_grad_(), b = hidden.to(torch::kBFloat16).requires_grad_();
  const torch::Tensor expected =
      gradient_of(run_frozen(wide.decoder(), a, 1, 4, context_of(wide, true), Recall::traces), a);
  const torch::Tensor found = gradient_of(
      run_frozen(narrow.decoder(), b, 1, 4, context_of(narrow, true, torch::kBFloat16), Recall::traces), b);
  CHECK((found.scalar_type() == torch::kBFloat16));
  CHECK((found.to(torch::kFloat32) - expected).norm().item<double>() < 0.1 * expected.norm().item<double>());
}

TEST_CASE("positions behind a prefix get what they would get in one row with it") {
  const torch::NoGradGuard no_graph;
  const Layers layers;
  const Decoder& decoder = layers.decoder();
  const torch::Tensor row = noise({2, 9, 24}, 5);
  const torch::Tensor whole =
      decoder.run_layers(row, 0, 4, decoder.context(torch::ones({2, 9}, torch::kBool)));
  const auto prefix = std::make_shared<KvCache>(decoder.run_prefix(row.slice(1, 0, 5), 0));
  CHECK(prefix->length() == 5);
  const torch::Tensor behind = decoder.run_layers(
      row.slice(1, 5), 0, 4, decoder.context(torch::ones({2, 4}, torch::kBool), 0, prefix));
  CHECK(torch::allclose(behind, whole.slice(1, 5), 1e-4, 1e-4));
}

TEST_CASE("rows behind one prefix do not see one another's, and a prefix of one row is shared by bits") {
  const torch::NoGradGuard no_graph;
  const Layers layers;
  const Decoder& decoder = layers.decoder();
  const torch::Tensor states = noise({2, 5, 24}, 3), row = noise({1, 4, 24}, 5);
  const auto stacked =
      stack_prefixes(2, [&](std::int64_t i) { return decoder.run_prefix(states.slice(0, i, i + 1), 0); });
  const torch::Tensor both = torch::cat({row, row});
  const torch::Tensor together =
      decoder.run_layers(both, 0, 4, decoder.context(torch::ones({2, 4}, torch::kBool), 0, stacked));
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto own = std::make_shared<KvCache>(decoder.run_prefix(states.slice(0, i, i + 1), 0));
    const torch::Tensor alone =
        decoder.run_layers(row, 0, 4, decoder.context(torch::ones({1, 4}, torch::kBool), 0, own));
    CHECK(torch::allclose(together.slice(0, i, i + 1), alone, 1e-4, 1e-5));
  }
  CHECK((together[0] - together[1]).abs().max().item<double>() > 1e-3);
}

TEST_CASE("the norm in one pass is the norm in steps, and so is its gradient") {
  const torch::Tensor x = noise({3, 7, 24}, 11) * 3, weight = noise({24}, 12);
  const torch::Tensor steps = rms_norm(x, weight, 1e-5);
  const torch::Tensor one = rms_norm_in_one(x, weight, 1e-5);
  REQUIRE(suits_kernels(x, weight));
  CHECK(torch::allclose(one, steps, 1e-5, 1e-6));
  const torch::Tensor above = noise(x.sizes(), 13), input = x.clone().requires_grad_();
  const auto expected = torch::autograd::grad({(rms_norm(input, weight, 1e-5) * above).sum()}, {input})[0];
  CHECK(torch::allclose(rms_norm_gradient_in_one(above, x, weight, 1e-5), expected, 1e-4, 1e-5));
  CHECK_FALSE(suits_kernels(x.to(torch::kBFloat16), weight));
  CHECK_FALSE(suits_kernels(x.transpose(0, 1), weight));
}
