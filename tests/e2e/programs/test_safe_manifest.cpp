// safe-manifest as a user runs it: standard output, exit code, and what lies on disk afterwards.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/format/parse.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/manifest_project.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Finished;
using support::Project;

namespace {

using support::holds;

}  // namespace

TEST_CASE("the splits are made one after the other, and share nothing") {
  const Project project;
  const Finished val = project.run({"val", "--subset-size", "5"});
  CHECK(val.code == 0);
  CHECK(val.out == "wrote experiments/overfitting/val_manifest.json: 5 of 60 questions, seed 123\n");
  CHECK(project.run({"retention", "--subset-size", "10"}).code == 0);
  const Finished audio = project.run({"audio", "--subset-size", "4"});
  CHECK(audio.out == "wrote experiments/overfitting/subset_manifest.json: 4 of 10 clips, seed 42\n");
  const Finished held_out = project.run({"audio", "--split", "val", "--subset-size", "3"});
  CHECK(held_out.out == "wrote experiments/overfitting/audio_val_manifest.json: 3 of 10 clips, seed 42\n");
  std::vector<std::string> base = {"base", "--subset-size", "12", "--captions", "data/audiocaps/train.csv"};
  for (const char* name : {"val", "retention", "subset", "audio_val"})
    base.insert(base.end(), {"--exclude", "experiments/overfitting/" + std::string(name) + "_manifest.json"});
  const Finished made = project.run(base);
  CHECK(made.code == 0);
  CHECK(holds(made.out, "12 of "));
  CHECK(holds(made.out, ", and 12 captions\n"));

  std::vector<std::string> check = {"check"};
  for (const std::string& name : project.written())
    if (name.ends_with("_manifest.json")) check.push_back("experiments/overfitting/" + name);
  REQUIRE(check.size() == 6);
  const Finished checked = project.run(check);
  CHECK(checked.code == 0);
  CHECK(checked.out == "ok: 5 manifests, nothing found\n");

  CHECK(manifest::read_vqa(project.at("val_manifest.json"))
            .entries[0]
            .image_filename.starts_with("COCO_val2014_"));
  CHECK(manifest::read_vqa(project.at("base_manifest.json"))
            .entries[0]
            .image_filename.starts_with("COCO_train2014_"));
  CHECK(manifest::read_subset(project.at("audio_val_manifest.json")).entries[0].captions.size() == 1);
}

TEST_CASE("a manifest with the original's bytes has its recipe beside it, any other inside") {
  const Project project;
  CHECK(project.run({"val", "--subset-size", "5"}).code == 0);
  const auto digest = common::digest_of(support::text_of_file(project.at("val_manifest.json")));
  const auto beside = manifest::read_recipe_file(project.at("val_manifest.json"), digest);
  REQUIRE(beside);
  CHECK(beside->strategy == "original");
  CHECK(beside->population == 60);
  REQUIRE(beside->sources.size() == 2);
  CHECK(!beside->sources[0].licence);
  CHECK(beside->sources[1].licence == manifest::Licence{"", "x"});  // as the table of this test states it
  CHECK(!manifest::read_vqa(project.at("val_manifest.json")).recipe);
  CHECK_THROWS_WITH_AS(
      (void)manifest::read_recipe_file(project.at("val_manifest.json"), common::digest_of("x")),
      doctest::Contains("make the manifest again, or remove"), common::Error);

  CHECK(project.run({"val", "--subset-size", "5", "--strategy", "stratified", "--replace"}).code == 0);
  CHECK(!fs::exists(project.at("val_manifest.recipe.json")));
  CHECK(manifest::read_vqa(project.at("val_manifest.json")).recipe->strategy == "stratified");

  CHECK(project.run({"audio", "--subset-size", "4", "--licence", "https://example.org/terms"}).code == 0);
  const auto clips = manifest::read_subset(project.at("subset_manifest.json"));
  CHECK(clips.recipe->sources[0].licence == manifest::Licence{"", "https://example.org/terms"});
}

