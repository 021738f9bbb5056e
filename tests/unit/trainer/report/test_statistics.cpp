#include "trainer/report/statistics.hpp"

#include <cmath>

#include "common/random.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

// Seeds, items and their combination each add a normal number of their own.
struct Truth {
  double seed_sd = 0, item_sd = 0, both_sd = 0;
};

SeedsByItems draw_table(common::Random& random, std::size_t seeds, std::size_t items, const Truth& truth) {
  std::vector<double> item_effects;
  for (std::size_t i = 0; i < items; ++i) item_effects.push_back(truth.item_sd * random.normal());
  SeedsByItems table(seeds);
  for (std::vector<double>& row : table) {
    const double effect = truth.seed_sd * random.normal();
    for (const double item : item_effects) row.push_back(effect + item + truth.both_sd * random.normal());
  }
  return table;
}

// In how many of `trials` tables the interval holds the true mean, 0.
template <typename MakeInterval>
double coverage(std::int64_t seed, int trials, std::size_t seeds, std::size_t items, const Truth& truth,
                MakeInterval make) {
  common::Random random(seed);
  int held = 0;
  for (int i = 0; i < trials; ++i) {
    const Interval interval = make(draw_table(random, seeds, items, truth));
    held += interval.low <= 0 && interval.high >= 0 ? 1 : 0;
  }
  return held / static_cast<double>(trials);
}

Interval interval_of_mean(const SeedsByItems& table) { return estimate_mean(table).interval; }

}  // namespace

TEST_CASE("McNemar's exact test is the two-sided binomial") {
  CHECK(mcnemar_exact(0, 0) == 1);
  CHECK(mcnemar_exact(3, 3) == 1);
  CHECK(mcnemar_exact(0, 5) == doctest::Approx(2.0 / 32));
  CHECK(mcnemar_exact(5, 0) == mcnemar_exact(0, 5));
  CHECK(mcnemar_exact(2, 8) == doctest::Approx(2.0 * (1 + 10 + 45) / 1024));
  CHECK(mcnemar_exact(0, 2000) < 1e-300);
}

TEST_CASE("Cohen's g is the share won less one half") {
  CHECK(cohens_g(0, 0) == 0);
  CHECK(cohens_g(3, 3) == 0);
  CHECK(cohens_g(0, 7) == 0.5);
  CHECK(cohens_g(6, 2) == -0.25);
}

TEST_CASE("Wilson's interval is the published one and never empty") {
  // Newcombe 1998, Stat. Med. 17:857, table I, method 3.
  const struct {
    std::int64_t successes, trials;
    double low, high;
  } published[] = {
      {81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0.0, 0.1611}, {1, 29, 0.0061, 0.1718}};
  for (const auto& row : published) {
    CAPTURE(row.successes);
    const Interval interval = wilson_interval(row.successes, row.trials);
    CHECK(interval.low == doctest::Approx(row.low).epsilon(0.0001).scale(1));
    CHECK(interval.high == doctest::Approx(row.high).epsilon(0.0001).scale(1));
  }
  CHECK(wilson_interval(20, 20).high == 1);
  CHECK(wilson_interval(20, 20).low == doctest::Approx(1 - wilson_interval(0, 20).high));
}

TEST_CASE(
    "Holm's method multiplies the smallest p by their number, the next by one less, and keeps the order") {
  CHECK(holm({}).empty());
  CHECK(holm({0.04}) == std::vector<double>{0.04});
  const std::vector<double> corrected = holm({0.03, 0.01, 0.04, 0.9});
  CHECK(corrected[1] == doctest::Approx(0.04));
  CHECK(corrected[0] == doctest::Approx(0.09));
  CHECK(corrected[2] == doctest::Approx(0.09));  // 2 x 0.04 would be below the one before it
  CHECK(corrected[3] == 0.9);
  CHECK(holm({0.6, 0.7})[0] == 1);
}

