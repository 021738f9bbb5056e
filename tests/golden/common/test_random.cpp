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

TEST_CASE("a seed of any size gives what random.seed(int) gives, whatever its sign") {
  const struct {
    std::string seed;
    Draws words;   // getrandbits(32), three times
    Draws sample;  // sample(range(214354), 5)
  } rows[] = {
      {"0", {3626764237, 1654615998, 3255389356}, {100989, 198693, 110250, 10612, 67873}},
      {"-1", {577090037, 2444712010, 3639700191}, {35222, 149213, 210308, 200218, 16543}},
      {"4294967296", {485306839, 1508871100, 1794561286}, {29620, 92094, 109531, 4371, 5982}},
      {"9223372036854775808", {2377109768, 1691753470, 4039908392}, {145087, 103256, 54875, 63437, 131634}},
      {"-9223372036854775809", {3142093607, 3219185990, 574862594}, {191778, 196483, 35086, 35227, 213118}},
      {"18446744073709551615", {93740670, 1068495656, 1452108352}, {5721, 65215, 88629, 162201, 55566}},
      {"18446744073709551616", {4198958755, 3158798261, 1593907883}, {192797, 97284, 24116, 130982, 163724}},
      {"100000000000000000000", {78147056, 1939873431, 2326779150}, {4769, 118400, 142015, 169921, 154110}},
      {"-100000000000000000000", {78147056, 1939873431, 2326779150}, {4769, 118400, 142015, 169921, 154110}},
      {"1000000000000000000000000000007",
       {1113893477, 3225856549, 2426182661},
       {67986, 196890, 148082, 140364, 86835}},
      {std::string(100, '9'), {3653488970, 1850186248, 2867599183}, {112926, 175024, 43164, 41030, 142081}},
  };
  for (const auto& row : rows) {
    CAPTURE(row.seed);
    const common::Seed seed = common::Seed::parse(row.seed).value();
    Random random(seed);
    Draws words;
    for (int i = 0; i < 3; ++i) words.push_back(random.getrandbits(32));
    CHECK(words == row.words);
    CHECK(Random(seed).sample(214354, 5) == row.sample);
  }
}

TEST_CASE("random() is CPython's, bit for bit") {
  Random random(7);
  CHECK(random.uniform() == 0x1.4b9ad0f953a6ep-2);
  CHECK(random.uniform() == 0x1.34f0696513270p-3);
}
