#include "manifest/datasets/scorer.hpp"

#include "manifest/datasets/data_sets.hpp"

#include <doctest/doctest.h>

TEST_CASE("every scorer that a data set has is found by its name, and no other name is one") {
  for (const manifest::SoundSet* set : manifest::sound_sets())
    CHECK(manifest::find_scorer(manifest::name_of(set->scorer)) == set->scorer);
  CHECK(manifest::find_scorer(manifest::name_of(manifest::question_set().scorer)) ==
        manifest::question_set().scorer);
  CHECK(manifest::find_scorer("captions") == manifest::Scorer::captions);
  CHECK(manifest::find_scorer("vqa_accuracy") == manifest::Scorer::vqa_accuracy);
  CHECK(manifest::find_scorer("cider") == std::nullopt);
  CHECK(manifest::find_scorer("") == std::nullopt);
}
