// safe-manifest as a user runs it: standard output, exit code, and what lies on disk afterwards.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "manifest/manifest.hpp"
#include "tests/support/process.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Finished;

namespace {

// A project's folder with the tables where the commands look for them.
class Project {
 public:
  Project() {
    for (const char* folder : {"data/vqa", "data/audiocaps", "experiments/overfitting"})
      fs::create_directories(scratch_ / folder);
    for (const std::string year : {"val2014", "train2014"}) {
      std::vector<common::Json> questions;
      std::vector<common::Json> annotations;
      support::many_questions(60, questions, annotations);
      support::put_file(scratch_ / ("data/vqa/v2_OpenEnded_mscoco_" + year + "_questions.json"),
                        support::questions_table(questions, year));
      support::put_file(scratch_ / ("data/vqa/v2_mscoco_" + year + "_annotations.json"),
                        support::annotations_table(annotations));
    }
    for (const std::string split : {"train", "val"}) {
      std::string table = "audiocap_id,youtube_id,start_time,caption\r\n";
      for (int i = 0; i < 20; ++i)
        table += std::to_string(i + 1) + "," + split + "_" + std::to_string(i % 10) + "," +
                 std::to_string(i) + ",\"A dog barks, then " + std::to_string(i) + " cats\"\r\n";
      support::put_file(scratch_ / ("data/audiocaps/" + split + ".csv"), table);
    }
  }
  [[nodiscard]] Finished run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), SAFE_BIN "/safe-manifest");
    return support::run_process(arguments, scratch_.path());
  }
  [[nodiscard]] fs::path at(const std::string& name) const {
    return scratch_ / ("experiments/overfitting/" + name);
  }
  [[nodiscard]] fs::path root(const std::string& name) const { return scratch_ / name; }
  // Names of what lies in the output folder, in order.
  [[nodiscard]] std::vector<std::string> written() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(at("")))
      names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
  }

 private:
  support::Scratch scratch_;
};

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the four splits are made one after the other, and share nothing") {
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
  for (const std::string& name : project.written()) check.push_back("experiments/overfitting/" + name);
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
           {"val", "--subset-size", "0"},
           {"val", "--subset-size", "-5"},
           {"val", "--subset-size", "many"},
           {"val", "--seed", "1.5"},
           {"val", "--captions", "data/audiocaps/train.csv"},
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
  CHECK(project.written() == std::vector<std::string>{"val_manifest.json"});
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
