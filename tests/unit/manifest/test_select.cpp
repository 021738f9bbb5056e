#include <algorithm>
#include <cstdlib>
#include <map>
#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "manifest/format/write.hpp"
#include "manifest/select.hpp"
#include "tests/support/process.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

using common::Error;
using common::ErrorKind;
using manifest::ClipEntry;
using manifest::Excluded;
using manifest::VqaSplit;

namespace {

manifest::VqaTables tables_of(int count) {
  std::vector<common::Json> questions;
  std::vector<common::Json> annotations;
  support::many_questions(count, questions, annotations);
  const support::Scratch scratch;
  support::put_file(scratch / "q", support::questions_table(questions));
  support::put_file(scratch / "a", support::annotations_table(annotations));
  return manifest::read_vqa_tables(scratch / "q", scratch / "a", 1, common::Verbosity::quiet);
}

ClipEntry row(const std::string& audiocap_id, const std::string& youtube_id) {
  return {audiocap_id, youtube_id, 1.0, "caption " + audiocap_id, {}, ""};
}

std::vector<std::string> clip_ids(const manifest::SubsetManifest& subset) {
  std::vector<std::string> ids;
  for (const ClipEntry& clip : subset.entries) ids.push_back(clip.clip_id);
  return ids;
}

template <typename Action>
ErrorKind kind_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("nothing was thrown");
  return ErrorKind::usage;
}

}  // namespace

TEST_CASE("questions are chosen as CPython chooses, and stand in ascending order") {
  // sorted(random.Random(5).sample(range(10), 3)) == [4, 5, 9]
  const auto choice = manifest::select_questions(tables_of(10), {VqaSplit::val, 3, 5, "val2014"}, {});
  CHECK(choice.population == 10);
  REQUIRE(choice.manifest.entries.size() == 3);
  CHECK(choice.manifest.entries[0].question_id == 3000);
  CHECK(choice.manifest.entries[1].question_id == 3001);
  CHECK(choice.manifest.entries[2].question_id == 5001);
  CHECK(choice.manifest.entries[2].image_filename == "COCO_val2014_000000000005.jpg");
  CHECK(choice.manifest.entries[2].majority_answer == "cat");
  CHECK(choice.manifest.seed == 5);
}

TEST_CASE("an excluded image takes all of its questions with it, an excluded question only itself") {
  Excluded excluded;
  excluded.image_ids = {2};
  excluded.question_ids = {4001};
  const auto choice =
      manifest::select_questions(tables_of(10), {VqaSplit::retention, 7, 1, "val2014"}, excluded);
  CHECK(choice.population == 7);
  for (const auto& entry : choice.manifest.entries) {
    CHECK(entry.image_id != 2);
    CHECK(entry.question_id != 4001);
  }
  CHECK(choice.manifest.entries[2].question_id == 3000);
}

TEST_CASE("a question is its words, whatever their capitals and what stands between them") {
  CHECK(manifest::words_of("What colour is it?") == "what colour is it");
  CHECK(manifest::words_of("  what colour--is IT ") == "what colour is it");
  CHECK(manifest::words_of("Is it 2 o'clock?") == "is it 2 o clock");
  CHECK(manifest::words_of("Où est-ce ?") == "où est ce");
  CHECK(manifest::words_of("?!") == "");
}