TEST_CASE("the same command gives the same bytes, with any number of threads") {
  const Project project;
  CHECK(project.run({"val", "--subset-size", "7", "--threads", "1"}).code == 0);
  const std::string first = support::text_of_file(project.at("val_manifest.json"));
  CHECK(project.run({"val", "--subset-size", "7", "--threads", "3", "--quiet"}).code == 0);
  CHECK(support::text_of_file(project.at("val_manifest.json")) == first);
  CHECK(!first.ends_with('\n'));
}

TEST_CASE("quiet prints the result only, json a result that a machine reads") {
  const Project project;
  const Finished quiet = project.run({"val", "--subset-size", "5", "--quiet"});
  CHECK(quiet.err.empty());
  CHECK(!quiet.out.empty());
  const Finished json = project.run({"val", "--subset-size", "5", "--json"});
  const common::Json result = common::parse_json(json.out, "stdout");
  CHECK(result["questions"] == 5);
  CHECK(result["population"] == 60);
  CHECK(result["sha256"] == common::digest_of(support::text_of_file(project.at("val_manifest.json"))).hex());
}

TEST_CASE("leaks are findings on standard output, and the exit code is 1") {
  const Project project;
  CHECK(project.run({"val", "--subset-size", "5"}).code == 0);
  const Finished copied =
      project.run({"val", "--subset-size", "5", "--output", "experiments/overfitting/again.json"});
  CHECK(copied.code == 0);
  const std::vector<std::string> both = {"experiments/overfitting/val_manifest.json",
                                         "experiments/overfitting/again.json"};
  const Finished checked = project.run({"check", both[0], both[1]});
  CHECK(checked.code == 1);
  CHECK(checked.out.starts_with("leak: " + both[0] + " and " + both[1] + ": image_id "));
  const Finished json = project.run({"check", "--json", both[0], both[1]});
  CHECK(json.code == 1);
  const common::Json result = common::parse_json(json.out, "stdout");
  CHECK(result["findings"].size() ==
        static_cast<std::size_t>(std::count(checked.out.begin(), checked.out.end(), '\n')));
  CHECK(result["findings"][0]["kind"] == "leak");
}

TEST_CASE("a command line that cannot be meant exits 2 and writes nothing") {
  const Project project;
  const std::string val = "experiments/overfitting/val_manifest.json";
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"valid"},
           {"val", "--unknown"},
           {"val", "extra"},
           {"val", "--subset-size", "-5"},
           {"val", "--subset-size", "many"},
           {"val", "--seed", "1.5"},
           {"val", "--captions", "data/audiocaps/train.csv"},
           {"val", "--strategy", "random"},
           {"audio", "--strategy", "stratified"},
           {"val", "--subset-size", "5", "--output", "experiments"},
           {"val", "--subset-size", "5", "--output", "data/vqa/v2_mscoco_val2014_annotations.json"},
           {"check"}}) {
    const Finished finished = project.run(arguments);
    CHECK(finished.code == 2);
    CHECK(finished.out.empty());
    CHECK(!finished.err.empty());
    CHECK(project.written().empty());
  }
  // Above all, no input is overwritten.
  CHECK(project.run({"val", "--subset-size", "5"}).code == 0);
}

TEST_CASE("what cannot be read is one sentence with the file, exit 3, and nothing written") {
  const Project project;
  support::put_file(project.root("broken.json"), "{\"questions\": [");
  support::put_file(project.root("broken.csv"), "audiocap_id,youtube_id,start_time,caption\n1,\"a,3,x\n");
  for (const auto& [arguments, named] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"val", "--questions", "absent.json"}, "absent.json"},
           {{"val", "--questions", "broken.json"}, "broken.json"},
           {{"val", "--annotations", "data/vqa/v2_OpenEnded_mscoco_val2014_questions.json"}, "annotations"},
           {{"val", "--output", "absent/val.json"}, "no folder absent"},
           {{"retention", "--subset-size", "5"}, "val_manifest.json"},
           {{"audio", "--metadata", "broken.csv"}, "broken.csv, line 2"},
           {{"audio", "--metadata", "data"}, "not a regular file"},
           {{"audio", "--available", "absent"}, "--available absent is not a folder"},
           {{"check", "broken.json"}, "broken.json"},
           {{"check", "absent.json"}, "absent.json"}}) {
    const Finished finished = project.run(arguments);
    CHECK(finished.code == 3);
    CHECK(finished.out.empty());
    CHECK_MESSAGE(holds(finished.err, named), finished.err);
    CHECK(finished.err.starts_with("safe-manifest: "));
    CHECK(std::count(finished.err.begin(), finished.err.end(), '\n') == 1);
    CHECK(project.written().empty());
  }
}

