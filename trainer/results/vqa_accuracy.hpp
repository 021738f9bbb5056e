// VQA v2's official accuracy, the quirks of its evaluator included, so that a figure here means what it means
// in the literature: m of ten people gave the answer -> 0, 0.3, 0.6, 0.9, then 1 from four on (the mean over
// the ten leave-one-out sets of min(1, matches / 3), in closed form). Source: Antol et al. 2015; Goyal et al.
// 2017; the published evaluator's behaviour.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trainer {

// official: both sides are normalised only where the people do not all agree; otherwise they are compared as
// they are, case and all ("Yes." loses against ten times "yes"). always: normalised either way.
enum class AnswerNormalisation { official, always };

// In [0, 1]. Fewer than four answers (sources that are not VQA v2) score matches / answers, since
// leave-one-out could not reach 1 there; no answers score 0.
[[nodiscard]] double vqa_accuracy(std::string_view prediction, const std::vector<std::string>& answers,
                                  AnswerNormalisation normalisation = AnswerNormalisation::official);

// What the evaluator does to an answer: punctuation, number words, articles, contractions.
[[nodiscard]] std::string normalise_vqa_answer(std::string_view answer);

// The closed form: `matches` of `answers` people.
[[nodiscard]] double leave_one_out_accuracy(std::int64_t matches, std::int64_t answers);

// VQA v2's three groups by the most common answer: "yes/no", "number", "other". A manifest does not carry the
// annotators' answer_type; this rule is the usual stand-in.
[[nodiscard]] std::string answer_type_of(std::string_view majority_answer);

}  // namespace trainer