TEST_CASE("words that another manifest asks are not asked again, about whatever picture") {
  const support::Scratch scratch;
  std::vector<common::Json> questions, annotations;
  const std::vector<std::string> words = {"What is it?", "What colour is it?", "what COLOUR is it",
                                          "Is it a cat?"};
  for (int i = 0; i < 8; ++i) {
    questions.push_back(support::question_row(1000 + i, i + 1, words[static_cast<std::size_t>(i % 4)]));
    annotations.push_back(support::annotation_row(1000 + i, std::vector<std::string>(10, "cat")));
  }
  support::put_file(scratch / "q", support::questions_table(questions));
  support::put_file(scratch / "a", support::annotations_table(annotations));
  const manifest::VqaTables tables =
      manifest::read_vqa_tables(scratch / "q", scratch / "a", 1, common::Verbosity::quiet);
  const auto ids_chosen = [&](const Excluded& excluded) {
    std::vector<std::int64_t> ids;
    const auto choice = manifest::select_questions(tables, {VqaSplit::val, 0, 5, "val2014"}, excluded);
    for (const auto& entry : choice.manifest.entries) ids.push_back(entry.question_id);
    return ids;
  };
  Excluded all_but_one;
  for (std::int64_t id = 1000; id < 1008; ++id)
    if (id != 1001) all_but_one.question_ids.insert(id);
  const auto one = manifest::select_questions(tables, {VqaSplit::val, 0, 5, "val2014"}, all_but_one);
  support::put_file(scratch / "val_manifest.json", manifest::write_vqa(one.manifest));
  Excluded excluded;
  manifest::exclude_words({scratch / "val_manifest.json"}, excluded);
  CHECK(ids_chosen(excluded) == std::vector<std::int64_t>{1000, 1003, 1004, 1007});
  CHECK(ids_chosen({}).size() == 8);
  support::put_file(scratch / "clips.json",
                    manifest::write_subset(manifest::select_clips({row("1", "a")}, {"train"}, {}).manifest));
  CHECK(kind_of([&] { manifest::exclude_words({scratch / "clips.json"}, excluded); }) == ErrorKind::usage);
}

TEST_CASE("too few questions or clips is a mismatch that names both numbers") {
  try {
    (void)manifest::select_questions(tables_of(4), {VqaSplit::val, 5, 1, "val2014"}, {});
    FAIL("chose 5 of 4");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::mismatch);
    CHECK(std::string(error.what())
              .starts_with("5 annotated questions are asked for and only 4 can be chosen"));
  }
  CHECK(kind_of([] {
          (void)manifest::select_clips({row("1", "a"), row("2", "a")}, {"train", 2, 1}, {});
        }) == ErrorKind::mismatch);
}

TEST_CASE("images are named after the COCO split, and the name must be able to stand in a pack") {
  const auto choice = manifest::select_questions(tables_of(2), {VqaSplit::base, 1, 1, "train2014"}, {});
  CHECK(choice.manifest.entries[0].image_filename == "COCO_train2014_000000000001.jpg");
  for (const char* subtype : {"../x", "a b", "a/b"})
    CHECK(kind_of([&] {
            (void)manifest::select_questions(tables_of(2), {VqaSplit::base, 1, 1, subtype}, {});
          }) == ErrorKind::format);
}

TEST_CASE("a clip is its row of the lowest audiocap_id; clips stand in byte order of youtube_id") {
  const std::vector<ClipEntry> rows = {row("1", "b"), row("2", "a"), row("3", "b"), row("4", "B"),
                                       row("5", "-")};
  const auto choice = manifest::select_clips(rows, {"train", 4, 1}, {});
  CHECK(choice.population == 4);
  CHECK(clip_ids(choice.manifest) == std::vector<std::string>{"-", "B", "a", "b"});
  CHECK(choice.manifest.entries[3].caption_id == "1");
  CHECK(choice.manifest.entries[3].captions.empty());
  CHECK(choice.manifest.entries[3].audio_relpath == "audio/train/b.wav");
  CHECK(choice.manifest.audio_rel_root == "audio/train");
  CHECK(choice.manifest.subset_name == "audiocaps_overfit_v1");
  CHECK(choice.manifest.description == "AudioCaps train subset (4 samples) for SAFE overfitting ablation");
  CHECK(choice.manifest.source_dataset == "AudioCaps train split");
}

