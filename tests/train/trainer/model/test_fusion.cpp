#include <doctest/doctest.h>

#include "tests/support/tensors.hpp"
#include "trainer/model/fusion.hpp"
#include "trainer/model/projector.hpp"

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
