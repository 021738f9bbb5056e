// Pictures show what their scene holds; questions have one right answer; annotators know it, mostly.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/random.hpp"
#include "packer/synthesize/answers.hpp"
#include "packer/synthesize/picture.hpp"
#include "packer/synthesize/questions.hpp"

#include <doctest/doctest.h>

namespace {

using namespace packer;
using common::Random;

std::set<std::string> words_of(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char letter : text + " ") {
    if (std::isalpha(static_cast<unsigned char>(letter)) != 0) {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    } else if (!word.empty()) {
      words.insert(word);
      word.clear();
    }
  }
  return words;
}

// The objects that the words fit: "blue objects", "circles", "red ring".
std::vector<PictureObject> find(const PictureScene& scene, const std::set<std::string>& words) {
  std::vector<PictureObject> found = scene.objects;
  for (std::size_t i = 0; i < k_colour_words.size(); ++i)
    if (words.count(std::string(k_colour_words[i])) != 0)
      std::erase_if(found, [&](const auto& object) { return static_cast<std::size_t>(object.colour) != i; });
  for (std::size_t i = 0; i < k_shape_words.size(); ++i) {
    const std::string shape(k_shape_words[i]);
    if (words.count(shape) + words.count(shape + "s") + words.count(shape + "es") != 0)
      std::erase_if(found, [&](const auto& object) { return static_cast<std::size_t>(object.shape) != i; });
  }
  return found;
}

// The right answer, from the question's words and the scene alone.
std::string answer(const PictureScene& scene, const std::string& text) {
  const std::set<std::string> words = words_of(text);
  const std::vector<PictureObject> found = find(scene, words);
  const auto has = [&](const char* word) { return words.count(word) != 0; };
  if (has("many")) return std::to_string(found.size());
  if (has("there") || has("you")) return found.empty() ? "no" : "yes";
  REQUIRE(found.size() == 1);
  const auto at = [](int i) { return static_cast<std::size_t>(i); };
  if (has("row")) return std::vector<std::string>{"top", "middle", "bottom"}[at(found[0].row)];
  if (has("column")) return std::vector<std::string>{"left", "center", "right"}[at(found[0].column)];
  if (has("color")) return std::string(k_colour_words[at(static_cast<int>(found[0].colour))]);
  REQUIRE(has("shape"));
  return std::string(k_shape_words[at(static_cast<int>(found[0].shape))]);
}

bool is_dull(const common::Picture& picture, int x, int y) {
  const std::uint8_t* pixel = picture.pixels.data() + 3 * (static_cast<std::size_t>(y * picture.width + x));
  const auto [least, most] = std::minmax({pixel[0], pixel[1], pixel[2]});
  return most - least < 40 && most < 100;
}

// The share of a cell of the central square that is painted.
double painted_share(const common::Picture& picture, int row, int column) {
  const int side = std::min(picture.width, picture.height);
  const int left = (picture.width - side) / 2 + column * side / 3,
            top = (picture.height - side) / 2 + row * side / 3;
  int painted = 0;
  for (int y = top; y < top + side / 3; ++y)
    for (int x = left; x < left + side / 3; ++x) painted += is_dull(picture, x, y) ? 0 : 1;
  return 9.0 * painted / (side * side);
}

std::map<std::string, std::size_t> votes_of(const AnnotatorAnswers& answers) {
  std::map<std::string, std::size_t> votes;
  for (const AnnotatorAnswer& given : answers) ++votes[given.answer];
  return votes;
}

}  // namespace

TEST_CASE("a scene holds one to four objects in cells of their own, no two alike") {
  std::set<std::size_t> sizes;
  for (int i = 0; i < 500; ++i) {
    Random random(1, std::to_string(i));
    const PictureScene scene = draw_picture_scene(random);
    sizes.insert(scene.objects.size());
    std::set<std::pair<int, int>> cells;
    std::set<std::pair<Shape, Colour>> looks;
    for (const PictureObject& object : scene.objects) {
      cells.insert({object.row, object.column});
      looks.insert({object.shape, object.colour});
    }
    CHECK(cells.size() == scene.objects.size());
    CHECK(looks.size() == scene.objects.size());
    CHECK(std::min(scene.width, scene.height) >= 160);
    CHECK(std::min(scene.width, scene.height) <= 240);
  }
  CHECK(sizes == std::set<std::size_t>{1, 2, 3, 4});
}

TEST_CASE("an object fills its cell of the central square and the other cells are dull") {
  for (int i = 0; i < 60; ++i) {
    Random random(2, std::to_string(i));
    const PictureScene scene = draw_picture_scene(random);
    const common::Picture picture = paint(scene, random);
    REQUIRE(picture.pixels.size() == 3 * static_cast<std::size_t>(scene.width * scene.height));
    for (int row = 0; row < 3; ++row)
      for (int column = 0; column < 3; ++column) {
        const bool is_taken =
            std::any_of(scene.objects.begin(), scene.objects.end(),
                        [&](const auto& object) { return object.row == row && object.column == column; });
        const double share = painted_share(picture, row, column);
        CHECK(share >= (is_taken ? 0.15 : 0.0));
        CHECK(share <= (is_taken ? 0.75 : 0.001));
      }
  }
}

