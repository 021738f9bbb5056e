#include "trainer/report/pack_check.hpp"

#include "common/error.hpp"
#include "packer/build/build.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/small_run.hpp"
#include "trainer/results/run_check.hpp"
#include "trainer/results/vqa_accuracy.hpp"
#include "trainer/samples/samples.hpp"

#include <doctest/doctest.h>

using namespace trainer;
namespace fs = std::filesystem;

namespace {

struct Site {
  support::Scratch scratch;
  packer::VerifiedPack pack;
  fs::path run;

  Site() : pack(make_pack(scratch.path())) {
    run = support::make_run(scratch / "runs", {.pack_id = pack.id().hex(),
                                               .scores = {0, 0},
                                               .question_ids = {"10", "11"},
                                               .token_f1 = {0, 0},
                                               .clip_ids = {"video_1", "video_2"},
                                               .unlike = {0}});
    rewrite([](Prediction&) {});
  }
  static packer::VerifiedPack make_pack(const fs::path& folder) {
    support::put(folder / "vqa" / "images" / "val2014" / support::image_name(4), support::picture(99));
    manifest::QuestionEntry other = support::question(40, 4);
    other.question = "Which colour has it?";
    support::put(folder / "E" / "unlike_manifest.json",
                 manifest::write_vqa(support::vqa_of("small_unlike", {other})));
    const packer::BuildRequest request = support::small_sources(folder);
    (void)packer::build_pack(request);
    return packer::open_pack(request.dest_root, {{}, 2, common::Verbosity::quiet});
  }
  // Every line as the pack has it, then edited; scores and seal are none of this check's business.
  void rewrite(const std::function<void(Prediction&)>& edit) const {
    const PackSamples samples = read_samples(pack);
    std::string text;
    for (Prediction item : read_predictions(run / "predictions.jsonl")) {
      if (parts_of(item.condition).set == question_set::k_unlike) item.id = "40";
      for (const auto* questions : {&samples.validation, &samples.unlike})
        for (const QuestionSample& question : *questions)
          if (std::to_string(question.question_id) == item.id) {
            item.question = question.question;
            item.references = question.answers;
            item.answer_type = answer_type_of(question.majority_answer);
          }
      for (const ClipSample& clip : samples.clips)
        if (clip.clip_id == item.id) item.references = clip.captions;
      edit(item);
      text += common::dump_line(to_json(item)) + "\n";
    }
    support::put_file(run / "predictions.jsonl", text);
  }
  [[nodiscard]] std::string what() const {
    std::string all;
    for (const common::Finding& finding : check_against_pack(run, pack))
      all += common::describe(finding) + "\n";
    return all;
  }
};

}  // namespace

TEST_CASE("what a run says of its pack is what the pack has, or a finding") {
  const Site site;
  CHECK(site.what() == "");
  const std::string before = support::text_of_file(site.run / "predictions.jsonl");
  const std::vector<std::pair<const char*, std::function<void(Prediction&)>>> edits = {
      {"question is", [](Prediction& item) { item.question += "?"; }},
      {"references is", [](Prediction& item) { item.references.back() += "x"; }},
      {"answer_type is", [](Prediction& item) { item.answer_type += "x"; }},
      {"scorer is",
       [](Prediction& item) {
         item.scorer =
             item.kind == PredictionKind::vl ? manifest::Scorer::captions : manifest::Scorer::vqa_accuracy;
       }},
      {"no such question", [](Prediction& item) { item.id += "0"; }},
      {"no such clip", [](Prediction& item) { item.id += "0"; }},
      {"no clip nobody", [](Prediction& item) { item.distractor = "nobody"; }}};
  for (const auto& one : edits) {
    const std::string what = one.first;
    CAPTURE(what);
    site.rewrite(one.second);
    CHECK(site.what().find(what) != std::string::npos);
    CHECK(site.what().find("R9 predictions.jsonl: line 1 (vl/validation/distractor_memorised/10") == 0);
    support::put_file(site.run / "predictions.jsonl", before);
  }
}

TEST_CASE(
    "questions in other words are those of unlike_manifest.json, and all others those of val_manifest.json") {
  for (const std::string_view set : k_question_sets) {
    CAPTURE(set);
    const Site site;
    CHECK(site.what() == "");
    site.rewrite([&](Prediction& item) {
      if (parts_of(item.condition).set == set && item.id != "11")
        item.id = set == question_set::k_unlike ? "10" : "40";
    });
    CHECK(site.what().find("the pack has no such question") != std::string::npos);
  }
}

TEST_CASE("a run is compared with the pack that it names, and with no other") {
  const Site site;
  const fs::path other = support::make_run(site.scratch / "others", {});
  const common::Findings findings = check_against_pack(other, site.pack);
  REQUIRE(findings.size() == 1);
  CHECK(findings.front().what.find("the pack has the id " + site.pack.id().hex()) != std::string::npos);
}
