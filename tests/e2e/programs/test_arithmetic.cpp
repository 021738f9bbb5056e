// One machine stands for several: libraries take the processor's kernels from the environment, too.
#include <doctest/doctest.h>

#ifdef SAFE_TRAINER

#include <sstream>

#include "tests/support/small_world.hpp"

using namespace support::small_world;
using support::Finished;
using support::run_process;

namespace {

// As a user starts it, who has set nothing.
Finished on_this_processor(const std::vector<std::string>& words) {
  std::vector<std::string> command = {"env"};
  for (const Setting& setting : k_kernels) command.insert(command.end(), {"-u", setting.name});
  command.push_back(k_bin + "/safe-trainer");
  command.insert(command.end(), words.begin(), words.end());
  return run_process(command);
}

// As on a processor with neither AVX nor what came after it.
Finished on_old_processor(std::vector<std::string> words) {
  std::vector<std::string> command = {"env",
                                      "OPENBLAS_CORETYPE=Nehalem",
                                      "ATEN_CPU_CAPABILITY=default",
                                      "ONEDNN_MAX_CPU_ISA=SSE41",
                                      "DNNL_MAX_CPU_ISA=SSE41",
                                      "MKL_CBWR=COMPATIBLE",
                                      k_bin + "/safe-trainer"};
  command.insert(command.end(), words.begin(), words.end());
  return run_process(command);
}

common::Json arithmetic_of(const fs::path& run) { return json_of(run / "config.json").at("arithmetic"); }

}  // namespace

TEST_CASE("two kinds of processor give the same bytes, unless they are asked for their own kernels") {
  if (!has_avx2()) {
    MESSAGE("skipped: this processor has no AVX2");
    return;
  }
  const World& w = world();
  // So many steps that KL, Fisher and the null space all act.
  const std::vector<std::string> all = {"--num-epochs", "53"};
  World::ok(on_this_processor(w.run("full_safe", "this_processor", all)));
  World::ok(on_old_processor(w.run("full_safe", "old_processor", all)));
  World::ok(on_old_processor(
      w.run("full_safe", "old_processor_native", {"--num-epochs", "53", "--arithmetic", "native"})));
  const fs::path here = w.only_run("this_processor"), there = w.only_run("old_processor"),
                 other = w.only_run("old_processor_native");
  const auto text = [](const fs::path& path) { return support::text_of_file(path); };
  for (const char* name :
       {"history.jsonl", "predictions.jsonl", "metrics.json", "checkpoints/adapter.safetensors"}) {
    CAPTURE(name);
    CHECK(text(here / name) == text(there / name));
  }
  CHECK(text(here / "checkpoints/adapter.safetensors") != text(other / "checkpoints/adapter.safetensors"));
  CHECK(arithmetic_of(here) == common::Json({{"blas", "Haswell"}, {"aten", "AVX2"}}));
  CHECK(arithmetic_of(there) == arithmetic_of(here));
  CHECK(arithmetic_of(other).at("blas") == "Nehalem");
}

TEST_CASE("bfloat16 takes no instructions that only some processors have, unless it is asked to") {
  // On a processor that has them LibTorch 1.13 asks oneDNN for such products, which prints each.
  const World& w = world();
  std::vector<std::string> command = {"env", "DNNL_VERBOSE=1", "ONEDNN_VERBOSE=1", k_bin + "/safe-trainer"};
  for (const std::string& word :
       w.run("soft_retention", "bf16_portable", {"--dtype", "bfloat16", "--fisher-weight", "0"}))
    command.push_back(word);
  const Finished finished = run_process(command);
  World::ok(finished);
  std::istringstream printed(finished.out + finished.err);
  std::size_t asked = 0;
  for (std::string line; std::getline(printed, line);)
    if (line.find("verbose,") != std::string::npos && line.find(",exec,") != std::string::npos) {
      ++asked;
      CAPTURE(line);
      CHECK(line.find("bf16") == std::string::npos);
    }
  CHECK(asked > 0);  // for the sounds, in float32
}

TEST_CASE("a run goes on with its own kernels only") {
  if (!has_avx2()) return;
  const World& w = world();
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--num-epochs", "2", "--resume"});
    return w.run("no_retention", "two_processors", more);
  };
  World::ok(on_this_processor(with({})));
  const fs::path run = w.only_run("two_processors");
  World::ok(on_old_processor(with({})));
  const Finished other = on_old_processor(with({"--arithmetic=native"}));
  CHECK(other.code == 1);
  CHECK(other.err.find("was computed by the kernels") != std::string::npos);
  CHECK(other.err.find("Nehalem") != std::string::npos);
  CHECK(w.only_run("two_processors") == run);
}

TEST_CASE(
    "who asks for help, or for a verb that computes nothing, is answered by the program that was started") {
  const Finished help = on_old_processor({"--version"});
  World::ok(help);
  const Finished wrong = on_old_processor({"run", "--arithmetic", "fast"});
  CHECK(wrong.code == 2);
  CHECK(wrong.err.find("--arithmetic") != std::string::npos);
}

#endif
