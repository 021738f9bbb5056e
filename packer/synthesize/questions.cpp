#include "packer/synthesize/questions.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "common/error.hpp"

namespace packer {
namespace {

using common::Random;
using Objects = std::vector<PictureObject>;

constexpr std::array<std::string_view, k_grid> k_row_words{"top", "middle", "bottom"};
constexpr std::array<std::string_view, k_grid> k_column_words{"left", "center", "right"};

std::string word(Shape shape) { return std::string(k_shape_words[static_cast<std::size_t>(shape)]); }
std::string word(Colour colour) { return std::string(k_colour_words[static_cast<std::size_t>(colour)]); }

std::size_t count_of(const Objects& objects, Shape shape) {
  return static_cast<std::size_t>(std::count_if(objects.begin(), objects.end(),
                                                [&](const auto& object) { return object.shape == shape; }));
}
std::size_t count_of(const Objects& objects, Colour colour) {
  return static_cast<std::size_t>(std::count_if(objects.begin(), objects.end(),
                                                [&](const auto& object) { return object.colour == colour; }));
}

// "*" in a form stands for `what`.
template <std::size_t Size>
std::string fill_form(const std::array<std::string_view, Size>& forms, const std::string& what,
                      Random& random) {
  std::string text(forms[random.below(Size)]);
  const std::size_t star = text.find('*');
  if (star != std::string::npos) text.replace(star, 1, what);
  return text;
}

// An object that is the only one of its shape (or colour).
template <typename Member>
PictureObject draw_lone(const Objects& objects, Member member, Random& random) {
  Objects lone;
  for (const PictureObject& object : objects)
    if (count_of(objects, object.*member) == 1) lone.push_back(object);
  ENSURE(!lone.empty());
  return random.choice(lone);
}

PictureQuestion ask_colour(const Objects& objects, Random& random) {
  constexpr std::array<std::string_view, 3> k_forms{"What color is the *?", "What is the color of the *?",
                                                    "Which color does the * have?"};
  const PictureObject object = draw_lone(objects, &PictureObject::shape, random);
  return {QuestionKind::colour, fill_form(k_forms, word(object.shape), random), word(object.colour)};
}

PictureQuestion ask_shape(const Objects& objects, Random& random) {
  constexpr std::array<std::string_view, 3> k_forms{
      "What shape is the * object?", "What is the shape of the * object?", "Which shape is *?"};
  const PictureObject object = draw_lone(objects, &PictureObject::colour, random);
  return {QuestionKind::shape, fill_form(k_forms, word(object.colour), random), word(object.shape)};
}

// The count is drawn first, from those the picture can give, and then what is counted: otherwise nearly every
// answer would be 0 or 1.
template <typename Value>
std::pair<Value, std::size_t> draw_counted(const Objects& objects, std::size_t values, Random& random) {
  std::array<std::vector<Value>, 5> by_count;
  for (std::size_t i = 0; i < values; ++i) {
    const auto value = static_cast<Value>(i);
    by_count[count_of(objects, value)].push_back(value);
  }
  std::vector<std::size_t> counts;
  for (std::size_t i = 0; i < by_count.size(); ++i)
    if (!by_count[i].empty()) counts.push_back(i);
  const std::size_t count = random.choice(counts);
  return {random.choice(by_count[count]), count};
}

PictureQuestion ask_count(const Objects& objects, Random& random) {
  constexpr std::array<std::string_view, 3> k_forms{"How many * are there?", "How many * are in the picture?",
                                                    "How many * can you see?"};
  const std::uint64_t what = random.below(10);
  std::string counted = "objects";
  std::size_t count = objects.size();
  if (what >= 7) {
    const auto [colour, found] = draw_counted<Colour>(objects, k_colour_words.size(), random);
    counted = word(colour) + " objects";
    count = found;
  } else if (what >= 4) {
    const auto [shape, found] = draw_counted<Shape>(objects, k_shape_words.size(), random);
    counted = word(shape) + (shape == Shape::cross ? "es" : "s");
    count = found;
  }
  return {QuestionKind::count, fill_form(k_forms, counted, random), std::to_string(count)};
}

// Something that is not there although its colour or its shape, or each of them on its own, mostly is.
PictureObject draw_absent(const Objects& objects, Random& random) {
  for (;;) {
    PictureObject absent = random.choice(objects);
    const std::uint64_t kept = random.below(10);
    const auto shape = static_cast<Shape>(random.below(k_shape_words.size()));
    const auto colour = static_cast<Colour>(random.below(k_colour_words.size()));
    if (kept < 4 || kept == 9) absent.shape = shape;
    if (kept >= 4 && kept < 8) absent.colour = colour;
    if (kept == 8) absent.colour = random.choice(objects).colour;
    if (kept == 9) absent.colour = colour;
    if (std::none_of(objects.begin(), objects.end(), [&](const PictureObject& object) {
          return object.shape == absent.shape && object.colour == absent.colour;
        }))
      return absent;
  }
}

PictureQuestion ask_yes_no(const Objects& objects, Random& random) {
  constexpr std::array<std::string_view, 4> k_forms{"Is there a *?", "Is there a * in the picture?",
                                                    "Can you see a *?", "Do you see a *?"};
  const bool is_there = random.below(2) == 0;
  const PictureObject object = is_there ? random.choice(objects) : draw_absent(objects, random);
  return {QuestionKind::yes_no, fill_form(k_forms, word(object.colour) + " " + word(object.shape), random),
          is_there ? "yes" : "no"};
}

// One of the shortest names that fit this object alone.
std::string name_of(const PictureObject& object, const Objects& objects, Random& random) {
  std::vector<std::string> names{word(object.colour) + " " + word(object.shape)};
  if (count_of(objects, object.colour) == 1) names.push_back(word(object.colour) + " object");
  if (count_of(objects, object.shape) == 1) names.push_back(word(object.shape));
  return random.choice(names);
}

PictureQuestion ask_row(const Objects& objects, Random& random) {
  constexpr std::array<std::string_view, 3> k_forms{"In which row is the *?", "What row is the * in?",
                                                    "Is the * in the top, middle or bottom row?"};
  const PictureObject object = random.choice(objects);
  const std::string name = name_of(object, objects, random);
  return {QuestionKind::row, fill_form(k_forms, name, random),
          std::string(k_row_words[static_cast<std::size_t>(object.row)])};
}

PictureQuestion ask_column(const Objects& objects, Random& random) {
  constexpr std::array<std::string_view, 3> k_forms{"In which column is the *?", "What column is the * in?",
                                                    "Is the * in the left, center or right column?"};
  const PictureObject object = random.choice(objects);
  const std::string name = name_of(object, objects, random);
  return {QuestionKind::column, fill_form(k_forms, name, random),
          std::string(k_column_words[static_cast<std::size_t>(object.column)])};
}

PictureQuestion ask(QuestionKind kind, const Objects& objects, Random& random) {
  switch (kind) {
    case QuestionKind::colour:
      return ask_colour(objects, random);
    case QuestionKind::shape:
      return ask_shape(objects, random);
    case QuestionKind::count:
      return ask_count(objects, random);
    case QuestionKind::yes_no:
      return ask_yes_no(objects, random);
    case QuestionKind::row:
      return ask_row(objects, random);
    case QuestionKind::column:
      break;
  }
  return ask_column(objects, random);
}

}  // namespace

std::vector<PictureQuestion> draw_questions(const PictureScene& scene, std::size_t count, Random& random) {
  ENSURE(count <= k_question_kinds);
  std::vector<PictureQuestion> questions;
  for (const std::uint64_t kind : random.sample(k_question_kinds, count)) {
    PictureQuestion question = ask(static_cast<QuestionKind>(kind), scene.objects, random);
    // Some people do not begin with a capital.
    if (random.below(20) == 0)
      question.text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(question.text[0])));
    questions.push_back(std::move(question));
  }
  return questions;
}

std::string answer_type_of(QuestionKind kind) {
  if (kind == QuestionKind::yes_no) return "yes/no";
  return kind == QuestionKind::count ? "number" : "other";
}

std::string question_type_of(const std::string& text) {
  // Those of VQA v2's 65 openings that our questions can begin with, longest first.
  constexpr std::array<std::string_view, 11> k_openings{"what is the color of the",
                                                        "what color is the",
                                                        "is there a",
                                                        "what color",
                                                        "what is the",
                                                        "how many",
                                                        "can you",
                                                        "do you",
                                                        "is the",
                                                        "which",
                                                        "what"};
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  for (const std::string_view opening : k_openings)
    if (lower.starts_with(std::string(opening) + " ")) return std::string(opening);
  return "none of the above";
}

}  // namespace packer
