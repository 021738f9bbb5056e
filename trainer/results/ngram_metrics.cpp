// With the choices of coco-caption: closest reference length (the shorter of two as close), beta 1.2, sigma
// 6, length difference counted in bigrams.
#include "trainer/results/ngram_metrics.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>

#include "common/error.hpp"

namespace trainer {
namespace {

constexpr std::size_t k_orders = 4;
using Counts = std::map<Tokens, std::int64_t>;  // of n-grams of one order
using Profile = std::array<Counts, k_orders>;

Profile profile_of(const Tokens& tokens) {
  Profile profile;
  for (std::size_t n = 1; n <= k_orders; ++n)
    for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
      const auto first = tokens.begin() + static_cast<std::ptrdiff_t>(i);
      ++profile[n - 1][Tokens(first, first + static_cast<std::ptrdiff_t>(n))];
    }
  return profile;
}

Counts most_in_one_reference(const std::vector<Profile>& references, std::size_t order) {
  Counts most;
  for (const Profile& reference : references)
    for (const auto& [ngram, count] : reference[order]) most[ngram] = std::max(most[ngram], count);
  return most;
}

std::size_t closest_length(const TokenisedPair& pair) {
  const std::size_t said = pair.prediction.size();
  std::pair<std::size_t, std::size_t> best{SIZE_MAX, 0};  // distance, length
  for (const Tokens& reference : pair.references) {
    const std::size_t length = reference.size();
    best = std::min(best, {length > said ? length - said : said - length, length});
  }
  return best.second;
}

std::vector<Profile> reference_profiles(const TokenisedPair& pair) {
  ENSURE(!pair.references.empty());
  std::vector<Profile> profiles;
  for (const Tokens& reference : pair.references) profiles.push_back(profile_of(reference));
  return profiles;
}

std::size_t common_subsequence(const Tokens& a, const Tokens& b) {
  std::vector<std::size_t> row(b.size() + 1, 0);
  for (const std::string& word : a) {
    std::size_t diagonal = 0;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = word == b[j - 1] ? diagonal + 1 : std::max(row[j], row[j - 1]);
      diagonal = above;
    }
  }
  return row[b.size()];
}

// An n-gram weighs its count times log(clips) - log(clips whose references have it).
struct Weights {
  std::array<std::map<Tokens, double>, k_orders> of;
  std::array<double, k_orders> norm{};
  double bigrams = 0;
};

class ClipFrequencies {
 public:
  explicit ClipFrequencies(const std::vector<std::vector<Profile>>& references)
      : log_clips_(std::log(static_cast<double>(references.size()))) {
    for (const std::vector<Profile>& clip : references) {
      std::set<Tokens> seen;
      for (const Profile& reference : clip)
        for (const Counts& counts : reference)
          for (const auto& [ngram, count] : counts) seen.insert(ngram);
      for (const Tokens& ngram : seen) ++clips_with_[ngram];
    }
  }

  [[nodiscard]] Weights weigh(const Profile& profile) const {
    Weights weights;
    for (std::size_t n = 0; n < k_orders; ++n) {
      double squares = 0;
      for (const auto& [ngram, count] : profile[n]) {
        const auto found = clips_with_.find(ngram);
        const double clips = found == clips_with_.end() ? 1 : static_cast<double>(found->second);
        const double weight = static_cast<double>(count) * (log_clips_ - std::log(clips));
        weights.of[n][ngram] = weight;
        squares += weight * weight;
        if (n == 1) weights.bigrams += static_cast<double>(count);
      }
      weights.norm[n] = std::sqrt(squares);
    }
    return weights;
  }

 private:
  double log_clips_;
  std::map<Tokens, std::int64_t> clips_with_;
};

double clipped_cosine(const Weights& said, const Weights& reference, std::size_t n) {
  if (said.norm[n] == 0 || reference.norm[n] == 0) return 0;
  double dot = 0;
  for (const auto& [ngram, weight] : said.of[n]) {
    const auto found = reference.of[n].find(ngram);
    if (found != reference.of[n].end()) dot += std::min(weight, found->second) * found->second;
  }
  return dot / (said.norm[n] * reference.norm[n]);
}

double similarity(const Weights& said, const Weights& reference) {
  constexpr double sigma = 6;
  const double difference = said.bigrams - reference.bigrams;
  double sum = 0;
  for (std::size_t n = 0; n < k_orders; ++n) sum += clipped_cosine(said, reference, n);
  return sum / k_orders * std::exp(-difference * difference / (2 * sigma * sigma));
}

}  // namespace

std::array<std::optional<double>, 4> corpus_bleu(const std::vector<TokenisedPair>& pairs) {
  if (pairs.empty()) return {};
  std::array<std::int64_t, k_orders> matched{}, said{};
  std::size_t length = 0, wanted_length = 0;
  for (const TokenisedPair& pair : pairs) {
    const std::vector<Profile> references = reference_profiles(pair);
    const Profile prediction = profile_of(pair.prediction);
    for (std::size_t n = 0; n < k_orders; ++n) {
      Counts most = most_in_one_reference(references, n);
      for (const auto& [ngram, count] : prediction[n]) {
        said[n] += count;
        matched[n] += std::min(count, most[ngram]);
      }
    }
    length += pair.prediction.size();
    wanted_length += closest_length(pair);
  }
  // An order without a single match makes the geometric mean 0; nothing is smoothed.
  std::array<std::optional<double>, 4> bleu{0, 0, 0, 0};
  const double shortness = static_cast<double>(wanted_length) / static_cast<double>(length);
  double log_sum = 0;
  for (std::size_t n = 0; n < k_orders && length > 0 && matched[n] > 0; ++n) {
    log_sum += std::log(static_cast<double>(matched[n]) / static_cast<double>(said[n]));
    bleu[n] = std::exp(log_sum / static_cast<double>(n + 1) + std::min(0.0, 1 - shortness));
  }
  return bleu;
}

double rouge_l(const TokenisedPair& pair) {
  constexpr double beta_squared = 1.2 * 1.2;
  double precision = 0, recall = 0;
  for (const Tokens& reference : pair.references) {
    if (pair.prediction.empty() || reference.empty()) continue;
    const auto common_words = static_cast<double>(common_subsequence(pair.prediction, reference));
    precision = std::max(precision, common_words / static_cast<double>(pair.prediction.size()));
    recall = std::max(recall, common_words / static_cast<double>(reference.size()));
  }
  if (precision == 0 || recall == 0) return 0;
  return (1 + beta_squared) * precision * recall / (recall + beta_squared * precision);
}

std::vector<double> cider_d(const std::vector<TokenisedPair>& pairs) {
  if (pairs.size() < 2) return {};
  std::vector<std::vector<Profile>> references;
  for (const TokenisedPair& pair : pairs) references.push_back(reference_profiles(pair));
  const ClipFrequencies frequencies(references);
  std::vector<double> scores;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Weights said = frequencies.weigh(profile_of(pairs[i].prediction));
    double sum = 0;
    for (const Profile& reference : references[i]) sum += similarity(said, frequencies.weigh(reference));
    scores.push_back(10 * sum / static_cast<double>(references[i].size()));
  }
  return scores;
}

}  // namespace trainer
