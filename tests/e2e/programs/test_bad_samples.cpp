// Texts of a pack that a base cannot take: each is named by its sample's id, all at once, before anything is
// encoded; none ends a program by a signal.
#include <fstream>

#include "tests/support/small_world.hpp"

#include <doctest/doctest.h>

using namespace support::small_world;
using support::Finished;

namespace {

// The world's pack with other texts: `change` gets the entries of both manifests.
template <typename Change>
std::string pack_with(const std::string& name, const Change& change) {
  const World& w = world();
  const std::string folder = w.root + "/" + name;
  fs::create_directories(folder);
  common::Json clips = json_of(w.root + "/subset_manifest.json"),
               questions = json_of(w.root + "/val_manifest.json");
  change(clips["entries"], questions["entries"]);
  for (const auto& [file, json] : {std::pair("subset", &clips), std::pair("val", &questions)})
    std::ofstream(folder + "/" + file + "_manifest.json") << common::dump_pretty(*json);
  World::ok(packer({"build", "--quiet", "--manifest", folder + "/subset_manifest.json", "--val-manifest",
                    folder + "/val_manifest.json", "--source-root", w.root + "/data/audiocaps", "--dest-root",
                    folder + "/pack"}));
  return folder + "/pack";
}

void check_names(const Finished& finished, const std::vector<std::string>& parts) {
  CAPTURE(finished.err);
  CHECK(finished.code == 1);
  CHECK(finished.err.find("bug") == std::string::npos);
  CHECK(finished.err.find("unexpected") == std::string::npos);
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(finished.err.find(part) != std::string::npos);
  }
}

std::string text(const common::Json& id) { return id.is_string() ? id.get<std::string>() : id.dump(); }

}  // namespace

TEST_CASE(
    "tokens of the base in questions, answers and captions, and texts that are too long, are named by their "
    "ids") {
  const World& w = world();
  std::vector<std::string> ids;
  const std::string pack = pack_with("special", [&](common::Json& clips, common::Json& questions) {
    const char* bad[] = {"<image>\nWhat is this?", "What is </s> this?", "Is <pad> here?", "<s>What?",
                         "Is it <unk>?"};
    for (std::size_t i = 0; i < std::size(bad); ++i) {
      questions[i]["question"] = bad[i];
      ids.push_back("question_id " + text(questions[i]["question_id"]));
    }
    std::string longer = "What";
    for (int i = 0; i < 400; ++i) longer += " is";
    questions[5]["question"] = longer + "?";
    questions[6]["majority_answer"] = "a </s> b";
    clips[0]["caption"] = "A dog <image> barks";
    if (clips[0].contains("captions")) clips[0]["captions"] = {"A dog <image> barks"};
    for (const std::size_t i : {5, 6}) ids.push_back("question_id " + text(questions[i]["question_id"]));
    ids.push_back("clip " + text(clips[0]["youtube_id"]));
  });
  const Finished run = trainer(w.run("no_retention", "special_runs", {"--pack-root", pack}));
  check_names(run, ids);
  check_names(run, {"8 of the pack's samples", "the question contains <image>", "the question contains </s>",
                    "the answer contains </s>", "positions", "leave the samples out of the manifests"});
  // Nothing was encoded, and no run was begun.
  CHECK(has_no_file(w.root + "/special_runs/.features"));
}

TEST_CASE("many such samples are counted, and twenty of them named") {
  const World& w = world();
  const std::string pack = pack_with("many", [&](common::Json& clips, common::Json& questions) {
    for (auto& question : questions) question["question"] = "<image>";
    for (auto& clip : clips) {
      clip["caption"] = "<image>";
      if (clip.contains("captions")) clip["captions"] = {"<image>"};
    }
  });
  check_names(trainer(w.run("no_retention", "many_runs", {"--pack-root", pack})),
              {"32 of the pack's samples", "and 12 more"});
}

TEST_CASE("a finished run is not asked questions that its base cannot take") {
  const World& w = world();
  World::ok(trainer(w.run("no_retention", "asked_runs", {"--num-epochs", "1"})));
  const std::string pack = pack_with(
      "asked", [&](common::Json&, common::Json& questions) { questions[3]["question"] = "Which <image>?"; });
  check_names(
      trainer({"evaluate", w.only_run("asked_runs").string(), "--pack-root", pack, "--base", w.base + "/vl",
               "--audio-encoder", w.base + "/audio", "--output-root", w.root + "/asked_again"}),
      {"1 of the pack's samples", "the question contains <image>"});
}

TEST_CASE("text that only looks like a token is text") {
  const World& w = world();
  const std::string pack = pack_with("plain", [&](common::Json&, common::Json& questions) {
    questions[0]["question"] = "Is 1 < 2 > 0, <b>bold</b> or < image >?";
    questions[1]["question"] = "\xE6\x97\xA5\xE6\x9C\xAC \xF0\x9F\x90\x95 \xC3\xA9?";
  });
  World::ok(trainer(w.run("no_retention", "plain_runs", {"--pack-root", pack, "--num-epochs", "1"})));
}
