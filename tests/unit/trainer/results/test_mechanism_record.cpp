#include "trainer/results/mechanism_record.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using common::Json;

namespace {

Json config_with(const Json& retention) { return {{"retention", retention}}; }

}  // namespace

TEST_CASE("a mechanism that no reader was told of is known by what config.json says of it") {
  const Json config = config_with({{"batch_size", 16},
                                   {"kl", {{"title", "KL"}, {"weight", 0.3}}},
                                   {"fisher", nullptr},
                                   {"some_other", {{"title", "Some other"}, {"strength", 2}}}});
  const std::vector<MechanismRecord> found = mechanisms_in(config);
  REQUIRE(found.size() == 2);
  CHECK(found[0].title == "KL");
  CHECK(found[0].settings == Json{{"weight", 0.3}});
  CHECK(found[1].key == "some_other");
  CHECK(found[1].title == "Some other");
  CHECK(kl_weight_of(config) == 0.3);
  CHECK(has_mechanism(config, "some_other"));
  CHECK_FALSE(has_mechanism(config, "fisher"));
  CHECK_FALSE(has_mechanism(config, "batch_size"));
}

TEST_CASE("of older runs a weight of 0 is off, and the key is the title") {
  const Json config = config_with({{"kl", {{"weight", 0}}}, {"null_space", {{"placement", "gate"}}}});
  const std::vector<MechanismRecord> found = mechanisms_in(config);
  REQUIRE(found.size() == 1);
  CHECK(found[0].title == "null space");
  CHECK(kl_weight_of(config) == 0);
  CHECK(mechanisms_in(Json::object()).empty());
  CHECK(mechanisms_in(config_with("damaged")).empty());
}