TEST_CASE("a table that is too small exits 1, and the manifest that was there stays as it was") {
  const Project project;
  CHECK(project.run({"val", "--subset-size", "5"}).code == 0);
  const std::string before = support::text_of_file(project.at("val_manifest.json"));
  const Finished finished = project.run({"val", "--subset-size", "61"});
  CHECK(finished.code == 1);
  CHECK(holds(finished.err, "61 annotated questions are asked for and only 60 can be chosen"));
  CHECK(support::text_of_file(project.at("val_manifest.json")) == before);
  CHECK(project.written() == std::vector<std::string>{"val_manifest.json", "val_manifest.recipe.json"});
}

TEST_CASE("a stratified choice says how it was made, the original's has the original's bytes only") {
  const Project project;
  CHECK(project.run({"val", "--subset-size", "6"}).code == 0);
  CHECK(!manifest::read_vqa(project.at("val_manifest.json")).recipe);
  const std::string before = support::text_of_file(project.at("val_manifest.json"));
  CHECK(project.run({"val", "--subset-size", "6", "--strategy", "original"}).code == 0);
  CHECK(support::text_of_file(project.at("val_manifest.json")) == before);

  CHECK(project.run({"val", "--subset-size", "6", "--strategy", "stratified", "--replace"}).code == 0);
  const manifest::VqaManifest val = manifest::read_vqa(project.at("val_manifest.json"));
  REQUIRE(val.recipe);
  const auto digest = [&](const std::string& name) {
    return common::digest_of(support::text_of_file(project.root("data/vqa/" + name)));
  };
  CHECK(*val.recipe == manifest::Recipe{"stratified",
                                        60,
                                        {{"questions", digest("v2_OpenEnded_mscoco_val2014_questions.json")},
                                         {"annotations", digest("v2_mscoco_val2014_annotations.json"),
                                          manifest::Licence{"", "x"}}},
                                        {}});
  CHECK(project.run({"retention", "--subset-size", "6"}).code == 0);
  const manifest::VqaManifest retention = manifest::read_vqa(project.at("retention_manifest.json"));
  REQUIRE(retention.recipe);
  CHECK(retention.recipe->strategy == "original");
  CHECK(retention.recipe->population < 60);
  REQUIRE(retention.recipe->sources.size() == 3);
  CHECK(retention.recipe->sources[2].table == "excluded");
  CHECK(retention.recipe->sources[2].digest ==
        common::digest_of(support::text_of_file(project.at("val_manifest.json"))));
  CHECK(holds(project.run({"show", "experiments/overfitting/val_manifest.json"}).out,
              "strategy          \"stratified\"\n"));
}

TEST_CASE(
    "a manifest that is there is left alone where it would be another, unless --replace says otherwise") {
  const Project project;
  CHECK(project.run({"audio", "--subset-size", "4"}).code == 0);
  const std::string before = support::text_of_file(project.at("subset_manifest.json"));
  const Finished again = project.run({"audio", "--subset-size", "4"});
  CHECK(again.code == 0);
  CHECK(again.out == "unchanged experiments/overfitting/subset_manifest.json: 4 of 10 clips, seed 42\n");
  const Finished other = project.run({"audio", "--subset-size", "4", "--seed", "43"});
  CHECK(other.code == 2);
  CHECK(holds(other.err, "subset_manifest.json exists and holds something else; add --replace"));
  CHECK(support::text_of_file(project.at("subset_manifest.json")) == before);
  CHECK(project.run({"audio", "--subset-size", "4", "--seed", "43", "--replace"}).code == 0);
  CHECK(support::text_of_file(project.at("subset_manifest.json")) != before);
}

