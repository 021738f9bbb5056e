#include "trainer/run/evaluate_run.hpp"

#include "common/error.hpp"
#include "trainer/results/config_keys.hpp"
#include "trainer/train/config.hpp"

#include <doctest/doctest.h>

using namespace trainer;

TEST_CASE(
    "what a run recorded of its adapter is read again, and one with another gate is refused by its file") {
  RunConfig config;
  config.variant = config.name = "full_safe";
  apply_model_config(config);
  common::Json record = config_json(config, {});
  CHECK(recorded_config(record, "RUN/config.json").fusion.layers == config.fusion.layers);
  record["fusion"].erase(k_gate_place);
  CHECK_THROWS_WITH_AS((void)recorded_config(record, "RUN/config.json"),
                       doctest::Contains("RUN/config.json: the run's gate stands after the output map"),
                       common::Error);
}
