#include <doctest/doctest.h>

#ifdef SAFE_TRAINER

#include "tests/support/small_world.hpp"

using namespace support::small_world;

namespace {

// The flags of a run, asked of plan.
support::Finished plan_of(std::vector<std::string> run, const std::string& more = {}) {
  run.front() = "plan";
  if (!more.empty()) run.push_back(more);
  return trainer(run);
}

common::Json plan_json(const std::vector<std::string>& run) {
  const support::Finished finished = plan_of(run, "--json");
  World::ok(finished);
  return common::parse_json(finished.out, "plan");
}

std::int64_t count_lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

}  // namespace

TEST_CASE("a plan has the steps that the run then takes, and leaves no file behind") {
  const World& w = world();
  // Fisher acts from step 100 on.
  const std::vector<std::string> flags =
      w.run("full_safe", "planned", {"--gradient-accumulation-steps", "2", "--fisher-weight", "0"});
  const common::Json plan = plan_json(flags);
  CHECK(has_no_file(w.root + "/planned"));
  World::ok(trainer(flags));
  CHECK(plan.at("steps") == count_lines(support::text_of_file(w.only_run("planned") / "history.jsonl")));
}

TEST_CASE("a plan says what the run would be refused for") {
  const World& w = world();
  CHECK(plan_json(w.run("full_safe", "refused", {"--fisher-weight", "0"})).at("refusals").empty());
  const support::Finished text = plan_of(w.run("full_safe", "refused"));
  World::ok(text);
  CHECK(text.out.find("run would refuse this: Fisher") != std::string::npos);
}

TEST_CASE("a plan's parts are in its sums: weights in memory, and all of it on the host of a CPU") {
  const World& w = world();
  const common::Json plan = plan_json(w.run("full_safe", "parts", {"--device", "cpu"}));
  const auto bytes = [&](const char* name) { return plan.at(name).get<std::uint64_t>(); };
  CHECK(bytes("weights_bytes") >= fs::file_size(w.base + "/vl/model.safetensors") * 9 / 10);
  CHECK(bytes("device_bytes") >= bytes("weights_bytes") + bytes("adapter_bytes") + bytes("row_bytes"));
  CHECK(bytes("host_bytes") > bytes("device_bytes") + bytes("rows_bytes"));
  CHECK(plan.at("step_flops") > 0);
}

TEST_CASE("a plan counts the questions and clips that the limits of the evaluation leave") {
  const World& w = world();
  const auto operations = [&](const std::vector<std::string>& more) {
    std::vector<std::string> flags = {"--max-audio-eval-batches", "1", "--val-batch-size", "2"};
    flags.insert(flags.end(), more.begin(), more.end());
    return plan_json(w.run("no_retention", "limits", flags)).at("evaluation_flops").get<double>();
  };
  const double all = operations({}), few = operations({"--max-vl-eval-batches", "2"});
  CHECK(few < all);
  CHECK(operations({"--max-eval-batches", "2"}) == few);
  CHECK(all < plan_json(w.run("no_retention", "limits")).at("evaluation_flops").get<double>());
}

TEST_CASE("a plan counts the tokens of the prompt that the run puts") {
  const World& w = world();
  // One token of the tiny tokenizer is a whole stretch of the original's prompt, and of LLaVA's there is
  // none.
  const common::Json original = plan_json(w.run("full_safe", "prompt", {"--prompt", "original"}));
  const common::Json llava = plan_json(w.run("full_safe", "prompt", {"--prompt", "llava"}));
  CHECK(llava.at("row_bytes") > original.at("row_bytes"));
  CHECK(llava.at("rows_bytes") > original.at("rows_bytes"));
}

TEST_CASE("a plan for people names each part once; half the bytes of a type are half the weights") {
  const World& w = world();
  const support::Finished text = plan_of(w.run("full_safe", "text"));
  World::ok(text);
  for (const char* part : {"weights ", "rows at once ", "memory of the host, at most ", "disk, for features ",
                           "steps ", "operations: a step "}) {
    CAPTURE(part);
    const std::size_t found = text.out.find(part);
    CHECK(found != std::string::npos);
    CHECK(text.out.find(part, found + 1) == std::string::npos);
  }
  const auto weights = [&](const char* dtype) {
    return plan_json(w.run("full_safe", "text", {"--dtype", dtype, "--device", "cpu"}))
        .at("weights_bytes")
        .get<std::uint64_t>();
  };
  CHECK(weights("bfloat16") < weights("float32"));
}

TEST_CASE("what a run would refuse, a plan refuses") {
  const World& w = world();
  const support::Finished nowhere = plan_of(w.run("full_safe", "refused", {"--base", w.root + "/no_base"}));
  CHECK(nowhere.code == 3);
  CHECK(nowhere.err.find("no_base") != std::string::npos);
  const support::Finished heads = plan_of(w.run("full_safe", "refused", {"--fusion-heads", "7"}));
  CHECK(heads.code == 2);
  CHECK(heads.err.find("do not divide") != std::string::npos);
  CHECK(plan_of(w.run("full_safe", "refused"), "--no-such-flag").code == 2);
}

#endif
