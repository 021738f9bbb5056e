#include "trainer/train/checkpoint.hpp"

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_experiment.hpp"
#include "trainer/train/train.hpp"

#include <doctest/doctest.h>

using namespace trainer;
namespace fs = std::filesystem;

namespace {

const std::string k_digest = common::digest_of("a configuration").hex();

// A run of full_safe that was trained to its end, and is not sealed.
struct Trained {
  support::Scratch scratch;
  RunConfig config = support::small_config("full_safe");
  Experiment experiment = support::small_experiment(config);
  Compute compute{1, config.fusion.width, {}};
  RunDirectory run = RunDirectory::create(scratch.path(), config.variant, common::digest_of("x"),
                                          std::chrono::system_clock::from_time_t(0));

  Trained() { train_from({}); }
  void train_from(const std::optional<Checkpoint>& checkpoint) {
    SafeModel model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed);
    Mechanisms mechanisms = make_mechanisms(config);
    (void)train(config, experiment, model, mechanisms, &run, k_digest, compute, checkpoint);
  }
  [[nodiscard]] fs::path file() const { return run.checkpoints() / "last.safetensors"; }
  // Empty: it is taken.
  [[nodiscard]] std::string refusal() const {
    try {
      (void)read_checkpoint(run, k_digest);
      return "";
    } catch (const common::Error& error) {
      return error.what();
    }
  }
};

}  // namespace

TEST_CASE("a checkpoint with a changed byte is refused, wherever it is") {
  const Trained trained;
  REQUIRE(trained.refusal() == "");
  const std::string whole = support::text_of_file(trained.file());
  const std::uint64_t header = 8 + common::load_le64(reinterpret_cast<const std::uint8_t*>(whole.data()));
  std::size_t tried = 0;
  constexpr int k_flips[] = {1, 0x20, 0x80};
  for (std::size_t at = 0; at < whole.size(); at += at < header ? 1 : 997) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ k_flips[at % 3]);
    support::put_file(trained.file(), changed);
    CAPTURE(at);
    CHECK(trained.refusal() != "");
    ++tried;
  }
  for (std::size_t size = 0; size < whole.size(); size += 1009) {
    support::put_file(trained.file(), whole.substr(0, size));
    CAPTURE(size);
    CHECK(trained.refusal() != "");
  }
  CHECK(tried > header);
  support::put_file(trained.file(), whole);
  CHECK(trained.refusal() == "");
}

TEST_CASE("a checkpoint whose history has changed is refused, and one with more history is not") {
  Trained trained;
  const fs::path path = trained.run.path() / "history.jsonl";
  const std::string whole = support::text_of_file(path);
  for (std::size_t at = 0; at < whole.size(); at += 37) {
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    support::put_file(path, changed);
    CAPTURE(at);
    CHECK(trained.refusal().find("history.jsonl is not what it was at step") != std::string::npos);
  }
  support::put_file(path, whole.substr(0, whole.size() - 1));
  CHECK(trained.refusal().find("history.jsonl") != std::string::npos);
  fs::remove(path);
  CHECK(trained.refusal().find("history.jsonl") != std::string::npos);
  support::put_file(path, whole + "{\"step\": 99}\n{\"st");
  CHECK(trained.refusal() == "");
  // What came after the checkpoint goes.
  trained.train_from(read_checkpoint(trained.run, k_digest));
  CHECK(support::text_of_file(path) == whole);
}

TEST_CASE("a checkpoint of another configuration is refused, and none is nothing") {
  const Trained trained;
  CHECK_THROWS_WITH_AS((void)read_checkpoint(trained.run, std::string(64, '0')),
                       doctest::Contains("another configuration"), common::Error);
  fs::remove(trained.file());
  CHECK_FALSE(read_checkpoint(trained.run, k_digest).has_value());
}

TEST_CASE("history is on the disk before the checkpoint that names it is") {
  Trained trained;
  const Checkpoint checkpoint = *read_checkpoint(trained.run, k_digest);
  const std::string history = support::text_of_file(trained.run.path() / "history.jsonl");
  CHECK(checkpoint.history_bytes == history.size());
  CHECK(checkpoint.file.metadata.at("history_sha256") == common::digest_of(history).hex());
  CHECK(checkpoint.file.metadata.at("history_bytes") == std::to_string(history.size()));
}
