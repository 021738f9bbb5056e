#include "tests/support/tensors.hpp"
#include "tests/support/tiny_llava.hpp"
#include "trainer/train/adamw.hpp"

#include <doctest/doctest.h>

using support::all_valid;
using support::difference;
using support::ids_of;
using support::logits_of;
using support::tiny;
using support::tiny_llava;
using trainer::Llava;
using trainer::PadSide;
using trainer::TokenIds;

namespace {

// What another batch size changes is rounding; logits are of size 1.
constexpr double k_rounding = 2e-5;

}  // namespace

TEST_CASE("a later token changes no earlier logits") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  const auto a = logits_of(llava, {1, 5, 7, 9, 11}), b = logits_of(llava, {1, 5, 7, 20, 30});
  CHECK(a.slice(0, 0, 3).equal(b.slice(0, 0, 3)));
  CHECK(difference(a[3], b[3]) > 0.01);
}

TEST_CASE("an earlier token changes the later logits") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  CHECK(difference(logits_of(llava, {1, 5, 7, 9})[3], logits_of(llava, {1, 6, 7, 9})[3]) > 0.01);
}

TEST_CASE("padding on either side, and what other rows hold, change a row's logits by rounding only") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  const std::vector<TokenIds> rows = {{1, 5, 7, 9, 11, 2}, {1, 8, 4}, {1, 3, 3, 20}};
  for (const auto side : {PadSide::left, PadSide::right}) {
    const auto batch = trainer::pad_rows(rows, 39, side);
    const auto logits = llava.run(llava.embed(batch.ids), batch.valid);
    CHECK(logits.isfinite().all().item<bool>());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto row =
          logits[static_cast<std::int64_t>(i)].index({batch.valid[static_cast<std::int64_t>(i)]});
      CHECK(difference(row, logits_of(llava, rows[i])) < k_rounding);
    }
    // The same batch shape with other neighbours and another pad token: the same bits.
    auto other = batch.ids.clone();
    other[0].fill_(17);
    other.masked_fill_(~batch.valid, 33);
    const auto again = llava.run(llava.embed(other), batch.valid);
    for (const std::int64_t i : {1, 2})
      CHECK(again[i].index({batch.valid[i]}).equal(logits[i].index({batch.valid[i]})));
  }
}

TEST_CASE(
    "attention sees distances, not positions: shifting a row by padding on the left changes rounding only") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  const auto& decoder = llava.decoder();
  const auto hidden = llava.embed(ids_of({1, 5, 7, 9}));
  const auto context = decoder.context(torch::ones({1, 4}, torch::kBool));
  // The same bias, the angles of positions 100..103.
  const auto later = decoder.context(torch::ones({1, 104}, torch::kBool), 100);
  auto shifted = context;
  shifted.cosine = later.cosine;
  shifted.sine = later.sine;
  CHECK(difference(shifted.cosine, context.cosine) > 0.1);
  const auto a = decoder.run_layers(hidden, 0, 3, context), b = decoder.run_layers(hidden, 0, 3, shifted);
  CHECK(difference(a, b) < 1e-4);
  // One token further from the others is another distance.
  shifted.cosine = at::cat({context.cosine.slice(1, 0, 3), later.cosine.slice(1, 3)}, 1);
  shifted.sine = at::cat({context.sine.slice(1, 0, 3), later.sine.slice(1, 3)}, 1);
  CHECK(difference(a, decoder.run_layers(hidden, 0, 3, shifted)) > 1e-3);
}

TEST_CASE("ranges of layers compose to the whole, bit for bit, with hooks too") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  const auto& decoder = llava.decoder();
  const auto batch = trainer::pad_rows({{1, 5, 7, 9}, {1, 4}}, 39, PadSide::right);
  const auto context = decoder.context(batch.valid);
  const auto start = llava.embed(batch.ids);
  std::vector<std::int64_t> seen;
  const trainer::LayerHook hook = [&](std::int64_t layer, const torch::Tensor& hidden) {
    seen.push_back(layer);
    return layer == 1 ? hidden * 1.5 : hidden;
  };
  const auto whole = decoder.run_layers(start, 0, 3, context, hook);
  CHECK(seen == std::vector<std::int64_t>{0, 1, 2});
  for (std::int64_t cut = 0; cut <= 3; ++cut)
    CHECK(decoder.run_layers(decoder.run_layers(start, 0, cut, context, hook), cut, 3, context, hook)
              .equal(whole));
  CHECK(difference(whole, decoder.run_layers(start, 0, 3, context)) > 1e-3);
}

