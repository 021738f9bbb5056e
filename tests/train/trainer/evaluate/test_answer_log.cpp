#include "trainer/evaluate/evaluate.hpp"

#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_experiment.hpp"

#include <doctest/doctest.h>

using namespace trainer;
namespace fs = std::filesystem;

namespace {

struct Judged {
  support::Scratch scratch;
  RunConfig config;
  Experiment experiment;
  SafeModel model;
  Compute compute;
  fs::path file = scratch / "evaluation.jsonl";

  Judged()
      : config(config_of_small_batches()),
        experiment(support::small_experiment(config)),
        model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed),
        compute(1, config.fusion.width, {}) {
    support::move_all(model.parameters());
  }
  static RunConfig config_of_small_batches() {
    RunConfig config = support::small_config("full_safe");
    config.evaluation.batch_size = 2;
    return config;
  }
  std::string judge() {
    AnswerLog log(common::Folder::open(scratch.path()));
    std::string lines;
    for (const Prediction& one : evaluate(config, experiment, model, compute, log).predictions)
      lines += common::dump_line(to_json(one)) + "\n";
    return lines;
  }
  [[nodiscard]] std::vector<std::string> logged() const {
    std::vector<std::string> lines;
    std::istringstream text(support::text_of_file(file));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
  }
};

}  // namespace

TEST_CASE("an evaluation that was interrupted anywhere goes on to the same predictions") {
  Judged judged;
  const std::string whole = judged.judge();
  const std::string log = support::text_of_file(judged.file);
  REQUIRE(judged.logged().size() == 6);  // 4 questions, 6 memorised and 2 held-out clips in twos
  for (std::size_t size = 0; size <= log.size(); size += 211) {
    support::put_file(judged.file, log.substr(0, size));
    CAPTURE(size);
    CHECK(judged.judge() == whole);
    CHECK(judged.logged().size() == 6);
  }
}

TEST_CASE("what was answered is not asked again") {
  Judged judged;
  (void)judged.judge();
  std::string log = support::text_of_file(judged.file);
  const std::size_t at = log.find("\"spoken\": [[[\"");
  REQUIRE(at != std::string::npos);
  log.insert(at + 14, "remembered ");
  support::put_file(judged.file, log);
  CHECK(judged.judge().find("remembered") != std::string::npos);
}

TEST_CASE("lines of other questions, or of another form, are as good as absent") {
  Judged judged;
  const std::string whole = judged.judge();
  for (const char* line :
       {"{\"what\": \"asking\", \"batch\": 0, \"spoken\": [[[\"a\", 1.0, 2.0, true]]]}\n", "{}\n", "[]\n",
        "{\"what\": 3, \"batch\": 0, \"spoken\": []}\n", "nothing\n",
        "{\"what\": \"asking\", \"batch\": 0, \"spoken\": [[[\"a\", null, 2.0, true]]]}\n"}) {
    CAPTURE(line);
    support::put_file(judged.file, std::string(line));
    CHECK(judged.judge() == whole);
  }
}

TEST_CASE("the base and every condition are asked in the same batches, each once") {
  Judged judged;
  (void)judged.judge();
  const common::Json first = common::parse_json(judged.logged().front(), "log");
  // The base; no audio, silence, two distractors and four gates.
  CHECK(first.at("spoken").size() == 9);
  for (const common::Json& voice : first.at("spoken")) CHECK(voice.size() == 2);
}
