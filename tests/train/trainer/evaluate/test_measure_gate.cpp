#include "trainer/evaluate/measure_gate.hpp"

#include "tests/support/prepared_scene.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::move_all;
using support::Prepared;

TEST_CASE("the gate is measured at every fused layer, and passes of any size measure the same") {
  Prepared prepared(support::small_config("no_retention"));
  move_all(prepared.model.parameters());
  const std::vector<GateMetrics> whole = measure_gate(prepared.experiment, prepared.model, 16),
                                 singly = measure_gate(prepared.experiment, prepared.model, 1);
  REQUIRE(whole.size() == 2);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    CHECK(whole[i].layer == prepared.config.fusion.layers[i]);
    for (const auto opening : {&GateMetrics::retention, &GateMetrics::audio}) {
      const GateOpening &one = whole[i].*opening, &other = singly[i].*opening;
      CHECK(one.rms.value() > 0);
      CHECK(one.rms.value() == doctest::Approx(other.rms.value()).epsilon(1e-3));
      CHECK(one.mean.value() > 0);
      CHECK(one.mean.value() < 1);
      CHECK(one.mean.value() == doctest::Approx(other.mean.value()).epsilon(1e-3));
      CHECK_FALSE(one.outside.has_value());
    }
  }
}

TEST_CASE("of the questions that a null space was built from it leaves to the gate what its energy says") {
  RunConfig config = support::small_config("full_safe");
  Prepared prepared(config);  // Wo is zero, so the states are the base's at every layer
  for (const GateMetrics& gate : measure_gate(prepared.experiment, prepared.model, 16)) {
    const Metrics metrics = [&] {
      Metrics found;
      for (const auto& mechanism : prepared.mechanisms) mechanism->measure(prepared.model, found);
      return found;
    }();
    for (const NullSpaceMetrics& space : metrics.null_space)
      if (space.layer == gate.layer)
        CHECK(gate.retention.outside.value() == doctest::Approx(1 - space.energy.value()).epsilon(1e-3));
    CHECK(gate.audio.outside.value() > 0);
    CHECK(gate.audio.outside.value() <= 1);
  }
}
