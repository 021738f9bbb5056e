// Our bytes exactly.
#include "manifest/format/manifest.hpp"
#include "manifest/format/write.hpp"
#include "manifest/majority.hpp"
#include "manifest/select.hpp"
#include "manifest/tables/vqa_tables.hpp"
#include "tests/support/process.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

TEST_CASE("the majority is the most common answer, ties go to the one that occurs first") {
  using manifest::majority_answer;
  CHECK(majority_answer({"blue", "silver", "blue green", "silver", "gray", "gray", "blue", "gray", "gray",
                         "silver"}) == "gray");
  CHECK(majority_answer({"b", "a", "a", "b"}) == "b");
}

TEST_CASE("a validation manifest has these bytes") {
  const support::Scratch scratch;
  support::put_file(scratch / "q",
                    support::questions_table({support::question_row(2001, 2, "  What color?\xc2\xa0"),
                                              support::question_row(387003, 387, "Caf\xc3\xa9?")}));
  support::put_file(
      scratch / "a",
      support::annotations_table({support::annotation_row(387003, {"3 ", "4", "3"}),
                                  support::annotation_row(2001, {"", "Red", "blue", "RED\n", "blue"})}));
  const auto tables = manifest::read_vqa_tables(scratch / "q", scratch / "a", 1, common::Verbosity::quiet);
  const auto choice = manifest::select_questions(tables, {manifest::VqaSplit::val, 2, 123, "val2014"}, {});
  CHECK(manifest::write_vqa(choice.manifest) == R"({
  "subset_name": "vqa_val_overfit_v1",
  "description": "VQA v2 validation subset for SAFE overfitting regression checks",
  "seed": 123,
  "source_dataset": "VQA v2 validation",
  "entries": [
    {
      "question_id": 2001,
      "image_id": 2,
      "image_filename": "COCO_val2014_000000000002.jpg",
      "question": "What color?",
      "answers": [
        "",
        "Red",
        "blue",
        "RED",
        "blue"
      ],
      "majority_answer": "red"
    },
    {
      "question_id": 387003,
      "image_id": 387,
      "image_filename": "COCO_val2014_000000000387.jpg",
      "question": "Caf\u00e9?",
      "answers": [
        "3",
        "4",
        "3"
      ],
      "majority_answer": "3"
    }
  ]
})");
}

TEST_CASE("a subset manifest has these bytes") {
  auto subset = support::subset_of({support::clip("276", "-668dhzzDQE"), support::clip("278", "b")});
  subset.entries[1].start_time_s.reset();
  subset.entries[1].captions = {"Barking"};
  CHECK(manifest::write_subset(subset) == R"({
  "subset_name": "a",
  "description": "b",
  "seed": 42,
  "source_dataset": "c",
  "audio_rel_root": "audio/train",
  "metadata_columns": [
    "audiocap_id",
    "youtube_id",
    "start_time",
    "caption"
  ],
  "entries": [
    {
      "audiocap_id": "276",
      "youtube_id": "-668dhzzDQE",
      "start_time": 30.0,
      "caption": "A dog barks",
      "audio_relpath": "audio/train/-668dhzzDQE.wav"
    },
    {
      "audiocap_id": "278",
      "youtube_id": "b",
      "start_time": null,
      "caption": "A dog barks",
      "captions": [
        "Barking"
      ],
      "audio_relpath": "audio/train/b.wav"
    }
  ]
})");
  CHECK(
      manifest::write_captions_jsonl(subset) ==
      R"({"audiocap_id": "276", "youtube_id": "-668dhzzDQE", "start_time": 30.0, "caption": "A dog barks", "audio_relpath": "audio/train/-668dhzzDQE.wav"}
{"audiocap_id": "278", "youtube_id": "b", "start_time": null, "caption": "A dog barks", "audio_relpath": "audio/train/b.wav"})");
}

TEST_CASE("a base manifest's captions follow its entries") {
  auto vqa = support::vqa_of({support::question(1, 2)});
  vqa.captions = {support::clip("9", "c")};
  const std::string text = manifest::write_vqa(vqa);
  CHECK(text.substr(text.rfind("  ],\n  \"captions")) == R"(  ],
  "captions": [
    {
      "audiocap_id": "9",
      "youtube_id": "c",
      "start_time": 30.0,
      "caption": "A dog barks"
    }
  ]
})");
}
