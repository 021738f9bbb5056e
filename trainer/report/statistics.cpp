#include "trainer/report/statistics.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/error.hpp"
#include "common/random.hpp"

namespace trainer {
namespace {

constexpr double k_tail = 0.025;
constexpr double k_normal_quantile = 1.959963984540054;  // of 0.975
// Any fixed number: equal reports need equal resamples.
constexpr std::int64_t k_bootstrap_seed = 20070613;

double count_of(std::size_t size) { return static_cast<double>(size); }

void check_table(const SeedsByItems& values) {
  ENSURE(!values.empty() && !values.front().empty());
  for (const std::vector<double>& row : values) ENSURE(row.size() == values.front().size());
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

double least_p(std::size_t draws) { return 2 / (count_of(draws) + 1); }

// Twice the smaller share of `sorted` numbers, which lie around `centre`, on one side of 0, of which one more
// is taken to be there. Where that is less than a hundredth of them, few or none are left to count: there the
// tail is a power of the distance from the centre, as the outermost hundredth has it (Hill 1975, Ann. Stat.
// 3:1163). That is Student's tail, which a few seeds have, and heavier than that of many.
double two_sided_p(const std::vector<double>& sorted, double centre) {
  const auto below =
      static_cast<std::size_t>(std::upper_bound(sorted.begin(), sorted.end(), 0.0) - sorted.begin());
  const auto above =
      static_cast<std::size_t>(sorted.end() - std::lower_bound(sorted.begin(), sorted.end(), 0.0));
  const double counted = std::min(1.0, (count_of(std::min(below, above)) + 1) * least_p(sorted.size()));
  const std::size_t outermost = sorted.size() / 100;
  if (std::min(below, above) >= outermost) return counted;
  const auto distance = [&](std::size_t i) {
    return below < above ? centre - sorted[i] : sorted[sorted.size() - 1 - i] - centre;
  };
  const double nearest = distance(outermost);
  if (!(nearest > 0)) return counted;
  double logarithms = 0;
  for (std::size_t i = 0; i < outermost; ++i)
    logarithms += std::log(distance(i) / nearest) / count_of(outermost);
  if (!(logarithms > 0)) return counted;
  const double share = count_of(outermost) / count_of(sorted.size());
  return std::min(counted, 2 * share * std::pow(std::abs(centre) / nearest, -1 / logarithms));
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

std::vector<double> holm(const std::vector<double>& p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, std::min(1.0, count_of(order.size() - rank) * p_values[order[rank]]));
    adjusted[order[rank]] = largest;
  }
  return adjusted;
}

Interval bootstrap_interval(const std::vector<double>& items, std::string_view purpose, int resamples) {
  ENSURE(!items.empty());
  common::Random random(k_bootstrap_seed, purpose);
  std::vector<double> means;
  for (int i = 0; i < resamples; ++i) {
    const std::vector<double> drawn = drawn_counts(random, items.size());
    double sum = 0;
    for (std::size_t k = 0; k < items.size(); ++k) sum += drawn[k] * items[k];
    means.push_back(sum / count_of(items.size()));
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
    estimate.p = first == 0 ? 1 : least_p(k_deviations);
    return estimate;
  }
  std::vector<double> means = draw_deviations(values);
  for (double& mean : means) mean += estimate.value;
  std::sort(means.begin(), means.end());
  estimate.interval = {quantile_of_sorted(means, k_tail), quantile_of_sorted(means, 1 - k_tail)};
  estimate.p = two_sided_p(means, estimate.value);
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
