// What a number is worth: intervals and tests for items that are asked of several models, once for each seed.
// The design is crossed: every seed meets the same items, so a mean over both varies with the seeds, with the
// items, and with how the two combine. Intervals are of 95 %; tests/bench/coverage.cpp says how often each
// holds the truth. Nothing here reads a clock or a global generator: equal input gives equal bits.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "trainer/report/crossed_mean.hpp"

namespace trainer {

struct Interval {
  double low = 0, high = 0;
};

struct Estimate {
  double value = 0;           // the mean over seeds and items, or what it was transformed into
  Interval interval;          // for new items, and for new seeds where there are two or more
  std::vector<double> seeds;  // the value of every seed
  std::int64_t items = 0;
  double p = 1;  // two-sided, of a mean of 0 (of a ratio: of 1); not below 2 / (k_deviations + 1)
};

// P(as uneven or worse | a fair coin) over first + second discordant items, two-sided; 1 where there are
// none.
[[nodiscard]] double mcnemar_exact(std::int64_t first, std::int64_t second);

// Effect size of discordant pairs: the share that the second wins, less one half; in [-1/2, 1/2], 0 where
// there are none. Cohen 1988: 0.05 small, 0.15 medium, 0.25 large.
[[nodiscard]] double cohens_g(std::int64_t first, std::int64_t second);

// Wilson 1927: the interval of a proportion, never empty at 0 or 1. trials > 0.
[[nodiscard]] Interval wilson_interval(std::int64_t successes, std::int64_t trials);

// Holm 1979 (Scand. J. Stat. 6:65): p-values of several tests such that the chance of one below 0.05 where
// nothing is to be found is at most 0.05. In the order given.
[[nodiscard]] std::vector<double> holm(const std::vector<double>& p_values);

// The mean over seeds and items; interval and p from draw_deviations.
[[nodiscard]] Estimate estimate_mean(const SeedsByItems& values);

// The same for values that are 0 or 1. One seed has Wilson's interval; so has a share that is 0 or 1 in every
// seed, about which a variance of zero would claim too much.
[[nodiscard]] Estimate estimate_share(const SeedsByItems& values);

// mean(numerator) / mean(denominator), seed by seed, then the geometric mean over the seeds; the interval is
// made for the logarithm, of values linearised per item. Every seed's means must be above 0.
[[nodiscard]] Estimate estimate_ratio(const SeedsByItems& numerator, const SeedsByItems& denominator);

// Items drawn again: 2.5 % and 97.5 % of the means of `resamples` draws. For the items of one seed: over a
// few seeds a bootstrap is too narrow.
inline constexpr int k_resamples = 2000;
[[nodiscard]] Interval bootstrap_interval(const std::vector<double>& items, std::string_view purpose = "mean",
                                          int resamples = k_resamples);

// What lies outside [low, high] is cut off: an accuracy is no more than 1.
[[nodiscard]] Estimate clipped(Estimate estimate, double low, double high);

}  // namespace trainer