TEST_CASE("with a cache of keys and values, one token at a time gives what the whole row gives") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  const auto& decoder = llava.decoder();
  for (const auto side : {PadSide::left, PadSide::right}) {
    const auto batch = trainer::pad_rows({{1, 5, 7, 9}, {1, 4}}, 39, side);
    trainer::KvCache cache;
    auto valid = batch.valid;
    (void)decoder.run_layers(llava.embed(batch.ids), 0, 3, decoder.context(valid), {}, &cache);
    for (const std::int64_t next : {6, 12}) {
      valid = at::cat({valid, torch::ones({2, 1}, torch::kBool)}, 1);
      const auto hidden = decoder.run_layers(llava.embed(torch::full({2, 1}, next, torch::kInt64)), 0, 3,
                                             decoder.context(valid, valid.size(1) - 1), {}, &cache);
      if (next == 6) continue;
      const auto logits = decoder.logits(hidden).squeeze(1);
      CHECK(difference(logits[0], logits_of(llava, {1, 5, 7, 9, 6, 12})[5]) < k_rounding);
      CHECK(difference(logits[1], logits_of(llava, {1, 4, 6, 12})[3]) < k_rounding);
    }
  }
}

TEST_CASE("grouped keys and values are the same as those heads repeated") {
  const torch::NoGradGuard no_grad;
  auto grouped = tiny_llava();
  auto config = tiny();
  config.text.kv_heads = config.text.heads;
  auto repeated = Llava::random(config, 4);
  const auto from = grouped.parameters();
  for (auto& [name, tensor] : repeated.parameters()) {
    auto value = from.at(name);
    if (name.find("language_model") == 0 &&
        (name.find("k_proj") != std::string::npos || name.find("v_proj") != std::string::npos))
      value = value.view({2, 4, 16}).repeat_interleave(2, 0).view({16, 16});
    tensor.copy_(value);
  }
  CHECK(difference(logits_of(grouped, {1, 5, 7, 9}), logits_of(repeated, {1, 5, 7, 9})) < k_rounding);
}

TEST_CASE("greedy generation says what the argmax of whole rows says, from either side's padding") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  const std::vector<TokenIds> prompts = {{1, 5, 7, 9, 30}, {1, 4}, {1, 22, 6}};
  for (const auto side : {PadSide::left, PadSide::right}) {
    const auto batch = trainer::pad_rows(prompts, 39, side);
    const auto answers =
        trainer::generate(llava.decoder(), llava.tokens().eos, llava.embed(batch.ids), batch.valid, 5);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      auto row = prompts[i];
      TokenIds expected;
      while (expected.size() < 5) {
        const auto next =
            logits_of(llava, row)[static_cast<std::int64_t>(row.size()) - 1].argmax().item<std::int64_t>();
        if (next == llava.config().text.eos_token) break;
        expected.push_back(next);
        row.push_back(next);
      }
      CHECK(answers[i] == expected);
    }
  }
}

TEST_CASE("a row ends at the end-of-sequence token, which is not part of the answer") {
  const torch::NoGradGuard no_grad;
  auto config = tiny();
  const auto prompt = ids_of({1, 5, 7});
  const auto first = tiny_llava(config)
                         .run(tiny_llava(config).embed(prompt), all_valid(prompt))[0][2]
                         .argmax()
                         .item<std::int64_t>();
  config.text.eos_token = first;
  const auto llava = tiny_llava(config);
  CHECK(trainer::generate(llava.decoder(), llava.tokens().eos, llava.embed(prompt), all_valid(prompt), 5)[0]
            .empty());
}

TEST_CASE("image features stand where the image tokens are, in reading order, and nowhere else") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  CHECK(llava.config().image_positions() == 9);
  const auto features = llava.encode_images(torch::rand({2, 3, 12, 12}));
  CHECK(features.sizes() == std::vector<std::int64_t>{2, 9, 16});
  const auto ids = llava.expand_image({1, 38, 5});
  CHECK(ids.size() == 11);
  const auto batch = trainer::pad_rows({ids, {1, 4}, llava.expand_image({38})}, 39, PadSide::right);
  const auto hidden = llava.embed(batch.ids, features);
  CHECK(hidden[0].slice(0, 1, 10).equal(features[0]));
  CHECK(hidden[2].slice(0, 0, 9).equal(features[1]));
  CHECK(hidden[0][10].equal(llava.embed(ids_of({5}))[0][0]));
  CHECK(hidden[1].slice(0, 0, 2).equal(llava.embed(ids_of({1, 4}))[0]));
}