TEST_CASE("the interval of a constant is the constant") {
  for (const std::size_t seeds : {1U, 3U}) {
    const SeedsByItems table(seeds, std::vector<double>(7, 0.1));
    const Estimate estimate = estimate_mean(table);
    CHECK(estimate.value == 0.1);
    CHECK(estimate.interval.low == 0.1);
    CHECK(estimate.interval.high == 0.1);
    CHECK(bootstrap_interval(table.front()).low == doctest::Approx(0.1));
    CHECK(estimate.p < 0.001);
    CHECK(estimate_mean(SeedsByItems(seeds, std::vector<double>(7, 0))).p == 1);
  }
}

TEST_CASE("a share of none or all in every seed is still not known exactly") {
  for (const std::size_t seeds : {1U, 3U}) {
    const Estimate none = estimate_share(SeedsByItems(seeds, std::vector<double>(20, 0)));
    CHECK(none.value == 0);
    CHECK(none.interval.low == 0);
    CHECK(none.interval.high == doctest::Approx(wilson_interval(0, 20).high));
  }
}

TEST_CASE("where nothing but the seeds differs the interval is Student's t over the seeds") {
  // Three seeds 0.3, 0.4, 0.5: two degrees, for whose quantile there is a closed form.
  const double t = 0.95 * std::sqrt(2 / (4 * 0.975 * 0.025)), half = t * 0.1 / std::sqrt(3.0);
  const Estimate estimate = estimate_mean({{0.3, 0.3}, {0.4, 0.4}, {0.5, 0.5}});
  CHECK(estimate.value == doctest::Approx(0.4));
  CHECK(estimate.seeds[2] == doctest::Approx(0.5));
  CHECK(estimate.interval.high == doctest::Approx(0.4 + half).epsilon(0.05));
  CHECK(estimate.interval.low == doctest::Approx(0.4 - half).epsilon(0.05));
  // P(|T| > 0.4 / (0.1 / sqrt 3)) of two degrees.
  const double ratio = 4 * std::sqrt(3.0);
  CHECK(estimate.p == doctest::Approx(1 - ratio / std::sqrt(2 + ratio * ratio)).epsilon(0.1));
}

TEST_CASE("p goes on where no draw is left to count, as Student's does") {
  // Seeds around d, of which the first is d - 1 and the last d + 1; two and four degrees have closed forms.
  const auto p_of = [](std::size_t seeds, double d) {
    SeedsByItems table;
    for (std::size_t s = 0; s < seeds; ++s) {
      const double value = d - 1 + 2 * static_cast<double>(s) / static_cast<double>(seeds - 1);
      table.push_back({value, value});
    }
    return estimate_mean(table).p;
  };
  for (const double d : {20.0, 100.0, 1000.0}) {
    CAPTURE(d);
    const double two = d * std::sqrt(3.0), four = d / std::sqrt(0.625 / 5);
    // Never much too small; too large by what a power of a hundred draws misses, which grows with the
    // distance.
    const auto check = [](double p, double truth) {
      CHECK(p > truth / 2);
      CHECK(std::log(p) < 0.8 * std::log(truth));
    };
    check(p_of(3, d), 1 - two / std::sqrt(2 + two * two));
    const double x = four * four / (4 + four * four);
    check(p_of(5, d), 1 - std::sqrt(x) * (1 + (1 - x) / 2));
  }
  // Never more than what can be counted, and less the farther it is from 0.
  CHECK(p_of(5, 4) > p_of(5, 8));
  CHECK(p_of(5, 8) > p_of(5, 16));
  CHECK(p_of(5, -16) == doctest::Approx(p_of(5, 16)).epsilon(0.5));
}

TEST_CASE("seeds that do not differ leave the interval of the items") {
  common::Random random(5);
  const SeedsByItems one = draw_table(random, 1, 400, {.item_sd = 1});
  const Estimate alone = estimate_mean(one), thrice = estimate_mean({one[0], one[0], one[0]});
  CHECK(thrice.value == doctest::Approx(alone.value));
  CHECK(thrice.interval.low == doctest::Approx(alone.interval.low).epsilon(0.02).scale(1));
  CHECK(thrice.interval.high == doctest::Approx(alone.interval.high).epsilon(0.02).scale(1));
}