TEST_CASE("clips are chosen from the population in numeric order of audiocap_id, as CPython chooses") {
  std::vector<ClipEntry> rows;
  // clip_ids in the opposite order, so that another order of the population gives another choice.
  for (int i = 0; i < 10; ++i)
    rows.push_back(row(std::to_string(i + 1), std::string(1, static_cast<char>('z' - i))));
  // random.Random(5).sample(range(10), 3) == [9, 4, 5]
  const auto choice = manifest::select_clips(rows, {"train", 3, 5}, {});
  CHECK(clip_ids(choice.manifest) == std::vector<std::string>{"q", "u", "v"});
}

TEST_CASE("a held-out clip keeps its further captions, and lies in the folder of its split") {
  const auto choice =
      manifest::select_clips({row("1", "a"), row("2", "b"), row("3", "a")}, {"val", 2, 1}, {});
  CHECK(choice.manifest.entries[0].caption == "caption 1");
  CHECK(choice.manifest.entries[0].captions == std::vector<std::string>{"caption 3"});
  CHECK(choice.manifest.entries[1].captions.empty());
  CHECK(choice.manifest.entries[1].audio_relpath == "audio/val/b.wav");
  CHECK(choice.manifest.subset_name == "audiocaps_val_overfit_v1");
}

TEST_CASE("an excluded clip is not chosen, nor are its captions taken") {
  Excluded excluded;
  excluded.clip_ids = {"a"};
  const std::vector<ClipEntry> rows = {row("1", "a"), row("2", "b"), row("3", "a"), row("4", "b")};
  CHECK(clip_ids(manifest::select_clips(rows, {"train", 1, 1}, excluded).manifest) ==
        std::vector<std::string>{"b"});
  const auto captions = manifest::select_captions(rows, excluded);
  REQUIRE(captions.size() == 2);
  CHECK(captions[0].caption_id == "2");
  CHECK(captions[1].caption_id == "4");
}

TEST_CASE("a split that cannot be a folder of a pack is refused") {
  for (const char* split : {"", "..", "a/b", "a b"})
    CHECK(kind_of([&] {
            (void)manifest::select_clips({row("1", "a")}, {split, 1, 1}, {});
          }) == ErrorKind::format);
}

TEST_CASE("manifests of both kinds exclude, and what a base holds as text excludes too") {
  const support::Scratch scratch;
  auto vqa = support::vqa_of({support::question(10, 1), support::question(20, 2)});
  vqa.captions = {support::clip("1", "text")};
  support::put_file(scratch / "vqa", manifest::write_vqa(vqa));
  support::put_file(scratch / "subset",
                    manifest::write_subset(support::subset_of({support::clip("2", "sound")})));
  const Excluded excluded = manifest::read_excluded({scratch / "vqa", scratch / "subset"});
  CHECK(excluded.image_ids == std::unordered_set<std::int64_t>{1, 2});
  CHECK(excluded.question_ids == std::unordered_set<std::int64_t>{10, 20});
  CHECK(excluded.clip_ids == std::unordered_set<std::string>{"text", "sound"});
}

namespace {

// `count` questions, of which every third is about a number and the others are not.
manifest::VqaTables tables_of_kinds(int count) {
  std::vector<common::Json> questions;
  std::vector<common::Json> annotations;
  support::many_questions(count, questions, annotations);
  for (int i = 0; i < count; ++i) {
    auto& row = annotations[static_cast<std::size_t>(i)];
    row["question_type"] = i % 3 == 0 ? "how many" : i % 3 == 1 ? "what" : "is the";
    row["answer_type"] = i % 3 == 0 ? "number" : "other";
  }
  const support::Scratch scratch;
  support::put_file(scratch / "q", support::questions_table(questions));
  support::put_file(scratch / "a", support::annotations_table(annotations));
  return manifest::read_vqa_tables(scratch / "q", scratch / "a", 1, common::Verbosity::quiet);
}

manifest::QuestionRequest stratified(std::uint64_t size, std::int64_t seed) {
  return {VqaSplit::val, size, seed, "val2014", manifest::Strategy::stratified};
}

}  // namespace

