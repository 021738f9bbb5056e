// How well a few hundred questions stand for all of VQA v2's: the error of estimates from samples of three
// kinds, over many seeds. Tables: tests/bench/manifest_speed.py makes some of the official size; the official
// ones do as well.
//
//   bench_strategies QUESTIONS ANNOTATIONS [SIZE] [SEEDS]
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/random.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/majority.hpp"
#include "manifest/stratify.hpp"

namespace {

using manifest::VqaTables;
using Indices = std::vector<std::size_t>;

// What one of all questions counts; its mean over all is what a sample estimates.
struct Quantity {
  std::string name;
  std::vector<double> values;
  double truth = 0;
};

// In [0, 1), of the text alone.
double hashed(const std::string& text) {
  const auto bytes = common::digest_of(text).bytes();
  return (bytes[0] * 65536.0 + bytes[1] * 256.0 + bytes[2]) / 16777216.0;
}

// A made-up model that is right with a probability of its own for every kind of question: what VQA models are
// like, of which yes/no is answered best and numbers worst.
double skill(const VqaTables& tables, std::size_t i) {
  static const std::map<std::string, double> k_base = {{"yes/no", 0.8}, {"number", 0.45}, {"other", 0.55}};
  const auto at = k_base.find(tables.answer_type(i));
  return (at == k_base.end() ? 0.5 : at->second) + 0.4 * (hashed(tables.question_type(i)) - 0.5);
}

std::vector<Quantity> quantities_of(const VqaTables& tables) {
  std::vector<Quantity> all;
  const auto add = [&](const std::string& name, const std::function<double(std::size_t)>& value) {
    Quantity quantity{name, std::vector<double>(tables.size()), 0};
    for (std::size_t i = 0; i < tables.size(); ++i) quantity.values[i] = value(i);
    quantity.truth = std::accumulate(quantity.values.begin(), quantity.values.end(), 0.0) /
                     static_cast<double>(tables.size());
    all.push_back(std::move(quantity));
  };
  for (const std::string type : {"yes/no", "number", "other"})
    add("share of " + type, [&](std::size_t i) { return tables.answer_type(i) == type ? 1.0 : 0.0; });
  add("accuracy of a model", [&](std::size_t i) {
    return hashed(std::to_string(tables.question_id(i))) < skill(tables, i) ? 1.0 : 0.0;
  });
  add("accuracy of \"yes\" to all",
      [&](std::size_t i) { return manifest::majority_answer(tables.answers(i)) == "yes" ? 1.0 : 0.0; });
  add("mean skill by kind", [&](std::size_t i) { return skill(tables, i); });
  return all;
}

Indices original(const Indices& population, std::uint64_t size, std::int64_t seed) {
  const auto ranks = common::Random(seed).sample(population.size(), size);
  return {ranks.begin(), ranks.end()};
}

// The alternative: quotas rounded by largest remainders, a simple sample in each stratum.
class LargestRemainders {
 public:
  LargestRemainders(const VqaTables& tables, std::uint64_t size) {
    std::map<std::pair<std::string, std::string>, Indices> by_kind;
    for (std::size_t i = 0; i < tables.size(); ++i)
      by_kind[{tables.answer_type(i), tables.question_type(i)}].push_back(i);
    std::vector<std::pair<std::uint64_t, std::size_t>> remainders;
    std::uint64_t given = 0;
    for (auto& [kind, members] : by_kind) {
      const std::uint64_t share = size * members.size();
      quotas_.push_back(share / tables.size());
      given += quotas_.back();
      remainders.emplace_back(share % tables.size(), strata_.size());
      strata_.push_back(std::move(members));
    }
    std::stable_sort(remainders.begin(), remainders.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (std::size_t i = 0; given < size; ++i, ++given) ++quotas_[remainders[i].second];
  }
  [[nodiscard]] Indices draw(std::int64_t seed) const {
    common::Random random(seed);
    Indices chosen;
    for (std::size_t i = 0; i < strata_.size(); ++i)
      for (const std::uint64_t rank : random.sample(strata_[i].size(), quotas_[i]))
        chosen.push_back(strata_[i][rank]);
    return chosen;
  }
  [[nodiscard]] std::size_t never_seen() const {
    return static_cast<std::size_t>(std::count(quotas_.begin(), quotas_.end(), 0U));
  }
  [[nodiscard]] std::size_t strata() const { return strata_.size(); }

 private:
  std::vector<Indices> strata_;
  std::vector<std::uint64_t> quotas_;
};

struct Error {
  double sum = 0, squares = 0;
  int count = 0;
  void add(double deviation) {
    sum += deviation;
    squares += deviation * deviation;
    ++count;
  }
  [[nodiscard]] double rms() const { return std::sqrt(squares / count); }
  [[nodiscard]] double bias() const { return sum / count; }
};

double estimate(const Quantity& quantity, const Indices& chosen) {
  double sum = 0;
  for (const std::size_t i : chosen) sum += quantity.values[i];
  return sum / static_cast<double>(chosen.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_strategies QUESTIONS ANNOTATIONS [SIZE] [SEEDS]\n");
    return 2;
  }
  const std::uint64_t size = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 500;
  const int seeds = argc > 4 ? std::atoi(argv[4]) : 1000;
  const VqaTables tables = manifest::read_vqa_tables(argv[1], argv[2], 0, common::Verbosity::quiet);
  Indices population(tables.size());
  std::iota(population.begin(), population.end(), std::size_t{0});
  const LargestRemainders remainders(tables, size);
  const std::vector<Quantity> quantities = quantities_of(tables);

  std::vector<std::array<Error, 3>> errors(quantities.size());
  for (int seed = 0; seed < seeds; ++seed) {
    const Indices chosen[] = {original(population, size, seed),
                              manifest::stratified_sample(tables, population, size, seed),
                              remainders.draw(seed)};
    for (std::size_t q = 0; q < quantities.size(); ++q)
      for (std::size_t s = 0; s < 3; ++s)
        errors[q][s].add(estimate(quantities[q], chosen[s]) - quantities[q].truth);
  }
  fmt::print(
      "{} questions in {} strata, samples of {}, {} seeds; root mean square error in percentage points\n",
      tables.size(), remainders.strata(), size, seeds);
  fmt::print("Quotas by largest remainders never show {} of the strata.\n\n", remainders.never_seen());
  fmt::print(
      "| | whole | original | stratified | worth | largest remainders (bias) |\n|---|---|---|---|---|---|\n");
  for (std::size_t q = 0; q < quantities.size(); ++q) {
    const auto& [plain, ours, other] = errors[q];
    const double worth = static_cast<double>(size) * (plain.rms() * plain.rms()) / (ours.rms() * ours.rms());
    fmt::print("| {} | {:.2f} % | {:.2f} | {:.2f} | {:.0f} questions | {:.2f} ({:+.2f}) |\n",
               quantities[q].name, 100 * quantities[q].truth, 100 * plain.rms(), 100 * ours.rms(), worth,
               100 * other.rms(), 100 * other.bias());
  }
  return 0;
}
