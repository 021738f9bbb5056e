#include "manifest/tables/layout.hpp"

#include <filesystem>

#include "tests/support/process.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

TEST_CASE("a clip is looked for as its manifest calls it, then with the other suffixes of sound") {
  CHECK(manifest::clip_files("audio/train/x.wav") ==
        Names{"audio/train/x.wav", "audio/train/x.flac", "audio/train/x.mp3"});
  CHECK(manifest::clip_files("audio/train/x.mp3") ==
        Names{"audio/train/x.mp3", "audio/train/x.wav", "audio/train/x.flac"});
  CHECK(manifest::clip_files("audio/train/x") ==
        Names{"audio/train/x", "audio/train/x.wav", "audio/train/x.flac", "audio/train/x.mp3"});
}

TEST_CASE("tables are found in either convention, the flat one first") {
  const support::Scratch scratch;
  const auto put = [&](const std::string& name) {
    fs::create_directories((scratch / name).parent_path());
    support::put_file(scratch / name, "x");
  };
  const auto found = [&](const Names& names) {
    return manifest::first_file(scratch.path(), names).lexically_relative(scratch.path()).string();
  };
  const Names questions = manifest::vqa_questions("train2014");
  CHECK(found(questions) == "v2_OpenEnded_mscoco_train2014_questions.json");
  put("Questions/v2_OpenEnded_mscoco_train2014_questions.json");
  CHECK(found(questions) == "Questions/v2_OpenEnded_mscoco_train2014_questions.json");
  put("questions/v2_OpenEnded_mscoco_train2014_questions.json");
  CHECK(found(questions) == "questions/v2_OpenEnded_mscoco_train2014_questions.json");
  put("annotations/v2_mscoco_val2014_annotations.json");
  CHECK(found(manifest::vqa_annotations("val2014")) == "annotations/v2_mscoco_val2014_annotations.json");
  put("audiocaps_val.jsonl");
  CHECK(found(manifest::audiocaps_tables("val")) == "audiocaps_val.jsonl");
  put("metadata/val.csv");
  CHECK(found(manifest::audiocaps_tables("val")) == "metadata/val.csv");
}

TEST_CASE("a file may be a link to one; a folder of that name is no file") {
  const support::Scratch scratch;
  fs::create_directories(scratch / "audio/train/a.wav");
  CHECK(!manifest::has_file(scratch.path(), manifest::clip_files("audio/train/a.wav")));
  support::put_file(scratch / "elsewhere", "x");
  fs::create_symlink(scratch / "elsewhere", scratch / "audio/train/a.mp3");
  CHECK(manifest::has_file(scratch.path(), manifest::clip_files("audio/train/a.wav")));
  fs::remove(scratch / "elsewhere");
  CHECK(!manifest::has_file(scratch.path(), manifest::clip_files("audio/train/a.wav")));
}
