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

TEST_CASE("Fisher pulls nothing that stands where it started, wherever the null space is") {
  // With the anchors taken before the maps are reparametrised it would pull those to half their start. It has
  // to see a moved output map: before that F of all others is zero.
  for (const NullSpacePlacement placement : {NullSpacePlacement::gate, NullSpacePlacement::query,
                                             NullSpacePlacement::output, NullSpacePlacement::all}) {
    CAPTURE(text_of(placement));
    Prepared prepared(full_safe_at(placement));
    std::vector<Parameter> outputs;
    for (const Parameter& parameter : prepared.model.parameters())
      if (parameter.name.find(".o_proj.") != std::string::npos) outputs.push_back(parameter);
    support::move_all(outputs);
    for (const auto& mechanism : prepared.mechanisms) {
      if (mechanism->name() != FisherOptions::k_key) continue;
      const RetentionTerm term = mechanism->term(4, prepared.scene);  // a step that estimates
      for (std::size_t k = 0; k < term.gradients.size(); ++k) {
        const std::string& name = prepared.model.parameters()[k].name;
        CAPTURE(name);
        const bool has_moved = name.find(".o_proj.") != std::string::npos;
        if (term.gradients[k].defined()) CHECK((term.gradients[k].norm().item<double>() > 0) == has_moved);
      }
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
