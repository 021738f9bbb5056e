#include "trainer/results/vqa_accuracy.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

std::vector<std::string> ten(const std::string& answer, int count,
                             const std::string& otherwise = "something else") {
  std::vector<std::string> answers(10, otherwise);
  for (int i = 0; i < count; ++i) answers[static_cast<std::size_t>(i)] = answer;
  return answers;
}

}  // namespace

TEST_CASE("m of ten people score 0, 0.3, 0.6, 0.9 and then 1") {
  const double expected[] = {0, 0.3, 0.6, 0.9, 1, 1, 1, 1, 1, 1, 1};
  for (int m = 0; m <= 10; ++m) CHECK(vqa_accuracy("red", ten("red", m)) == expected[m]);
}

TEST_CASE("the closed form is the mean over the leave-one-out sets") {
  for (int answers = 4; answers <= 20; ++answers)
    for (int matches = 0; matches <= answers; ++matches) {
      double sum = 0;
      for (int left_out = 0; left_out < answers; ++left_out) {
        const int rest = matches - (left_out < matches ? 1 : 0);
        sum += rest >= 3 ? 1 : rest / 3.0;
      }
      CHECK(leave_one_out_accuracy(matches, answers) == doctest::Approx(sum / answers).epsilon(1e-12));
    }
}

TEST_CASE("fewer than four answers score the share that matches") {
  CHECK(vqa_accuracy("red", {"red"}) == 1);
  CHECK(vqa_accuracy("blue", {"red"}) == 0);
  CHECK(vqa_accuracy("red", {"red", "blue"}) == 0.5);
  CHECK(vqa_accuracy("red", {}) == 0);
}

TEST_CASE("answers are normalised only where the people disagree") {
  CHECK(vqa_accuracy("Yes.", ten("yes", 10)) == 0);
  CHECK(vqa_accuracy("Yes.", ten("yes", 9)) == 1);
  CHECK(vqa_accuracy("Yes.", ten("yes", 10), AnswerNormalisation::always) == 1);
  CHECK(vqa_accuracy("Yes", ten("Yes", 10)) == 1);
  // White space at the ends, line breaks and tabs go in either case.
  CHECK(vqa_accuracy("\n yes\t", ten(" yes ", 10)) == 1);
}

TEST_CASE("every quirk of the official normalisation is kept") {
  struct Case {
    const char* answer;
    const char* expected;
  };
  const Case cases[] = {
      {"", ""},
      {"The  Red\tDog", "red dog"},
      {"a an the", ""},
      {"none", "0"},
      {"Ten dogs", "10 dogs"},
      {"eleven", "eleven"},
      // A mark next to a space anywhere is deleted everywhere, otherwise it becomes a space.
      {"black/white", "black white"},
      {"black / white/red", "black whitered"},
      {"t-shirt", "t shirt"},
      {"hello,world", "hello world"},
      {"hello, world", "hello world"},
      // A comma between digits deletes every mark.
      {"1,000", "1000"},
      {"1,000 red-ish", "1000 redish"},
      {"what?!", "what"},
      {"(left)", "left"},
      {"it's 5 o'clock", "it's 5 o'clock"},
      // Only a digit after the dot keeps it: the look-behind of the original is mistyped.
      {"3.", "3"},
      {"2.5", "2.5"},
      {"p.m.", "pm"},
      {"a.5", "a.5"},
      // re.UNICODE lands in re.sub's count: the 33rd dot stays.
      {"x.................................", "x."},
      {"dont", "don't"},
      {"wont", "won't"},
      {"shouldnt've", "shouldn't've"},
      {"shouldn'tve", "shouldn't've"},
      {"hed've", "he'd've"},
      {"somebody'd", "somebodyd"},
      {"yall'd've", "y'all'd've"},
      {"twas", "'twas"},
      {"Ive", "ive"},  // the table has "Ive", but is asked after lower-casing
      {"lets", "lets"},
      {"paint vacant", "paint vacant"},
      {"50%", "50%"},
      {"yes:no", "yes:no"},
      {"CAF\xC3\x89", "caf\xC3\xA9"},
      {"one\xC2\xA0two", "1 2"},                   // a no-break space separates words in Python
      {"\xD9\xA3.\xD9\xA3", "\xD9\xA3.\xD9\xA3"},  // re's \d takes any decimal digit
  };
  for (const Case& one : cases) {
    CAPTURE(one.answer);
    CHECK(normalise_vqa_answer(one.answer) == one.expected);
  }
}

TEST_CASE("bytes that are not UTF-8 compare as replacement characters") {
  CHECK(normalise_vqa_answer("red \xFF") == "red \xEF\xBF\xBD");
}

TEST_CASE("an answer type follows from the most common answer") {
  CHECK(answer_type_of("yes") == "yes/no");
  CHECK(answer_type_of("No") == "yes/no");
  CHECK(answer_type_of("12") == "number");
  CHECK(answer_type_of("two") == "number");
  CHECK(answer_type_of("2.5") == "number");
  CHECK(answer_type_of("2 dogs") == "other");
  CHECK(answer_type_of("") == "other");
}