TEST_CASE("an object has its colour where its shape is") {
  for (std::size_t colour = 0; colour < k_colour_words.size(); ++colour) {
    Random random(4);
    const PictureScene scene{240, 180, {{Shape::circle, static_cast<Colour>(colour), 1, 1}}};
    const common::Picture picture = paint(scene, random);
    const std::uint8_t* centre = picture.pixels.data() + 3 * static_cast<std::size_t>(90 * 240 + 120);
    CAPTURE(colour);
    const std::array<std::array<bool, 3>, 7> bright{{{true, false, false},
                                                     {false, true, false},
                                                     {false, false, true},
                                                     {true, true, false},
                                                     {true, false, true},
                                                     {true, true, true},
                                                     {false, true, true}}};
    for (std::size_t c = 0; c < 3; ++c) CHECK((centre[c] > 125) == bright[colour][c]);
  }
}

TEST_CASE("the truth of a question follows from the picture and from nothing else") {
  std::set<QuestionKind> kinds;
  for (int i = 0; i < 800; ++i) {
    Random random(3, std::to_string(i));
    const PictureScene scene = draw_picture_scene(random);
    std::set<std::string> texts;
    for (const PictureQuestion& question : draw_questions(scene, 6, random)) {
      CAPTURE(question.text);
      CHECK(answer(scene, question.text) == question.truth);
      CHECK(question.truth.find(' ') == std::string::npos);
      texts.insert(question.text);
      kinds.insert(question.kind);
    }
    CHECK(texts.size() == 6);
  }
  CHECK(kinds.size() == k_question_kinds);
}

TEST_CASE("yes and no are even, and what is asked for in vain mostly has something of what is there") {
  int yes = 0, no = 0, hard = 0;
  for (int i = 0; i < 1500; ++i) {
    Random random(9, std::to_string(i));
    const PictureScene scene = draw_picture_scene(random);
    for (const PictureQuestion& question : draw_questions(scene, 6, random)) {
      if (question.kind != QuestionKind::yes_no) continue;
      ++(question.truth == "yes" ? yes : no);
      if (question.truth == "yes") continue;
      const std::set<std::string> words = words_of(question.text);
      hard += std::any_of(scene.objects.begin(), scene.objects.end(), [&](const PictureObject& object) {
        return words.count(std::string(k_colour_words[static_cast<std::size_t>(object.colour)])) != 0 ||
               words.count(std::string(k_shape_words[static_cast<std::size_t>(object.shape)])) != 0;
      });
    }
  }
  CHECK(std::abs(yes - no) < 150);
  CHECK(hard > no * 8 / 10);
}

TEST_CASE("the truth has at least four of ten votes and no other answer has more") {
  int ties = 0, close = 0, unanimous = 0;
  constexpr int k_questions = 3000;
  for (int i = 0; i < k_questions; ++i) {
    Random random(7, std::to_string(i));
    const PictureQuestion question = draw_questions(draw_picture_scene(random), 1, random).front();
    const auto votes = votes_of(draw_answers(question, random));
    REQUIRE(votes.count(question.truth) == 1);
    const std::size_t for_truth = votes.at(question.truth);
    CHECK(for_truth >= 4);
    for (const auto& [text, count] : votes) {
      CHECK(count <= for_truth);
      CHECK(!text.empty());
      ties += text != question.truth && count == for_truth ? 1 : 0;
    }
    close += for_truth < 6 ? 1 : 0;
    unanimous += for_truth == k_annotators ? 1 : 0;
  }
  CHECK(ties > 0);
  CHECK(close > k_questions / 100);
  CHECK(close < k_questions * 6 / 100);
  CHECK(unanimous > k_questions / 5);
  CHECK(unanimous < k_questions / 2);
}

TEST_CASE("a question's types are those of VQA v2") {
  CHECK(question_type_of("What color is the star?") == "what color is the");
  CHECK(question_type_of("what is the color of the ring?") == "what is the color of the");
  CHECK(question_type_of("What is the shape of the red object?") == "what is the");
  CHECK(question_type_of("Is there a green circle?") == "is there a");
  CHECK(question_type_of("How many objects are there?") == "how many");
  CHECK(question_type_of("In which row is the ring?") == "none of the above");
  CHECK(question_type_of("Whatever") == "none of the above");
  CHECK(answer_type_of(QuestionKind::yes_no) == "yes/no");
  CHECK(answer_type_of(QuestionKind::count) == "number");
  CHECK(answer_type_of(QuestionKind::row) == "other");
}
