// What the splits of safe-manifest leave to each other.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/select.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/manifest_project.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Finished;
using support::Project;

namespace {

using support::holds;

}  // namespace

TEST_CASE("unlike asks nothing in words that retention has, and shares nothing with the splits beside it") {
  const Project project;
  // Every third question of the table is asked in words of its own.
  const fs::path table = project.root("data/vqa/v2_OpenEnded_mscoco_val2014_questions.json");
  common::Json questions = common::Json::parse(support::text_of_file(table));
  std::size_t at = 0;
  for (common::Json& question : questions.at("questions"))
    if (at++ % 3 == 0) question["question"] = "Is this number " + std::to_string(at) + "?";
  support::put_file(table, questions.dump());
  CHECK(project.run({"val", "--subset-size", "5"}).code == 0);
  const Finished early = project.run({"unlike", "--subset-size", "2"});
  CHECK(early.code != 0);
  CHECK(holds(early.err, "retention_manifest.json"));
  CHECK(project.run({"retention", "--subset-size", "10"}).code == 0);
  const Finished unlike = project.run({"unlike", "--subset-size", "4"});
  CAPTURE(unlike.err);
  REQUIRE(unlike.code == 0);
  std::set<std::string> asked;
  for (const auto& entry : manifest::read_vqa(project.at("retention_manifest.json")).entries)
    asked.insert(manifest::words_of(entry.question));
  const manifest::VqaManifest made = manifest::read_vqa(project.at("unlike_manifest.json"));
  CHECK(made.entries.size() == 4);
  for (const auto& entry : made.entries) CHECK(asked.count(manifest::words_of(entry.question)) == 0);
  const auto is_named = [](const auto& source) { return source.table == "unlike"; };
  REQUIRE(made.recipe);
  CHECK(std::count_if(made.recipe->sources.begin(), made.recipe->sources.end(), is_named) == 1);
  // A second pass over all of them changes nothing: each excludes the earlier ones alone.
  for (const auto& [verb, size] :
       {std::pair("val", "5"), std::pair("retention", "10"), std::pair("unlike", "4")})
    CHECK(project.run({verb, "--subset-size", size}).out.starts_with("unchanged "));
  const std::string folder = "experiments/overfitting/";
  CHECK(project
            .run({"check", folder + "val_manifest.json", folder + "retention_manifest.json",
                  folder + "unlike_manifest.json"})
            .out == "ok: 3 manifests, nothing found\n");
}

TEST_CASE("what --exclude names is excluded beside the earlier splits, not in their place") {
  const Project project;
  const std::string val = "experiments/overfitting/val_manifest.json",
                    more = "experiments/overfitting/more.json";
  CHECK(project.run({"val", "--subset-size", "20"}).code == 0);
  CHECK(project.run({"val", "--subset-size", "5", "--seed", "9", "--exclude", val, "-o", more}).code == 0);
  CHECK(project.run({"retention", "--subset-size", "10", "--exclude", more}).code == 0);
  const Finished checked =
      project.run({"check", val, more, "experiments/overfitting/retention_manifest.json"});
  CHECK(checked.out == "ok: 3 manifests, nothing found\n");
  CHECK(manifest::read_vqa(project.at("retention_manifest.json")).recipe->sources.size() == 4);
}

TEST_CASE("held-out clips share none with the training clips beside them, and base nothing with any split") {
  const Project project;
  CHECK(project.run({"audio", "--subset-size", "4"}).code == 0);
  CHECK(holds(
      project.run({"audio", "--split", "val", "--metadata", "data/audiocaps/train.csv", "--subset-size", "0"})
          .out,
      ": 6 of 6 clips"));
  CHECK(project.run({"val", "--subset-size", "5"}).code == 0);
  CHECK(project.run({"retention", "--subset-size", "5"}).code == 0);
  CHECK(project.run({"base", "--subset-size", "5", "--captions", "data/audiocaps/val.csv"}).code == 0);
  CHECK(manifest::read_vqa(project.at("base_manifest.json")).recipe->sources.size() == 3 + 4);
  const std::string folder = "experiments/overfitting/";
  CHECK(project
            .run({"check", folder + "base_manifest.json", folder + "subset_manifest.json",
                  folder + "audio_val_manifest.json", folder + "val_manifest.json"})
            .code == 0);
}
