#include <ATen/Context.h>

#include "common/file.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_experiment.hpp"
#include "trainer/retention/ordered_sum.hpp"
#include "trainer/train/train.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::noise;

namespace {

std::string history_of(const RunConfig& config, Kept kept, std::int64_t width = 24) {
  const support::Scratch scratch;
  // First, as in a run: it sets how many threads a product has. The width that it is told decides how many
  // rows go into one pass.
  const Compute compute(2, width, {});
  Experiment experiment = support::small_experiment(config, {}, kept);
  SafeModel model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed);
  Mechanisms mechanisms = make_mechanisms(config);
  RunDirectory run = RunDirectory::create(scratch.path(), config.variant, common::digest_of("x"),
                                          std::chrono::system_clock::from_time_t(0));
  (void)train(config, experiment, model, mechanisms, &run, "x", compute, {});
  return common::read_text(run.path() / "history.jsonl", 1 << 20);
}

}  // namespace

TEST_CASE("the micro-batch, and with OpenBLAS whether keys are kept, change no bit of a history on the CPU") {
  RunConfig config = support::small_config("full_safe");
  for (const std::int64_t width : {24, 4096}) {
    const std::string first = history_of(config, Kept::keys, width);
    for (const std::int64_t micro_batch : {1, 16}) {
      config.micro_batch = micro_batch;
      CHECK(history_of(config, Kept::keys, width) == first);
      // A run that goes on keeps what it kept before (earlier_run.hpp), since with MKL it is not the same.
      if (!at::hasMKL()) CHECK(history_of(config, Kept::states, width) == first);
    }
  }
}

TEST_CASE("a row at a time and sixteen at a time train alike but for rounding") {
  const RunConfig config = support::small_config("full_safe");
  std::istringstream one(history_of(config, Kept::keys, 4096)), many(history_of(config, Kept::keys, 24));
  std::size_t compared = 0;
  for (std::string a, b; std::getline(one, a) && std::getline(many, b);) {
    const common::Json left = common::parse_json(a, "one"), right = common::parse_json(b, "many");
    for (const char* key : {"audio_task_loss", "kl_loss", "fisher_loss", "gradient_norm"}) {
      CAPTURE(key);
      CHECK(left.at(key).get<double>() ==
            doctest::Approx(right.at(key).get<double>()).epsilon(1e-3).scale(1e-4));
      ++compared;
    }
  }
  CHECK(compared >= 24);
}

TEST_CASE("accumulating two batches is one step of a batch twice as large") {
  RunConfig config = support::small_config("soft_retention");
  RunConfig halves = config;
  halves.gradient_accumulation = 2;
  halves.train_batch_size = config.train_batch_size / 2;
  halves.retention.batch_size = config.retention.batch_size / 2;
  CHECK(history_of(halves, Kept::keys) == history_of(config, Kept::keys));
}

TEST_CASE("gradients add up to the same bits in whatever order passes end") {
  std::vector<std::vector<torch::Tensor>> passes;
  for (std::int64_t i = 0; i < 5; ++i)
    passes.push_back({noise({7, 3}, i), i % 2 == 0 ? noise({4}, 50 + i) : torch::Tensor(), {}});
  const auto sum_in = [&](const std::vector<std::size_t>& order) {
    OrderedSum sum;
    for (const std::size_t pass : order) sum.add(pass, passes[pass]);
    return sum.take();
  };
  const auto expected = sum_in({0, 1, 2, 3, 4});
  for (const auto& order : {std::vector<std::size_t>{4, 3, 2, 1, 0}, {2, 0, 4, 1, 3}}) {
    const auto found = sum_in(order);
    REQUIRE(found.size() == 3);
    CHECK(found[0].equal(expected[0]));
    CHECK(found[1].equal(expected[1]));
    CHECK_FALSE(found[2].defined());
  }
}
