#include <cmath>
#include <map>

#include "tests/support/tensors.hpp"
#include "trainer/model/fusion.hpp"
#include "trainer/model/projector.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::move_all;
using support::noise;

namespace {

constexpr std::int64_t k_width = 24;

struct Parts {
  ProjectorConfig projector_config;
  FusionConfig fusion_config;
  explicit Parts(std::int64_t rank = 0) {
    projector_config.audio_width = 10;
    projector_config.bottleneck = 16;
    projector_config.tokens = 3;
    projector_config.width = k_width;
    fusion_config.layers = {1};
    fusion_config.heads = 4;
    fusion_config.width = k_width;
    fusion_config.rank = rank;
  }
};

}  // namespace

TEST_CASE("before the first step every row comes out as it went in") {
  for (const std::int64_t rank : {0, 2}) {
    const Parts parts(rank);
    const Projector projector(parts.projector_config, 1);
    const Fusion fusion(parts.fusion_config, 1);
    const torch::Tensor hidden = noise({2, 5, k_width}, 1);
    const AudioInput audio{{0, 1}, projector.tokens(noise({2, 10}, 2), noise({10}, 3)), {1.0, 1.0}};
    CHECK(fusion.fuse(1, hidden, audio).equal(hidden));
  }
}

TEST_CASE("rows without audio and rows at gate 0 keep their bits in a mixed batch, in either type") {
  const Parts parts;
  const Projector projector(parts.projector_config, 1);
  const Fusion fusion(parts.fusion_config, 1);
  move_all(fusion.parameters());
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    const torch::Tensor hidden = noise({4, 6, k_width}, 1).to(dtype);
    // Row 0 hears, row 1 has no audio, row 2 is at gate 0, row 3 hears at a half.
    const AudioInput audio{{0, 2, 3}, projector.tokens(noise({3, 10}, 2), noise({10}, 3)), {1.0, 0.0, 0.5}};
    const torch::Tensor out = fusion.fuse(1, hidden, audio);
    CHECK((out.scalar_type() == dtype));
    CHECK(out[1].equal(hidden[1]));
    CHECK(out[2].equal(hidden[2]));
    CHECK_FALSE(out[0].equal(hidden[0]));
    CHECK_FALSE(out[3].equal(hidden[3]));
    CHECK(fusion.fuse(0, hidden, audio).equal(hidden));  // a layer that is not fused
  }
}

namespace {

// h + gate * Wo (attend(Wq h^, Wk a, Wv a) (.) tanh(Wg h^)) for one row, a head at a time. hidden [L, H],
// tokens [K, H].
torch::Tensor fused_by_hand(const std::map<std::string, torch::Tensor>& weights, const torch::Tensor& hidden,
                            const torch::Tensor& tokens, double gate) {
  const auto map = [&](const char* name, const torch::Tensor& x) {
    return x.mm(weights.at(std::string("fusion.layers.1.") + name + ".weight").t());
  };
  const torch::Tensor normed = hidden / (hidden.pow(2).mean(1, true) + 1e-6).sqrt();
  const torch::Tensor q = map("q_proj", normed), k = map("k_proj", tokens), v = map("v_proj", tokens);
  std::vector<torch::Tensor> heads;
  for (std::int64_t begin = 0; begin < k_width; begin += 6) {
    const auto head = [&](const torch::Tensor& x) { return x.slice(1, begin, begin + 6); };
    heads.push_back(torch::softmax(head(q).mm(head(k).t()) / std::sqrt(6.0), 1).mm(head(v)));
  }
  return hidden + gate * map("o_proj", torch::cat(heads, 1) * torch::tanh(map("gate", normed)));
}

}  // namespace

TEST_CASE("the vector gate stands before the output map, and gradients are those of that formula") {
  const Parts parts;
  const Projector projector(parts.projector_config, 1);
  const Fusion fusion(parts.fusion_config, 1);
  move_all(fusion.parameters());
  std::map<std::string, torch::Tensor> weights;
  std::vector<torch::Tensor> leaves;
  for (const Parameter& parameter : fusion.parameters()) {
    weights[parameter.name] = parameter.value;
    leaves.push_back(parameter.value);
  }
  const torch::Tensor hidden = noise({1, 5, k_width}, 1).set_requires_grad(true);
  leaves.push_back(hidden);
  const torch::Tensor tokens = projector.tokens(noise({1, 10}, 2), noise({10}, 3)).detach();
  const torch::Tensor fused = fusion.fuse(1, hidden, {{0}, tokens, {0.75}});
  const torch::Tensor expected = fused_by_hand(weights, hidden[0], tokens[0], 0.75);
  CHECK(torch::allclose(fused[0], expected, 1e-4, 1e-5));
  const torch::Tensor weight = noise({5, k_width}, 4);
  const auto found = torch::autograd::grad({(fused[0] * weight).sum()}, leaves);
  const auto right = torch::autograd::grad({(expected * weight).sum()}, leaves);
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    CAPTURE(k);
    CHECK(right[k].norm().item<double>() > 0);
    CHECK((found[k] - right[k]).norm().item<double>() <= 1e-4 * right[k].norm().item<double>());
  }
}

