#include <algorithm>
#include <set>

#include "common/error.hpp"
#include "common/random.hpp"

#include <doctest/doctest.h>

using common::Random;

TEST_CASE("a sample has distinct members of the population, on both paths") {
  for (const std::uint64_t population :
       {std::uint64_t{1}, std::uint64_t{21}, std::uint64_t{22}, std::uint64_t{5000}}) {
    for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{1}, population / 2, population}) {
      const auto draws = Random(9).sample(population, count);
      const std::set<std::uint64_t> distinct(draws.begin(), draws.end());
      CHECK(draws.size() == count);
      CHECK(distinct.size() == count);
      if (count > 0) CHECK(*distinct.rbegin() < population);
    }
  }
}

TEST_CASE("draws go on beyond a sample to all of the population, each once, and begin with the sample") {
  for (const std::uint64_t population : {std::uint64_t{20}, std::uint64_t{300}})
    for (const std::uint64_t count : {std::uint64_t{0}, std::uint64_t{5}, std::uint64_t{20}}) {
      Random random(11);
      common::SampleDraws draws(random, population, count);
      std::vector<std::uint64_t> all;
      for (std::uint64_t i = 0; i < population; ++i) all.push_back(draws.next());
      const auto sample = Random(11).sample(population, count);
      CHECK(std::equal(sample.begin(), sample.end(), all.begin()));
      const std::set<std::uint64_t> distinct(all.begin(), all.end());
      CHECK(distinct.size() == population);
      CHECK(*distinct.rbegin() == population - 1);
    }
}

TEST_CASE("two purposes with one seed have different streams, one purpose has one") {
  CHECK(Random(1, "a").getrandbits(64) == Random(1, "a").getrandbits(64));
  CHECK(Random(1, "a").getrandbits(64) != Random(1, "b").getrandbits(64));
  CHECK(Random(1, "a").getrandbits(64) != Random(2, "a").getrandbits(64));
  // "<seed>/<purpose>": the slash keeps seed 1 with "1/x" apart from seed 11 with "x".
  CHECK(Random(1, "1/x").getrandbits(64) != Random(11, "/x").getrandbits(64));
}

TEST_CASE("a generator goes on from its state as if it had never stopped") {
  Random random(3);
  for (int i = 0; i < 700; ++i) random.getrandbits(32);
  const auto state = random.state();
  const std::uint64_t next = random.getrandbits(64);
  Random other(99);
  other.set_state(state);
  CHECK(other.getrandbits(64) == next);
}

TEST_CASE("a damaged state is refused") {
  Random random(3);
  CHECK_THROWS_AS(random.set_state({}), common::Error);
  auto state = random.state();
  state.back() = 625;
  CHECK_THROWS_AS(random.set_state(state), common::Error);
}

TEST_CASE("below never reaches its limit, and reaches all below it") {
  Random random(4);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 200; ++i) seen.insert(random.below(5));
  CHECK(seen == std::set<std::uint64_t>{0, 1, 2, 3, 4});
  CHECK(random.below(1) == 0);
}
