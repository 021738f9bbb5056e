#include "packer/synthesize/answers.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "common/error.hpp"

namespace packer {
namespace {

using common::Random;
using Words = std::vector<std::string>;

struct NearMisses {
  std::string_view truth;
  std::array<std::string_view, 3> others;
};

// What people write who saw it, more or less.
constexpr std::array<NearMisses, 25> k_near_misses{{
    {"red", {"dark red", "orange", "maroon"}},
    {"green", {"dark green", "lime", "teal"}},
    {"blue", {"dark blue", "navy", "purple"}},
    {"yellow", {"gold", "orange", "bright yellow"}},
    {"purple", {"violet", "pink", "blue"}},
    {"white", {"light gray", "gray", "cream"}},
    {"cyan", {"light blue", "blue", "turquoise"}},
    {"circle", {"round", "ball", "oval"}},
    {"square", {"box", "rectangle", "cube"}},
    {"triangle", {"pyramid", "cone", "arrow"}},
    {"cross", {"plus", "plus sign", "x"}},
    {"ring", {"donut", "circle", "hoop"}},
    {"0", {"1", "none", "2"}},
    {"1", {"2", "one", "0"}},
    {"2", {"3", "two", "1"}},
    {"3", {"2", "three", "4"}},
    {"4", {"3", "four", "5"}},
    {"yes", {"no", "maybe", "not sure"}},
    {"no", {"yes", "maybe", "not sure"}},
    {"top", {"middle", "upper", "first"}},
    {"middle", {"top", "bottom", "second"}},
    {"bottom", {"middle", "lower", "last"}},
    {"left", {"center", "first", "left side"}},
    {"center", {"left", "middle", "right"}},
    {"right", {"center", "last", "right side"}},
}};

// What people write who looked elsewhere.
Words slips_of(QuestionKind kind) {
  switch (kind) {
    case QuestionKind::colour:
      return {k_colour_words.begin(), k_colour_words.end()};
    case QuestionKind::shape:
      return {k_shape_words.begin(), k_shape_words.end()};
    case QuestionKind::count:
      return {"1", "2", "3", "4"};
    case QuestionKind::yes_no:
      return {"yes", "no"};
    case QuestionKind::row:
      return {"top", "middle", "bottom"};
    case QuestionKind::column:
      break;
  }
  return {"left", "center", "right"};
}

std::string draw_wrong(const PictureQuestion& question, Random& random) {
  const Words slips = slips_of(question.kind);
  for (;;) {
    std::string wrong = random.choice(slips);
    if (random.below(5) < 3) {
      const auto* near = std::find_if(k_near_misses.begin(), k_near_misses.end(),
                                      [&](const NearMisses& row) { return row.truth == question.truth; });
      ENSURE(near != k_near_misses.end());
      wrong = near->others[random.below(near->others.size())];
    }
    if (wrong != question.truth) return wrong;
  }
}

// 4 or 5 in three of a hundred questions, otherwise 6 to 10.
std::size_t draw_votes(Random& random) {
  const std::uint64_t draw = random.below(100);
  constexpr std::array<std::uint64_t, 7> k_below{1, 3, 9, 19, 37, 64, 100};
  std::size_t votes = 4;
  while (draw >= k_below[votes - 4]) ++votes;
  return votes;
}

}  // namespace

AnnotatorAnswers draw_answers(const PictureQuestion& question, Random& random) {
  const std::size_t votes = draw_votes(random);
  std::vector<AnnotatorAnswer> answers;
  for (std::size_t i = 0; i < votes; ++i)
    answers.push_back({question.truth, random.below(8) == 0 ? "maybe" : "yes"});
  const auto count_of = [&](const std::string& answer) {
    return static_cast<std::size_t>(std::count_if(answers.begin(), answers.end(),
                                                  [&](const auto& given) { return given.answer == answer; }));
  };
  // A close question has one rival, not many strays; where the rival would win, somebody strays.
  const std::string rival = draw_wrong(question, random);
  while (answers.size() < k_annotators) {
    const bool is_close = votes < 6;
    const std::string wrong = is_close && count_of(rival) < votes ? rival : draw_wrong(question, random);
    if (count_of(wrong) >= votes) continue;
    answers.push_back({wrong, random.below(3) == 0 ? "yes" : random.below(4) == 0 ? "no" : "maybe"});
  }
  random.shuffle(answers);
  AnnotatorAnswers all;
  std::copy(answers.begin(), answers.end(), all.begin());
  return all;
}

}  // namespace packer
