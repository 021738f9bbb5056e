#include "manifest/check.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

using manifest::Finding;
using manifest::NamedManifest;
using support::clip;
using support::question;
using support::subset_of;
using support::vqa_of;

namespace {
std::vector<std::string> lines_of(const std::vector<NamedManifest>& manifests) {
  std::vector<std::string> lines;
  for (const Finding& finding : manifest::check_manifests(manifests)) {
    std::string line = finding.kind + ":";
    for (const std::string& file : finding.files) line += " " + file;
    lines.push_back(line + ": " + finding.text);
  }
  return lines;
}
using Lines = std::vector<std::string>;
}  // namespace

TEST_CASE("manifests that share nothing are without findings") {
  auto base = vqa_of({question(30, 3)});
  base.captions = {clip("3", "c"), clip("4", "c")};
  CHECK(lines_of({{"val", vqa_of({question(10, 1), question(11, 1)})},
                  {"retention", vqa_of({question(20, 2)})},
                  {"base", base},
                  {"subset", subset_of({clip("1", "a")})},
                  {"held out", subset_of({clip("2", "b")})}})
            .empty());
}

TEST_CASE("every shared image and question of every pair is a leak, in order") {
  CHECK(lines_of({{"x", vqa_of({question(20, 2), question(10, 1)})},
                  {"y", vqa_of({question(11, 1), question(20, 2)})},
                  {"z", vqa_of({question(12, 1)})}}) ==
        Lines{"leak: x y: image_id 1 is in both", "leak: x y: image_id 2 is in both",
              "leak: x y: question_id 20 is in both", "leak: x z: image_id 1 is in both",
              "leak: y z: image_id 1 is in both"});
}

TEST_CASE("a clip in two manifests is a leak, also where one holds its caption only") {
  auto base = vqa_of({question(30, 3)});
  base.captions = {clip("7", "a"), clip("8", "c")};
  CHECK(lines_of({{"x", subset_of({clip("1", "a"), clip("2", "b")})},
                  {"y", subset_of({clip("3", "b")})},
                  {"base", base}}) ==
        Lines{"leak: x y: youtube_id b is in both", "leak: x base: youtube_id a is in both"});
}

TEST_CASE("a leak is found across years, across kinds, and between the captions of two bases") {
  auto train = vqa_of({question(30, 1)});
  train.entries[0].image_filename = "COCO_train2014_000000000001.jpg";
  CHECK(lines_of({{"val", vqa_of({question(10, 1)})}, {"base", train}}) ==
        Lines{"leak: val base: image_id 1 is in both"});
  auto one = vqa_of({question(10, 1)}), two = vqa_of({question(20, 2)});
  one.captions = {clip("7", "a")};
  two.captions = {clip("8", "a")};
  CHECK(lines_of({{"one", one}, {"two", two}}) == Lines{"leak: one two: youtube_id a is in both"});
}

TEST_CASE("one picture under two image_ids is a leak where its name tells none") {
  auto one = vqa_of({question(10, 1)}), two = vqa_of({question(20, 2)});
  one.entries[0].image_filename = two.entries[0].image_filename = "picture.png";
  CHECK(lines_of({{"one", one}, {"two", two}}) ==
        Lines{"leak: one two: image_filename picture.png is in both"});
}

TEST_CASE("a sound of another clip's name is a finding") {
  auto subset = subset_of({clip("1", "a"), clip("2", "b"), clip("3", "c")});
  subset.entries[0].audio_relpath = "audio/train/b.wav";
  subset.entries[1].audio_relpath = "audio/train/b.flac";
  subset.entries[2].audio_relpath = "audio/train/xc.wav";
  CHECK(lines_of({{"x", subset}}) ==
        Lines{"clip name: x: audiocap_id 1: \"audio/train/b.wav\" is not the name of youtube_id a",
              "clip name: x: audiocap_id 3: \"audio/train/xc.wav\" is not the name of youtube_id c"});
}

TEST_CASE("repeated ids are findings, except a clip's captions in a base") {
  auto vqa = vqa_of({question(10, 1), question(10, 1)});
  vqa.captions = {clip("7", "a"), clip("7", "a"), clip("8", "a")};
  CHECK(lines_of({{"x", vqa}}) == Lines{"duplicate: x: question_id 10 stands more than once",
                                        "duplicate: x: audiocap_id 7 stands more than once"});
  CHECK(lines_of({{"y", subset_of({clip("1", "a"), clip("1", "b"), clip("2", "b")})}}) ==
        Lines{"duplicate: y: audiocap_id 1 stands more than once",
              "duplicate: y: youtube_id b stands more than once"});
}

TEST_CASE("a majority answer that is not the majority, and an image name of another image, are findings") {
  auto vqa = vqa_of({question(10, 1), question(20, 2)});
  vqa.entries[0].majority_answer = "dog";
  vqa.entries[1].image_filename = "COCO_val2014_000000000001.jpg";
  CHECK(
      lines_of({{"x", vqa}}) ==
      Lines{
          "majority: x: question_id 10: the majority_answer is \"dog\", the majority is \"cat\"",
          "image name: x: question_id 20: \"COCO_val2014_000000000001.jpg\" is not the name of image_id 2"});
  vqa.entries.resize(1);
  vqa.entries[0].majority_answer = "Cat";
  CHECK(lines_of({{"x", vqa}}).size() == 1);
  vqa.entries[0] = question(10, 1);
  vqa.entries[0].image_filename = "picture.png";
  CHECK(lines_of({{"x", vqa}}).empty());
}

TEST_CASE("a text that models take for a token is a finding") {
  manifest::VqaManifest vqa = vqa_of({question(10, 1)});
  vqa.entries[0].question = "What does <image> mean?";
  CHECK(lines_of({{"x", vqa}}) ==
        Lines{"token: x: question_id 10: \"<image>\" in a text is a token of models; leave the row out"});
}
