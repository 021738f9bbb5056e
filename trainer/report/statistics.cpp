#include "trainer/report/statistics.hpp"

#include <algorithm>
#include <cmath>

#include "common/error.hpp"
#include "common/random.hpp"

namespace trainer {
namespace {

constexpr double k_tail = 0.025;
constexpr double k_normal_quantile = 1.959963984540054;  // of 0.975
// Any fixed number: equal reports need equal resamples.
constexpr std::int64_t k_bootstrap_seed = 20070613;

double count_of(std::size_t size) { return static_cast<double>(size); }

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / count_of(values.size());
}

std::vector<double> seed_means(const SeedsByItems& values) {
  std::vector<double> means;
  for (const std::vector<double>& row : values) means.push_back(mean_of(row));
  return means;
}

std::vector<double> item_means(const SeedsByItems& values) {
  std::vector<double> means(values.front().size(), 0);
  for (const std::vector<double>& row : values)
    for (std::size_t i = 0; i < row.size(); ++i) means[i] += row[i] / count_of(values.size());
  return means;
}

double squares_around(const std::vector<double>& values, double centre) {
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return sum;
}

void check_table(const SeedsByItems& values) {
  ENSURE(!values.empty() && !values.front().empty());
  for (const std::vector<double>& row : values) ENSURE(row.size() == values.front().size());
}

// The continued fraction of the regularised incomplete beta function (DLMF 8.17.22), by Lentz's method.
double beta_fraction(double x, double a, double b) {
  constexpr double tiny = 1e-300;
  const auto away = [](double value) { return std::abs(value) < tiny ? tiny : value; };
  double c = 1, d = 1 / away(1 - (a + b) * x / (a + 1)), fraction = d;
  for (int m = 1; m <= 10000; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (std::abs(d * c - 1) < 1e-15) break;
  }
  return fraction;
}

double incomplete_beta(double x, double a, double b) {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const double front =
      std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) + a * std::log(x) + b * std::log1p(-x));
  // The fraction converges fast on this side of the mean only.
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(x, a, b) / a;
  return 1 - front * beta_fraction(1 - x, b, a) / b;
}

// P(T > t), t >= 0.
double student_t_tail(double t, double degrees) {
  return 0.5 * incomplete_beta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

double quantile_of_sorted(const std::vector<double>& sorted, double probability) {
  const double at = probability * (count_of(sorted.size()) - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - count_of(below)) * (sorted[above] - sorted[below]);
}

// How often each of `count` things is drawn in `count` draws.
std::vector<double> drawn_counts(common::Random& random, std::size_t count) {
  std::vector<double> counts(count, 0);
  for (std::size_t i = 0; i < count; ++i) ++counts[random.below(count)];
  return counts;
}

// Two-way crossed random effects without replication.
Interval crossed_interval(const SeedsByItems& values, double centre) {
  const double seeds = count_of(values.size()), items = count_of(values.front().size());
  const std::vector<double> by_seed = seed_means(values), by_item = item_means(values);
  const double between_seeds = items * squares_around(by_seed, centre) / (seeds - 1);
  double between_items = 0, both = 0;
  if (items > 1) {
    between_items = seeds * squares_around(by_item, centre) / (items - 1);
    for (std::size_t s = 0; s < values.size(); ++s)
      for (std::size_t i = 0; i < by_item.size(); ++i) {
        const double rest = values[s][i] - by_seed[s] - by_item[i] + centre;
        both += rest * rest / ((seeds - 1) * (items - 1));
      }
  }
  const double variance = between_seeds + std::max(between_items - both, 0.0);
  if (variance <= 0) return {centre, centre};
  // Where the seeds do not differ at all the degrees are infinite, and t is the normal.
  const double degrees = variance * variance * (seeds - 1) / (between_seeds * between_seeds);
  const double quantile = degrees < 1e6 ? student_t_quantile(1 - k_tail, degrees) : k_normal_quantile;
  const double half = quantile * std::sqrt(variance / (seeds * items));
  return {centre - half, centre + half};
}

}  // namespace

double mcnemar_exact(std::int64_t first, std::int64_t second) {
  const std::int64_t total = first + second, fewer = std::min(first, second);
  // Two-sided: twice the smaller tail of a binomial with p = 1/2; sums in logarithms, since 2^-total
  // underflows.
  const double log_all = static_cast<double>(total) * std::log(2.0);
  double tail = 0;
  for (std::int64_t k = 0; k <= fewer; ++k) {
    const double n = static_cast<double>(total), i = static_cast<double>(k);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(i + 1) - std::lgamma(n - i + 1) - log_all);
  }
  return std::min(1.0, 2 * tail);
}

double cohens_g(std::int64_t first, std::int64_t second) {
  if (first + second == 0) return 0;
  return static_cast<double>(second) / static_cast<double>(first + second) - 0.5;
}