TEST_CASE("an image's features do not depend on the other images but by rounding, and a pixel changes them") {
  const torch::NoGradGuard no_grad;
  const auto llava = tiny_llava();
  const auto pixels = torch::rand({3, 3, 12, 12});
  const auto together = llava.encode_images(pixels);
  CHECK(difference(together[1], llava.encode_images(pixels.slice(0, 1, 2))[0]) < k_rounding);
  auto changed = pixels.clone();
  changed[1][0][11][11] += 1;
  CHECK(difference(together[1], llava.encode_images(changed)[1]) > 1e-4);
}

TEST_CASE("gradients reach an addition between frozen layers, and no frozen weight") {
  auto llava = tiny_llava();
  const auto batch = ids_of({1, 5, 7, 9});
  auto shift = torch::zeros({16}, torch::requires_grad());
  const auto loss = [&] {
    const auto logits =
        llava.run(llava.embed(batch), all_valid(batch), [&](std::int64_t layer, const torch::Tensor& hidden) {
          return layer == 1 ? hidden + shift : hidden;
        });
    return logits[0][3].log_softmax(-1)[4].neg();
  };
  loss().backward();
  const auto gradient = shift.grad().clone();
  const torch::NoGradGuard no_grad;
  const double step = 1e-2;
  for (const std::int64_t i : {0, 7, 15}) {
    shift[i] = step;
    const auto above = loss().item<double>();
    shift[i] = -step;
    const auto below = loss().item<double>();
    shift[i] = 0;
    CHECK(gradient[i].item<double>() == doctest::Approx((above - below) / (2 * step)).epsilon(0.02));
  }
  for (const auto& [name, tensor] : llava.parameters()) CHECK(!tensor.grad().defined());
}

TEST_CASE("all weights train: after a few steps from random the loss on one row is lower") {
  auto llava = Llava::random(tiny(), 5);
  std::vector<torch::Tensor> weights;
  std::vector<trainer::Parameter> parameters;
  for (auto& [name, tensor] : llava.parameters()) {
    weights.push_back(tensor.requires_grad_());
    parameters.push_back({name, trainer::ParameterGroup::adapter, tensor});
  }
  trainer::AdamW optimiser(parameters, {});
  const auto pixels = torch::rand({1, 3, 12, 12});
  const auto batch = ids_of(llava.expand_image({1, 38, 5, 6}));
  double first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    const auto logits = llava.run(llava.embed(batch, llava.encode_images(pixels)), all_valid(batch));
    const auto loss = logits[0][10].log_softmax(-1)[6].neg();
    const auto gradients = torch::autograd::grad({loss}, weights, {}, false, false, true);
    if (step == 0)
      for (std::size_t k = 0; k < parameters.size(); ++k)
        for (const auto* name :
             {"vision_tower.vision_model.embeddings.patch_embedding.weight",
              "multi_modal_projector.linear_1.weight", "language_model.model.embed_tokens.weight"})
          if (parameters[k].name == name) CHECK(gradients[k].abs().sum().item<double>() > 0);
    optimiser.step(gradients, 1e-2, 1e-2);
    (step == 0 ? first : last) = loss.item<double>();
  }
  CHECK(last < first / 2);
}

TEST_CASE("continuations that share their beginning get what each would get in a row of its own") {
  const auto llava = Llava::random(tiny(), 11);
  const TokenIds beginning = {1, 9, 12}, first = {5, 6, 7}, second = {8, 4};
  const auto alone = [&](const TokenIds& continuation) {
    TokenIds row = beginning;
    row.insert(row.end(), continuation.begin(), continuation.end());
    const auto batch = ids_of(row);
    return llava.run(llava.embed(batch), all_valid(batch))[0].slice(0, 3);
  };
  // One row: the beginning, the first continuation, the second, and one position of padding.
  const auto ids = torch::tensor({1, 9, 12, 5, 6, 7, 8, 4, 0}, torch::kLong).unsqueeze(0);
  const auto branch = torch::tensor({0, 0, 0, 1, 1, 1, 2, 2, -1}, torch::kLong).unsqueeze(0);
  const auto position = torch::tensor({0, 1, 2, 3, 4, 5, 3, 4, 0}, torch::kLong).unsqueeze(0);
  const auto& decoder = llava.decoder();
  const auto together = decoder.logits(decoder.run_layers(llava.embed(ids), 0, decoder.layers(),
                                                          decoder.branched_context(branch, position)))[0];
  CHECK(torch::allclose(together.slice(0, 3, 6), alone(first), 1e-4, 1e-5));
  CHECK(torch::allclose(together.slice(0, 6, 8), alone(second), 1e-4, 1e-5));
}
