// What a number is worth: intervals and tests for items that are asked of several models, once for each seed.
// The design is crossed: every seed meets the same items, so a mean over both varies with the seeds, with the
// items, and with how the two combine. Intervals are of 95 %. Nothing here reads a clock or a global
// generator: equal input gives equal bits.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace trainer {

struct Interval {
  double low = 0, high = 0;
};

// One row a seed, one column an item; rows of one length.
using SeedsByItems = std::vector<std::vector<double>>;

struct Estimate {
  double value = 0;           // the mean over seeds and items, or what it was transformed into
  Interval interval;          // for new items, and for new seeds where there are two or more
  std::vector<double> seeds;  // the value of every seed
  std::int64_t items = 0;
};

// P(as uneven or worse | a fair coin) over first + second discordant items, two-sided; 1 where there are
// none.
[[nodiscard]] double mcnemar_exact(std::int64_t first, std::int64_t second);

// Effect size of discordant pairs: the share that the second wins, less one half; in [-1/2, 1/2], 0 where
// there are none. Cohen 1988: 0.05 small, 0.15 medium, 0.25 large.
[[nodiscard]] double cohens_g(std::int64_t first, std::int64_t second);

// Wilson 1927: the interval of a proportion, never empty at 0 or 1. trials > 0.
[[nodiscard]] Interval wilson_interval(std::int64_t successes, std::int64_t trials);

// P(T <= quantile) = probability for Student's t; degrees > 0, not necessarily whole; 0 < probability < 1.
[[nodiscard]] double student_t_quantile(double probability, double degrees);

// The mean over seeds and items.
//   one seed:        percentile bootstrap over the items (2000 resamples), for new items and this seed;
//   several seeds:   both are random. Variance from the two-way analysis of variance,
//                    (MS_seeds + max(MS_items - MS_both, 0)) / (seeds x items), Student's t with the degrees
//                    of freedom of Hillis 2007 (Stat. Med. 26:596), who compares readers over the same
//                    patients.
// A bootstrap over three seeds would be too narrow (bootstrap_interval, measured in its test), which is why
// it is not used there.
[[nodiscard]] Estimate estimate_mean(const SeedsByItems& values);

// The same for values that are 0 or 1. One seed has Wilson's interval; so has a share that is 0 or 1 in every
// seed, about which a variance of zero would claim too much.
[[nodiscard]] Estimate estimate_share(const SeedsByItems& values);

// mean(numerator) / mean(denominator), seed by seed, then the geometric mean over the seeds; the interval is
// made for the logarithm, of values linearised per item. Every seed's means must be above 0.
[[nodiscard]] Estimate estimate_ratio(const SeedsByItems& numerator, const SeedsByItems& denominator);

// The pigeonhole bootstrap (Owen 2007, Ann. Appl. Stat. 1:386): items and, where there are several, seeds are
// drawn again independently of each other; 2.5 % and 97.5 % of the means of `resamples` tables.
inline constexpr int k_resamples = 2000;
[[nodiscard]] Interval bootstrap_interval(const SeedsByItems& values, std::string_view purpose = "mean",
                                          int resamples = k_resamples);

// What lies outside [low, high] is cut off: an accuracy is no more than 1.
[[nodiscard]] Estimate clipped(Estimate estimate, double low, double high);

}  // namespace trainer