Interval wilson_interval(std::int64_t successes, std::int64_t trials) {
  ENSURE(trials > 0 && successes >= 0 && successes <= trials);
  const double n = static_cast<double>(trials), share = static_cast<double>(successes) / n;
  const double z2 = k_normal_quantile * k_normal_quantile;
  const double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half =
      k_normal_quantile / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  // Exactly 0 and 1 at the ends, where rounding would leave 1e-17.
  return {successes == 0 ? 0 : centre - half, successes == trials ? 1 : centre + half};
}

double student_t_quantile(double probability, double degrees) {
  ENSURE(probability > 0 && probability < 1 && degrees > 0);
  if (probability < 0.5) return -student_t_quantile(1 - probability, degrees);
  double low = 0, high = 1;
  while (student_t_tail(high, degrees) > 1 - probability && high < 1e150) high *= 2;
  for (int i = 0; i < 200 && high - low > 1e-14 * high; ++i) {
    const double middle = (low + high) / 2;
    (student_t_tail(middle, degrees) > 1 - probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

Interval bootstrap_interval(const SeedsByItems& values, std::string_view purpose, int resamples) {
  check_table(values);
  common::Random random(k_bootstrap_seed, purpose);
  const std::size_t seeds = values.size(), items = values.front().size();
  std::vector<double> means;
  for (int i = 0; i < resamples; ++i) {
    const std::vector<double> drawn_items = drawn_counts(random, items);
    const std::vector<double> drawn_seeds = seeds == 1 ? std::vector<double>{1} : drawn_counts(random, seeds);
    double sum = 0;
    for (std::size_t s = 0; s < seeds; ++s) {
      if (drawn_seeds[s] == 0) continue;
      double row = 0;
      for (std::size_t k = 0; k < items; ++k) row += drawn_items[k] * values[s][k];
      sum += drawn_seeds[s] * row;
    }
    means.push_back(sum / (count_of(seeds) * count_of(items)));
  }
  std::sort(means.begin(), means.end());
  return {quantile_of_sorted(means, k_tail), quantile_of_sorted(means, 1 - k_tail)};
}

Estimate estimate_mean(const SeedsByItems& values) {
  check_table(values);
  Estimate estimate;
  estimate.seeds = seed_means(values);
  estimate.value = mean_of(estimate.seeds);
  estimate.items = static_cast<std::int64_t>(values.front().size());
  const double first = values.front().front();
  const bool constant = std::all_of(values.begin(), values.end(), [&](const std::vector<double>& row) {
    return std::all_of(row.begin(), row.end(), [&](double value) { return value == first; });
  });
  if (constant) {
    // Sums of equal numbers differ from a multiple in the last bits; the interval of a constant is the
    // constant.
    estimate.value = first;
    estimate.seeds.assign(values.size(), first);
    estimate.interval = {first, first};
  } else if (values.size() == 1) {
    estimate.interval = bootstrap_interval(values);
  } else {
    estimate.interval = crossed_interval(values, estimate.value);
  }
  return estimate;
}

Estimate estimate_share(const SeedsByItems& values) {
  Estimate estimate = clipped(estimate_mean(values), 0, 1);
  const bool constant = estimate.value == 0 || estimate.value == 1;
  if (values.size() == 1 || constant)
    estimate.interval =
        wilson_interval(std::llround(estimate.value * count_of(values.front().size())), estimate.items);
  return estimate;
}

Estimate estimate_ratio(const SeedsByItems& numerator, const SeedsByItems& denominator) {
  check_table(numerator);
  check_table(denominator);
  ENSURE(numerator.size() == denominator.size() && numerator[0].size() == denominator[0].size());
  const std::vector<double> above = seed_means(numerator), below = seed_means(denominator);
  // What an item adds to log(mean / mean), to first order; its mean is the logarithm itself.
  SeedsByItems logs = numerator;
  for (std::size_t s = 0; s < logs.size(); ++s) {
    ENSURE(above[s] > 0 && below[s] > 0);
    for (std::size_t i = 0; i < logs[s].size(); ++i)
      logs[s][i] = std::log(above[s] / below[s]) + numerator[s][i] / above[s] - denominator[s][i] / below[s];
  }
  Estimate estimate = estimate_mean(logs);
  estimate.value = std::exp(estimate.value);
  estimate.interval = {std::exp(estimate.interval.low), std::exp(estimate.interval.high)};
  for (std::size_t s = 0; s < logs.size(); ++s) estimate.seeds[s] = above[s] / below[s];
  return estimate;
}

Estimate clipped(Estimate estimate, double low, double high) {
  estimate.interval.low = std::clamp(estimate.interval.low, low, high);
  estimate.interval.high = std::clamp(estimate.interval.high, low, high);
  return estimate;
}

}  // namespace trainer