TEST_CASE("a subset size of 0 means all, of questions and of clips") {
  const Project project;
  CHECK(holds(project.run({"val", "--subset-size", "0"}).out, ": 60 of 60 questions"));
  CHECK(holds(project.run({"audio", "--subset-size", "0"}).out, ": 10 of 10 clips"));
  const fs::path folder = project.root("data/audiocaps/audio/train");
  fs::create_directories(folder);
  support::put_file(folder / "train_3.flac", "x");
  CHECK(holds(project.run({"audio", "--subset-size", "0", "--available", "data/audiocaps", "--replace"}).out,
              ": 1 of 10 clips, seed 42, 9 skipped"));
}

TEST_CASE(
    "a seed of any size is taken, written down and drawn with as Python does; what is none is refused") {
  const Project project;
  const std::string large = "100000000000000000000";
  CHECK(project.run({"val", "--subset-size", "5", "--seed", "-" + large}).out ==
        "wrote experiments/overfitting/val_manifest.json: 5 of 60 questions, seed -" + large + "\n");
  const std::string text = support::text_of_file(project.at("val_manifest.json"));
  CHECK(holds(text, "\n  \"seed\": -" + large + ",\n"));
  CHECK(holds(project.run({"show", "experiments/overfitting/val_manifest.json"}).out, "-" + large + "\n"));
  // random.Random(10**20).sample(range(60), 5), as random.seed takes the absolute value.
  std::vector<std::int64_t> ids;
  for (const auto& entry : manifest::read_vqa(project.at("val_manifest.json")).entries)
    ids.push_back(entry.question_id);
  CHECK(ids.size() == 5);
  CHECK(project.run({"val", "--subset-size", "5", "--seed", large, "-o", "experiments/overfitting/b.json"})
            .code == 0);
  std::vector<std::int64_t> positive;
  for (const auto& entry : manifest::read_vqa(project.at("b.json")).entries)
    positive.push_back(entry.question_id);
  CHECK(ids == positive);
  for (const char* seed : {"1e3", "1.5", "", "seven", "+1"}) {
    const Finished refused = project.run({"val", "--seed", seed});
    CHECK(refused.code == 2);
    CHECK(holds(refused.err, "--seed: "));
  }
}

TEST_CASE("check passes over a recipe, which a shell's *.json names too") {
  const Project project;
  CHECK(project.run({"val", "--subset-size", "5"}).code == 0);
  const std::string val = "experiments/overfitting/val_manifest.json",
                    recipe = "experiments/overfitting/val_manifest.recipe.json";
  const Finished checked = project.run({"check", recipe, val});
  CHECK(checked.code == 0);
  CHECK(checked.out == "ok: 1 manifests, nothing found\n");
  CHECK(holds(checked.err, recipe + ": passed over"));
  CHECK(project.run({"check", recipe}).code == 2);
}

TEST_CASE("a verb ends with the next command, which a shell takes as it is; --quiet says nothing") {
  const Project project;
  fs::create_directories(project.root("my data"));
  const Finished made = project.run({"val", "--subset-size", "5", "-o", "my data/val_manifest.json"});
  CHECK(holds(made.err, "next: safe-manifest check 'my data/val_manifest.json'\n"));
  CHECK(project.run({"val", "--subset-size", "5", "-o", "my data/val_manifest.json", "--quiet"}).err.empty());
  // In their usual place one split leads to the next, and the last one to the check of all.
  const auto next_of = [&](const std::vector<std::string>& arguments) {
    const std::string err = project.run(arguments).err;
    return err.substr(std::min(err.find("next: "), err.size()));
  };
  CHECK(next_of({"audio", "--subset-size", "4"}) ==
        "next: safe-manifest audio --split val --subset-size 100\n");
  CHECK(next_of({"audio", "--split", "val", "--subset-size", "4"}) == "next: safe-manifest val\n");
  CHECK(next_of({"val", "--subset-size", "5"}) == "next: safe-manifest retention\n");
  CHECK(next_of({"retention", "--subset-size", "5"}).starts_with("next: safe-manifest check experiments/"));
}

