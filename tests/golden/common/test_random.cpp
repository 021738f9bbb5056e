// Vectors computed with CPython's random module.
#include <algorithm>
#include <numeric>

#include "common/random.hpp"

#include <doctest/doctest.h>

using common::Random;
using Draws = std::vector<std::uint64_t>;

namespace {
Draws head(const Draws& draws, std::size_t count) {
  return {draws.begin(), draws.begin() + static_cast<long>(count)};
}
std::uint64_t sum(const Draws& draws) {
  return std::accumulate(draws.begin(), draws.end(), std::uint64_t{0});
}
}  // namespace

TEST_CASE("getrandbits gives CPython's words") {
  Random zero(0);
  CHECK(zero.getrandbits(32) == 3626764237U);
  CHECK(zero.getrandbits(32) == 1654615998U);
  CHECK(zero.getrandbits(32) == 3255389356U);
  CHECK(Random(123).getrandbits(32) == 224899942U);
}

TEST_CASE("the sample of 500 of VQA v2's 214354 validation questions is CPython's") {
  Draws draws = Random(123).sample(214354, 500);
  CHECK(head(draws, 10) == Draws{13726, 70169, 22855, 201577, 106755, 69875, 28232, 10001, 99385, 140562});
  std::sort(draws.begin(), draws.end());
  CHECK(head(draws, 10) == Draws{93, 437, 1562, 1728, 2244, 2661, 2872, 3289, 3363, 3400});
  CHECK(Draws(draws.end() - 5, draws.end()) == Draws{211311, 211648, 212079, 212163, 212719});
  CHECK(sum(draws) == 52153994);
}

TEST_CASE("a sample follows CPython's set path where the population is large") {
  CHECK(Random(42).sample(1000, 8) == Draws{654, 114, 25, 759, 281, 250, 228, 142});
  CHECK(Random(5).sample(1000, 3) == Draws{637, 261, 759});
}

TEST_CASE("a sample follows CPython's pool path where the population is small") {
  const Draws draws = Random(42).sample(400, 100);
  CHECK(head(draws, 10) == Draws{327, 57, 12, 379, 140, 125, 114, 71, 377, 52});
  CHECK(sum(draws) == 19991);
  CHECK(Random(5).sample(10, 3) == Draws{9, 4, 5});
}

TEST_CASE("a shuffle is CPython's") {
  std::vector<int> items(100);
  std::iota(items.begin(), items.end(), 0);
  Random(42).shuffle(items);
  items.resize(12);
  CHECK(items == std::vector<int>{42, 41, 91, 9, 65, 50, 1, 70, 15, 78, 73, 10});
}

TEST_CASE("the sign of a seed does not count, all its 64 bits do") {
  CHECK(Random(-123).getrandbits(32) == Random(123).getrandbits(32));
  // random.Random(2**32 + 123).getrandbits(32) and random.Random(-2**63).getrandbits(64).
  CHECK(Random((std::int64_t{1} << 32) + 123).getrandbits(32) == 1400911976U);
  CHECK(Random(INT64_MIN).getrandbits(64) == 7266025828921626888U);
}

TEST_CASE("random() is CPython's, bit for bit") {
  Random random(7);
  CHECK(random.uniform() == 0x1.4b9ad0f953a6ep-2);
  CHECK(random.uniform() == 0x1.34f0696513270p-3);
}
