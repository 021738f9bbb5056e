#include "common/error.hpp"
#include "manifest/diff.hpp"
#include "manifest/format/parse.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

namespace {

std::string diff(const manifest::AnyManifest& a, const manifest::AnyManifest& b) {
  std::string text;
  for (const manifest::RowChange& change : manifest::diff_manifests(a, b))
    text += manifest::describe(change) + "\n";
  return text;
}

}  // namespace

TEST_CASE("a manifest differs from itself in nothing") {
  CHECK(diff(support::vqa_of({support::question(1, 1)}), support::vqa_of({support::question(1, 1)})).empty());
  CHECK(diff(support::subset_of({support::clip("1", "x")}), support::subset_of({support::clip("1", "x")}))
            .empty());
}

TEST_CASE("rows are matched by id: removed, added and changed ones are each named once") {
  auto a = support::vqa_of({support::question(1, 1), support::question(2, 2), support::question(3, 3)});
  auto b = support::vqa_of({support::question(3, 3), support::question(4, 4), support::question(2, 2)});
  b.entries[0].majority_answer = "dog";
  b.entries[0].question = "Why?";
  b.seed = 7;
  CHECK(diff(a, b) ==
        "~ field seed: 123 -> 7\n- question 1\n+ question 4\n~ question 3: question, majority_answer\n"
        "~ order questions\n");
}

TEST_CASE("clips and the captions of a base are compared too") {
  auto a = support::subset_of({support::clip("1", "x"), support::clip("2", "y")});
  auto b = a;
  b.entries[1].captions = {"one", "two"};
  CHECK(diff(a, b) == "~ clip y: captions\n");
  auto base = support::vqa_of({support::question(1, 1)});
  auto other = base;
  base.captions = {support::clip("5", "v")};
  CHECK(diff(base, other) == "- caption 5\n");
  other.captions = base.captions;
  other.captions[0].caption = "\x1b[2J";
  CHECK(diff(base, other) == "~ caption 5: caption\n");
}

TEST_CASE("an id cannot write to the terminal") {
  CHECK(diff(support::subset_of({support::clip("1", "x")}),
             support::subset_of({support::clip("1", "\x1b[2J")})) == "- clip x\n+ clip \\u001b[2J\n");
}

TEST_CASE("clips cannot be compared with questions") {
  CHECK_THROWS_AS(
      diff(support::subset_of({support::clip("1", "x")}), support::vqa_of({support::question(1, 1)})),
      common::Error);
}

TEST_CASE("another recipe is a difference") {
  auto a = support::subset_of({support::clip("1", "x")});
  auto b = a;
  b.recipe = manifest::Recipe{"original", 9, {}, {}};
  CHECK(diff(a, b) ==
        "~ field recipe: null -> {\"strategy\": \"original\", \"population\": 9, \"sources\": []}\n");
  a.recipe = b.recipe;
  CHECK(diff(a, b).empty());
}
