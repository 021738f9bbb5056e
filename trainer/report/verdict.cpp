#include "trainer/report/verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "trainer/report/number_text.hpp"

namespace trainer {
namespace {

constexpr std::size_t k_read_at_most = 6;
// Points of token F1. Settings that differ by more have not learnt the same.
constexpr double k_equal_skill = 0.02;

// Which side of `zero` an interval lies on: 1, -1, or 0 where it holds it.
int side_of(const Interval& interval, double zero) {
  return interval.low > zero ? 1 : interval.high < zero ? -1 : 0;
}

std::string judgement(const PairedComparison& pair) {
  const int accuracy = side_of(pair.accuracy.interval, 0),
            kl = pair.kl_ratio ? side_of(pair.kl_ratio->interval, 1) : 0;
  if (accuracy != 0 && kl != 0 && accuracy != kl)
    return accuracy > 0 ? "it answers more questions right, and is further from the base"
                        : "it answers fewer questions right, and is nearer to the base";
  if (accuracy > 0) return "it keeps more";
  if (accuracy < 0) return "it keeps less";
  if (kl > 0) return "it is nearer to the base, and that it answers more questions right is not shown";
  if (kl < 0) return "it is further from the base, and that it answers fewer questions right is not shown";
  const Interval& within = pair.accuracy.interval;
  return fmt::format("no difference is shown; one of {:.1f} points would still fit",
                     100 * std::max(std::abs(within.low), std::abs(within.high)));
}

std::string verdict_of(const Comparison& comparison, const PairedComparison& pair) {
  std::string text = fmt::format("{} against {}: {} points of VQA accuracy while a trained clip plays",
                                 pair.second, pair.first, estimate_text(&pair.accuracy, Scale::points));
  if (pair.kl_ratio)
    text += fmt::format(", the KL to the base divided by {}", estimate_text(&*pair.kl_ratio, Scale::factor));
  text += fmt::format(": {}.", judgement(pair));
  if (pair.seeds.size() == 1) text += " This holds for one seed; another may say otherwise.";
  for (const ClipComparison& clips : comparison.clips)
    if (clips.first == pair.first && clips.second == pair.second && clips.group == condition::k_memorised &&
        std::abs(clips.token_f1.value) > k_equal_skill)
      text += fmt::format(
          " They have not learnt the clips equally well (token F1 {} points), so this does not "
          "compare what each keeps at one skill.",
          estimate_text(&clips.token_f1, Scale::points));
  return text;
}

}  // namespace

std::vector<std::string> verdicts(const Comparison& comparison) {
  std::vector<const PairedComparison*> pairs;
  for (const PairedComparison& pair : comparison.paired)
    if (pair.condition == condition::k_distractor_memorised &&
        (comparison.primary.empty() || pair.is_primary))
      pairs.push_back(&pair);
  std::vector<std::string> sentences;
  if (pairs.size() > k_read_at_most) return sentences;
  for (const PairedComparison* pair : pairs) sentences.push_back(verdict_of(comparison, *pair));
  if (sentences.size() > 1)
    sentences.push_back(fmt::format(
        "Each of these {} is judged by its own interval; p in the table of comparisons is corrected for "
        "their number.",
        sentences.size()));
  return sentences;
}

}  // namespace trainer
