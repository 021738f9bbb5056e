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

TEST_CASE("quantiles of Student's t are those of the tables, also for broken degrees of freedom") {
  CHECK(student_t_quantile(0.975, 1) ==
        doctest::Approx(std::tan(0.475 * 3.14159265358979324)).epsilon(1e-10));
  // For two degrees there is a closed form.
  CHECK(student_t_quantile(0.975, 2) ==
        doctest::Approx(0.95 * std::sqrt(2 / (4 * 0.975 * 0.025))).epsilon(1e-10));
  CHECK(student_t_quantile(0.975, 10) == doctest::Approx(2.228138852).epsilon(1e-9));
  CHECK(student_t_quantile(0.95, 30) == doctest::Approx(1.697260887).epsilon(1e-9));
  CHECK(student_t_quantile(0.975, 1e5) == doctest::Approx(1.959963985).epsilon(1e-4));
  CHECK(student_t_quantile(0.025, 7) == -student_t_quantile(0.975, 7));
  CHECK(student_t_quantile(0.5, 3) == doctest::Approx(0).scale(1));
  const double between = student_t_quantile(0.975, 2.5);
  CHECK(between < student_t_quantile(0.975, 2));
  CHECK(between > student_t_quantile(0.975, 3));
}

TEST_CASE("the interval of a constant is the constant") {
  for (const std::size_t seeds : {1U, 3U}) {
    const SeedsByItems table(seeds, std::vector<double>(7, 0.1));
    const Estimate estimate = estimate_mean(table);
    CHECK(estimate.value == 0.1);
    CHECK(estimate.interval.low == 0.1);
    CHECK(estimate.interval.high == 0.1);
    CHECK(bootstrap_interval(table).low == doctest::Approx(0.1));
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

TEST_CASE("with several seeds the interval is that of the two-way analysis of variance") {
  // By hand: rows 1 2 3 and 3 4 8. Grand mean 3.5; MS seeds 13.5, MS items 6.5, MS both 1.5.
  const Estimate estimate = estimate_mean({{1, 2, 3}, {3, 4, 8}});
  CHECK(estimate.value == 3.5);
  CHECK(estimate.seeds == std::vector<double>{2, 5});
  const double variance = 13.5 + 6.5 - 1.5, degrees = variance * variance / (13.5 * 13.5);
  const double half = student_t_quantile(0.975, degrees) * std::sqrt(variance / 6);
  CHECK(estimate.interval.high - 3.5 == doctest::Approx(half));
  CHECK(3.5 - estimate.interval.low == doctest::Approx(half));
}

TEST_CASE("seeds that do not differ leave the interval of the items") {
  common::Random random(5);
  const SeedsByItems one = draw_table(random, 1, 400, {.item_sd = 1});
  const Estimate alone = estimate_mean(one), thrice = estimate_mean({one[0], one[0], one[0]});
  CHECK(thrice.value == doctest::Approx(alone.value));
  CHECK(thrice.interval.low == doctest::Approx(alone.interval.low).epsilon(0.02).scale(1));
  CHECK(thrice.interval.high == doctest::Approx(alone.interval.high).epsilon(0.02).scale(1));
}

TEST_CASE("95 % intervals hold the truth in about 95 % of simulated experiments") {
  const std::int64_t seed = 20264;
  CAPTURE(seed);
  const Truth seeds_matter{.seed_sd = 0.1, .item_sd = 0.5, .both_sd = 0.5};
  const Truth items_matter{.seed_sd = 0.01, .item_sd = 1, .both_sd = 0.3};
  for (const std::size_t seeds : {2U, 3U, 5U})
    for (const Truth& truth : {seeds_matter, items_matter}) {
      CAPTURE(seeds);
      CAPTURE(truth.item_sd);
      const double share = coverage(seed, 2000, seeds, 100, truth, interval_of_mean);
      // Two seeds leave one degree of freedom for how seeds differ, and Satterthwaite's approximation is
      // short there.
      CHECK(share >= (seeds == 2 ? 0.88 : 0.93));
      CHECK(share <= 0.985);
    }
  const double one = coverage(seed, 400, 1, 100, {.item_sd = 1}, interval_of_mean);
  CHECK(one >= 0.92);
  CHECK(one <= 0.97);
}

TEST_CASE(
    "a bootstrap over three seeds is too narrow where seeds matter, which is why it is not the interval") {
  const Truth seeds_matter{.seed_sd = 0.1, .item_sd = 0.5, .both_sd = 0.5};
  const double share = coverage(20264, 400, 3, 100, seeds_matter, [](const SeedsByItems& table) {
    return bootstrap_interval(table, "mean", 400);
  });
  MESSAGE("coverage of the bootstrap over 3 seeds: ", share);
  CHECK(share < 0.93);
}

TEST_CASE("a bootstrap is the same every time, and another for another purpose") {
  common::Random random(6);
  const SeedsByItems table = draw_table(random, 3, 50, {.seed_sd = 1, .item_sd = 1});
  const Interval first = bootstrap_interval(table), again = bootstrap_interval(table);
  CHECK(first.low == again.low);
  CHECK(first.high == again.high);
  CHECK(bootstrap_interval(table, "other").low != first.low);
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
  CHECK(mixed.interval.low * mixed.interval.high == doctest::Approx(6));
}
