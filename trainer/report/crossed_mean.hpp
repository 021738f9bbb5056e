// What a mean over seeds and items may be, both being random: a generalised confidence distribution
// (Weerahandi 1993, J. Am. Stat. Assoc. 88:899) of the crossed random-effects model
//   value = mean + seed + item + (seed x item),
// whose item part is corrected for skewness (Hall 1992, J. R. Stat. Soc. B 54:221) and kurtosis.
// Satterthwaite's and Hillis' degrees of freedom are short at two and three seeds, and normal theory is short
// where 5 % of the items hold half of the sum, as in KL. How often these hold: tests/bench/coverage.cpp.
#pragma once

#include <cstddef>
#include <vector>

namespace trainer {

// One row a seed, one column an item; rows of one length.
using SeedsByItems = std::vector<std::vector<double>>;

// Draws of what the mean may be, less what it is in the table, in no order: their quantiles bound it. With
// one seed, for new items and this seed alone. Equal tables give equal draws.
[[nodiscard]] std::vector<double> draw_deviations(const SeedsByItems& values);
inline constexpr std::size_t k_deviations = 10000;

[[nodiscard]] std::vector<double> seed_means(const SeedsByItems& values);
[[nodiscard]] double mean_of(const std::vector<double>& values);

}  // namespace trainer
