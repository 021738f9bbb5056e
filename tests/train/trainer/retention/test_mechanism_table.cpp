#include "trainer/retention/mechanism_table.hpp"

#include <set>

#include "tests/support/prepared_scene.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::Prepared;

namespace {

RunConfig full_safe_at(NullSpacePlacement placement) {
  RunConfig config = support::small_config("full_safe");
  config.retention.of<NullSpaceOptions>().placement = placement;
  return config;
}

}  // namespace

TEST_CASE("before the first step every mechanism is at rest, wherever the null space is") {
  // With the anchors taken before the maps are reparametrised, Fisher would pull those to half their start.
  for (const NullSpacePlacement placement : {NullSpacePlacement::gate, NullSpacePlacement::query,
                                             NullSpacePlacement::output, NullSpacePlacement::all}) {
    CAPTURE(text_of(placement));
    Prepared prepared(full_safe_at(placement));
    for (const auto& mechanism : prepared.mechanisms) {
      if (mechanism->kind() != MechanismKind::loss) continue;
      CAPTURE(mechanism->name());
      const RetentionTerm term = mechanism->term(4, prepared.scene);  // a step that estimates Fisher
      CHECK(term.value == doctest::Approx(0).epsilon(1e-6));
      CHECK(term.gradient_norm < 1e-6);
    }
  }
}

TEST_CASE("a mechanism's part of config.json has its title and settings, and is null where it is off") {
  const common::Json off = to_json(preset_of("no_retention")), on = to_json(preset_of("full_safe"));
  std::set<std::string> keys;
  for (const auto& [key, value] : on.items()) {
    if (!value.is_object()) continue;
    keys.insert(key);
    CHECK(value.at("title").is_string());
    CHECK(value.size() > 1);
    CHECK(off.at(key).is_null());
  }
  CHECK(keys == std::set<std::string>{"fisher", "kl", "null_space"});
  CHECK_FALSE(any_on(preset_of("no_retention")));
  CHECK(mechanisms_on(preset_of("soft_retention"), 16).size() == 2);
}

TEST_CASE("a mechanism goes by one key: in config.json, in the history and in its metrics") {
  Prepared prepared(full_safe_at(NullSpacePlacement::gate));
  const common::Json config = to_json(prepared.config.retention);
  Metrics metrics;
  for (const auto& mechanism : prepared.mechanisms) {
    CHECK(config.at(mechanism->name()).is_object());
    mechanism->measure(prepared.model, metrics);
  }
  CHECK(metrics.null_space.size() == 2);
  CHECK(metrics.validation.fisher_loss == 0.0);
}