TEST_CASE("clips whose file is not there give way to the next ones, and the manifest says which") {
  const Project project;
  const fs::path folder = project.root("data/audiocaps/audio/train");
  fs::create_directories(folder);
  const auto put = [&](int i) { support::put_file(folder / ("train_" + std::to_string(i) + ".flac"), "x"); };
  for (int i = 0; i < 10; ++i) put(i);
  const std::vector<std::string> audio = {"audio", "--subset-size", "4", "--available", "data/audiocaps"};
  const Finished all = project.run(audio);
  CHECK(all.out ==
        "wrote experiments/overfitting/subset_manifest.json: 4 of 10 clips, seed 42, 0 skipped for want of a "
        "file\n");
  const std::string whole = support::text_of_file(project.at("subset_manifest.json"));
  CHECK(project.run({"audio", "--subset-size", "4"}).code == 0);
  CHECK(support::text_of_file(project.at("subset_manifest.json")) == whole);

  const std::string lost = manifest::read_subset(project.at("subset_manifest.json")).entries[1].clip_id;
  fs::remove(folder / (lost + ".flac"));
  CHECK(project.run(audio).code == 2);
  std::vector<std::string> replace = audio;
  replace.emplace_back("--replace");
  CHECK(holds(project.run(replace).out, ", 1 skipped"));
  const std::string replaced = support::text_of_file(project.at("subset_manifest.json"));
  CHECK(project.run(audio).code == 0);
  CHECK(support::text_of_file(project.at("subset_manifest.json")) == replaced);
  const manifest::SubsetManifest subset = manifest::read_subset(project.at("subset_manifest.json"));
  REQUIRE(subset.recipe);
  CHECK(subset.recipe->skipped == std::vector<manifest::Recipe::Skipped>{{lost, "no source file"}});
  CHECK(subset.entries.size() == 4);
  const Finished checked = project.run({"check", "experiments/overfitting/subset_manifest.json"});
  CHECK(checked.code == 0);
  CHECK(holds(checked.err, "subset_manifest.json: clips skipped when it was made: 1;"));
  CHECK(project.run({"show", "experiments/overfitting/subset_manifest.json", lost}).out ==
        "{\"youtube_id\": \"" + lost + "\", \"skipped\": \"no source file\"}\n");

  for (const auto& entry : subset.entries) fs::remove(folder / (entry.clip_id + ".flac"));
  fs::remove(folder / "train_0.flac");
  const Finished few = project.run({"audio", "--subset-size", "9", "--available", "data/audiocaps"});
  CHECK(few.code == 1);
  CHECK(holds(few.err, "9 clips are asked for and only "));
  CHECK(support::text_of_file(project.at("subset_manifest.json")) == replaced);
}

TEST_CASE("tables are found where the documents of the Python original put them, and as JSONL") {
  const Project project;
  const fs::path vqa = project.root("data/vqa");
  for (const char* folder : {"questions", "annotations"}) fs::create_directories(vqa / folder);
  for (const std::string year : {"val2014", "train2014"}) {
    const std::string questions = "v2_OpenEnded_mscoco_" + year + "_questions.json";
    const std::string annotations = "v2_mscoco_" + year + "_annotations.json";
    fs::rename(vqa / questions, vqa / "questions" / questions);
    fs::rename(vqa / annotations, vqa / "annotations" / annotations);
  }
  CHECK(project.run({"val", "--subset-size", "5"}).code == 0);
  fs::remove(project.root("data/audiocaps/train.csv"));
  support::put_file(project.root("data/audiocaps/train.jsonl"),
                    R"({"id": 1, "ytid": "a", "captions": ["x", "y"]})");
  CHECK(project.run({"audio", "--subset-size", "1"}).code == 0);
  CHECK(manifest::read_subset(project.at("subset_manifest.json")).entries[0].caption == "x");
}

TEST_CASE("help and version exit 0, and help tells the exit codes") {
  const Project project;
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{{"--help"},
                                                                                         {"val", "--help"},
                                                                                         {"retention", "-h"},
                                                                                         {"base", "--help"},
                                                                                         {"audio", "--help"},
                                                                                         {"check", "-h"}}) {
    const Finished finished = project.run(arguments);
    CHECK(finished.code == 0);
    CHECK(holds(finished.out, "Exit codes:"));
  }
  CHECK(project.run({"--version"}).out.starts_with("safe-manifest "));
}

TEST_CASE("results that cannot be written to standard output are an error") {
  const Project project;
  const Finished finished = support::run_process(
      {"sh", "-c", "\"$0\" val --subset-size 5 >/dev/full", SAFE_BIN "/safe-manifest"}, project.root(""));
  CHECK(finished.code == 3);
}
