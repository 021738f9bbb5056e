#include "trainer/report/crossed_mean.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "common/random.hpp"

namespace trainer {
namespace {

// Any fixed number: equal reports need equal draws.
constexpr std::int64_t k_draws_seed = 19930899;

double count_of(std::size_t size) { return static_cast<double>(size); }

double squares_around(const std::vector<double>& values, double centre) {
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return sum;
}

std::vector<double> item_means(const SeedsByItems& values) {
  std::vector<double> means(values.front().size(), 0);
  for (const std::vector<double>& row : values)
    for (std::size_t i = 0; i < row.size(); ++i) means[i] += row[i] / count_of(values.size());
  return means;
}

// Mean squares of the two-way analysis of variance without replication, and what the items are beside
// normal. `item_degrees`: the mean square of n items of kurtosis k varies like that of 2n / (k - 1) normal
// ones.
struct MeanSquares {
  double seeds = 0, items = 0, both = 0;
  double skewness = 0, item_degrees = 1;
};

MeanSquares analyse(const SeedsByItems& values) {
  const double seeds = count_of(values.size()), items = count_of(values.front().size());
  const std::vector<double> by_seed = seed_means(values), by_item = item_means(values);
  const double centre = mean_of(by_seed);
  MeanSquares squares;
  if (seeds > 1) squares.seeds = items * squares_around(by_seed, centre) / (seeds - 1);
  if (items < 2) return squares;
  const double around = squares_around(by_item, centre);
  squares.items = seeds * around / (items - 1);
  double cubes = 0, fourths = 0;
  for (const double mean : by_item) {
    cubes += std::pow(mean - centre, 3);
    fourths += std::pow(mean - centre, 4);
  }
  squares.item_degrees = items - 1;
  if (around > 0) {
    const double kurtosis = fourths / items / std::pow(around / items, 2);
    squares.skewness = cubes / items / std::pow(around / items, 1.5);
    if (kurtosis > 1) squares.item_degrees = std::min(items - 1, 2 * items / (kurtosis - 1));
  }
  if (seeds < 2) return squares;
  for (std::size_t s = 0; s < values.size(); ++s)
    for (std::size_t i = 0; i < by_item.size(); ++i) {
      const double rest = values[s][i] - by_seed[s] - by_item[i] + centre;
      squares.both += rest * rest / ((seeds - 1) * (items - 1));
    }
  return squares;
}

// From a normal number a chi-squared one divided by its degrees of freedom: Wilson and Hilferty 1931 (Proc.
// Natl. Acad. Sci. 17:684).
double scaled_chi_squared(double normal, double degrees) {
  const double ninth = 2 / (9 * degrees);
  return std::pow(std::max(1 - ninth + normal * std::sqrt(ninth), 0.05), 3);
}

// P(Z < x) = probability for a standard normal Z.
double normal_quantile(double probability) {
  double low = -10, high = 10;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < probability ? low : high) = middle;
  }
  return (low + high) / 2;
}

// As many normal numbers as there are draws, one from each equal part of the distribution, in random order: a
// Latin hypercube (McKay 1979, Technometrics 21:239), of which few draws say as much as many independent
// ones.
std::vector<double> stratified_normals(common::Random& random) {
  static const std::vector<double> k_scores = [] {
    std::vector<double> scores(k_deviations);
    for (std::size_t i = 0; i < scores.size(); ++i)
      scores[i] = normal_quantile((count_of(i) + 0.5) / count_of(scores.size()));
    return scores;
  }();
  std::vector<double> normals = k_scores;
  random.shuffle(normals);
  return normals;
}

// A chi-squared number for each draw, divided by its degrees of freedom; exact where they are few. 1 where
// there are none.
std::vector<double> scaled_chi_squared(common::Random& random, std::size_t degrees) {
  std::vector<double> scaled(k_deviations, degrees == 0 ? 1 : 0);
  if (degrees >= 30) {
    scaled = stratified_normals(random);
    for (double& one : scaled) one = scaled_chi_squared(one, count_of(degrees));
    return scaled;
  }
  for (std::size_t degree = 0; degree < degrees; ++degree) {
    const std::vector<double> normals = stratified_normals(random);
    for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] += normals[i] * normals[i] / count_of(degrees);
  }
  return scaled;
}

// What is random in the draws, whatever the table holds.
struct Draws {
  std::vector<double> seed_normal, seed_chi, both_chi, item_normal, item_chi_normal;
};

Draws make_draws(std::size_t seeds, std::size_t items) {
  common::Random random(k_draws_seed, "crossed mean");
  Draws draws;
  draws.seed_normal = stratified_normals(random);
  draws.seed_chi = scaled_chi_squared(random, seeds - 1);
  draws.both_chi = scaled_chi_squared(random, (seeds - 1) * (items - 1));
  draws.item_normal = stratified_normals(random);
  draws.item_chi_normal = stratified_normals(random);
  return draws;
}

// A report asks for hundreds of tables of a few sizes.
const Draws& draws_for(std::size_t seeds, std::size_t items) {
  static std::mutex mutex;
  static std::map<std::pair<std::size_t, std::size_t>, Draws> known;
  const std::lock_guard lock(mutex);
  Draws& draws = known[{seeds, items}];
  if (draws.seed_normal.empty()) draws = make_draws(seeds, items);
  return draws;
}

// Hall's transformation backwards: from a number of Student's t to one of the t of items this skewed.
double skewed(double t, double skewness, std::size_t items) {
  const double share = skewness / std::sqrt(count_of(items));
  if (std::abs(share) < 1e-9) return t;
  return 3 / share * (std::cbrt(1 + share * (t - share / 6)) - 1);
}

}  // namespace

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

std::vector<double> draw_deviations(const SeedsByItems& values) {
  const std::size_t seeds = values.size(), items = values.front().size();
  const MeanSquares squares = analyse(values);
  const double cells = count_of(seeds) * count_of(items);
  std::vector<double> deviations;
  deviations.reserve(k_deviations);
  const Draws& draws = draws_for(seeds, items);
  for (std::size_t i = 0; i < k_deviations; ++i) {
    const double of_seeds =
        std::max(squares.seeds / draws.seed_chi[i] - squares.both / draws.both_chi[i], 0.0);
    const double t =
        draws.item_normal[i] / std::sqrt(scaled_chi_squared(draws.item_chi_normal[i], squares.item_degrees));
    deviations.push_back(-draws.seed_normal[i] * std::sqrt(of_seeds / cells) -
                         skewed(t, squares.skewness, items) * std::sqrt(squares.items / cells));
  }
  return deviations;
}

}  // namespace trainer