TEST_CASE("a stratified choice has of every kind what is due to it, rounded down or up") {
  const auto tables = tables_of_kinds(301);  // 101 of the first kind, 100 of the others
  for (std::int64_t seed = 0; seed < 50; ++seed) {
    std::map<std::string, int> kinds;
    std::int64_t last = 0;
    for (const auto& entry : manifest::select_questions(tables, stratified(40, seed), {}).manifest.entries) {
      CHECK(entry.question_id > last);
      last = entry.question_id;
      for (std::size_t i = 0; i < tables.size(); ++i)
        if (tables.question_id(i) == entry.question_id) ++kinds[tables.question_type(i)];
    }
    for (const char* kind : {"how many", "is the", "what"}) CHECK((kinds[kind] == 13 || kinds[kind] == 14));
  }
}

TEST_CASE("a stratified choice draws every question as often as any other") {
  const auto tables = tables_of_kinds(30);
  std::map<std::int64_t, int> drawn;
  constexpr int k_seeds = 3000;
  for (std::int64_t seed = 0; seed < k_seeds; ++seed)
    for (const auto& entry : manifest::select_questions(tables, stratified(7, seed), {}).manifest.entries)
      ++drawn[entry.question_id];
  CHECK(drawn.size() == 30);
  // 700 each; a binomial's deviation is 23.2.
  for (const auto& one : drawn) CHECK_MESSAGE(std::abs(one.second - k_seeds * 7 / 30) < 110, one.first);
}

TEST_CASE("a stratified choice of everything is everything, and needs the kinds of all questions") {
  CHECK(manifest::select_questions(tables_of_kinds(9), stratified(9, 1), {}).manifest.entries.size() == 9);
  CHECK(kind_of([] { (void)manifest::select_questions(tables_of(9), stratified(3, 1), {}); }) ==
        ErrorKind::format);
}

TEST_CASE("a clip without a file is skipped, and the next of the same draw takes its place") {
  std::vector<ClipEntry> rows;
  for (int i = 1; i <= 40; ++i) rows.push_back(row(std::to_string(i), "c" + std::to_string(i)));
  manifest::ClipRequest request{"train", 5, 9, {}};
  const auto all = manifest::select_clips(rows, request, {});
  CHECK(all.skipped.empty());
  // All are there: nothing changes.
  request.is_available = [](const manifest::ClipEntry&) { return true; };
  CHECK(manifest::write_subset(manifest::select_clips(rows, request, {}).manifest) ==
        manifest::write_subset(all.manifest));
  // Of those that are drawn one is lost: the others stay.
  const std::string lost = all.manifest.entries[2].clip_id;
  request.is_available = [&](const manifest::ClipEntry& clip) { return clip.clip_id != lost; };
  const auto choice = manifest::select_clips(rows, request, {});
  REQUIRE(choice.skipped.size() == 1);
  CHECK(choice.skipped[0].clip_id == lost);
  CHECK(choice.skipped[0].reason == "no source file");
  CHECK(choice.population == 40);
  const auto ids = clip_ids(choice.manifest);
  std::set<std::string> both;
  for (const std::string& id : clip_ids(all.manifest))
    if (std::find(ids.begin(), ids.end(), id) != ids.end()) both.insert(id);
  CHECK(both.size() == 4);
  CHECK(std::find(ids.begin(), ids.end(), lost) == ids.end());
  // As many as there are, and one more.
  int left = 5;
  request.is_available = [&](const manifest::ClipEntry&) { return left-- > 0; };
  CHECK(manifest::select_clips(rows, request, {}).skipped.empty());
  left = 4;
  CHECK(kind_of([&] { (void)manifest::select_clips(rows, request, {}); }) == ErrorKind::mismatch);
}