TEST_CASE("half the gate adds half of what the whole gate adds") {
  const Parts parts;
  const Projector projector(parts.projector_config, 1);
  const Fusion fusion(parts.fusion_config, 1);
  move_all(fusion.parameters());
  const torch::Tensor hidden = noise({1, 4, k_width}, 1);
  const torch::Tensor tokens = projector.tokens(noise({1, 10}, 2), noise({10}, 3));
  const torch::Tensor whole = fusion.fuse(1, hidden, {{0}, tokens, {1.0}}) - hidden;
  const torch::Tensor half = fusion.fuse(1, hidden, {{0}, tokens, {0.5}}) - hidden;
  CHECK(torch::allclose(half * 2, whole, 1e-4, 1e-5));
}

TEST_CASE("a silent clip adds exactly nothing, whatever the weights have become") {
  const Parts parts;
  const Projector projector(parts.projector_config, 1);
  const Fusion fusion(parts.fusion_config, 1);
  move_all(projector.parameters());
  move_all(fusion.parameters());
  const torch::Tensor silence = noise({10}, 3);
  const torch::Tensor clips = torch::stack({silence, noise({10}, 4)});
  const torch::Tensor tokens = projector.tokens(clips, silence);
  CHECK(tokens[0].eq(0).all().item<bool>());
  CHECK_FALSE(tokens[1].eq(0).any().item<bool>());
  const torch::Tensor hidden = noise({2, 4, k_width}, 1);
  const torch::Tensor out = fusion.fuse(1, hidden, {{0, 1}, tokens, {1.0, 1.0}});
  CHECK(out[0].equal(hidden[0]));
  CHECK_FALSE(out[1].equal(hidden[1]));

  ProjectorConfig keeping = parts.projector_config;
  keeping.silence_baseline = SilenceBaseline::keep;
  const Projector other(keeping, 1);
  CHECK_FALSE(other.tokens(clips, silence)[0].eq(0).any().item<bool>());  // the law is the baseline's doing
}

TEST_CASE("a protected map does not move where its basis points, and moves elsewhere") {
  for (const std::int64_t rank : {0, 3}) {
    at::Generator generator = make_generator(5, "map");
    AdapterLinear map = rank == 0 ? AdapterLinear::full(k_width, k_width, 0.2, generator)
                                  : AdapterLinear::low_rank(k_width, 0.2, rank, 16, generator);
    const auto [basis, triangle] = torch::linalg_qr(noise({k_width, 7}, 6));
    const torch::Tensor inside = basis.mm(noise({7, 1}, 7)).t();  // [1, H] in the span
    const torch::Tensor outside = noise({1, k_width}, 8);
    const torch::Tensor before = map(inside).detach();
    map.protect(basis, AdapterLinear::Anchor::here);
    std::vector<Parameter> parameters;
    map.append_parameters("map", ParameterGroup::adapter, parameters);
    move_all(parameters);
    CHECK(torch::allclose(map(inside), before, 1e-4, 1e-4));
    CHECK(map.delta().mm(basis).norm().item<double>() < 1e-4);
    CHECK(map.delta().norm().item<double>() > 0.1);
    CHECK((map(outside) - before).norm().item<double>() > 0.1);
  }
}

TEST_CASE(
    "the probe of a protected map is given what the basis takes out of the gradient, and changes nothing") {
  for (const std::int64_t rank : {0, 3}) {
    at::Generator generator = make_generator(5, "map");
    AdapterLinear map = rank == 0 ? AdapterLinear::full(k_width, k_width, 0.2, generator)
                                  : AdapterLinear::low_rank(k_width, 0.2, rank, 16, generator);
    const auto [basis, triangle] = torch::linalg_qr(noise({k_width, 7}, 6));
    std::vector<Parameter> parameters;
    map.append_parameters("map", ParameterGroup::adapter, parameters);
    move_all(parameters);
    const torch::Tensor x = noise({5, k_width}, 8), weights = noise({5, k_width}, 9);
    const auto gradients_of = [&](const std::vector<torch::Tensor>& leaves) {
      return torch::autograd::grad({(map(x) * weights).sum()},
                                   leaves);  // linear: the same wherever the map is
    };
    const torch::Tensor whole = gradients_of({map.protected_leaf()})[0];
    map.protect(basis, AdapterLinear::Anchor::zero);
    const std::vector<torch::Tensor> gradients = gradients_of({map.protected_leaf(), map.probe()});
    CHECK(torch::allclose(gradients[1], whole.mm(basis), 1e-4, 1e-4));
    CHECK(torch::allclose(gradients[0], whole - whole.mm(basis).mm(basis.t()), 1e-4, 1e-4));

    AdapterLinear read = map;
    std::map<std::string, torch::Tensor> frozen;
    map.append_frozen("map", frozen);
    read.set_frozen("map", frozen);
    CHECK_FALSE(read.probe().defined());
    CHECK(read(x).equal(map(x)));
  }
}