TEST_CASE("items that are skewed to the right leave more room above than below") {
  std::vector<double> items(100, 0);
  for (std::size_t i = 0; i < 5; ++i) items[i] = 1;
  const Estimate estimate = estimate_mean({items});
  CHECK(estimate.interval.high - estimate.value > 1.3 * (estimate.value - estimate.interval.low));
  for (double& item : items) item = -item;
  const Estimate mirrored = estimate_mean({items});
  CHECK(mirrored.interval.low == doctest::Approx(-estimate.interval.high).epsilon(0.02));
}

// How often, in far more cases and experiments, is what tests/bench/coverage.cpp prints.
TEST_CASE("95 % intervals hold the truth in 95 % of simulated experiments, and in more with two seeds") {
  const std::int64_t seed = 20264;
  CAPTURE(seed);
  const Truth seeds_matter{.seed_sd = 0.1, .item_sd = 0.5, .both_sd = 0.5};
  const Truth items_matter{.seed_sd = 0.01, .item_sd = 1, .both_sd = 0.3};
  for (const std::size_t seeds : {1U, 2U, 3U, 5U})
    for (const Truth& truth : {seeds_matter, items_matter}) {
      // One seed cannot speak for others.
      if (seeds == 1 && truth.seed_sd > 0.05) continue;
      CAPTURE(seeds);
      CAPTURE(truth.item_sd);
      const double share = coverage(seed, 400, seeds, 100, truth, interval_of_mean);
      CHECK(share >= 0.92);
      CHECK(share <= (seeds == 2 ? 1.0 : 0.99));
    }
}

TEST_CASE("a p below 0.05 is as rare as it says where there is no difference") {
  const std::int64_t seed = 20265;
  CAPTURE(seed);
  common::Random random(seed);
  int found = 0;
  for (int i = 0; i < 400; ++i)
    found +=
        estimate_mean(draw_table(random, 3, 50, {.seed_sd = 0.1, .item_sd = 0.5, .both_sd = 0.5})).p < 0.05
            ? 1
            : 0;
  CHECK(found <= 32);  // of 400; 20 are expected
}

TEST_CASE("an interval and its p say the same of 0") {
  common::Random random(20266);
  for (int i = 0; i < 100; ++i) {
    SeedsByItems table = draw_table(random, 3, 40, {.seed_sd = 0.1, .item_sd = 0.5, .both_sd = 0.5});
    const Estimate estimate = estimate_mean(table);
    const bool holds_zero = estimate.interval.low <= 0 && estimate.interval.high >= 0;
    CHECK((estimate.p > 0.0503 ? holds_zero : estimate.p < 0.0497 ? !holds_zero : true));
  }
}

TEST_CASE("equal tables give equal bits, and a bootstrap another for another purpose") {
  common::Random random(6);
  const SeedsByItems table = draw_table(random, 3, 50, {.seed_sd = 1, .item_sd = 1});
  CHECK(draw_deviations(table) == draw_deviations(table));
  const Interval first = bootstrap_interval(table.front()), again = bootstrap_interval(table.front());
  CHECK(first.low == again.low);
  CHECK(first.high == again.high);
  CHECK(bootstrap_interval(table.front(), "other").low != first.low);
}

TEST_CASE("a ratio is that of the seeds' means, its interval that of the logarithm") {
  // KL of 3 seeds, halved exactly: no interval is left.
  const SeedsByItems twice = {{0.2, 0.4}, {0.6, 0.2}, {0.2, 0.2}},
                     once = {{0.1, 0.2}, {0.3, 0.1}, {0.1, 0.1}};
  const Estimate half = estimate_ratio(twice, once);
  CHECK(half.value == doctest::Approx(2));
  CHECK(half.interval.low == doctest::Approx(2));
  CHECK(half.interval.high == doctest::Approx(2));
  // Means 0.3/0.1 and 0.2/0.1: geometric mean sqrt(6).
  const Estimate mixed = estimate_ratio({{0.3, 0.3}, {0.2, 0.2}}, {{0.1, 0.1}, {0.1, 0.1}});
  CHECK(mixed.value == doctest::Approx(std::sqrt(6.0)));
  CHECK(mixed.seeds[0] == doctest::Approx(3));
  CHECK(mixed.interval.low * mixed.interval.high == doctest::Approx(6).epsilon(0.5));
}
