#include <set>
#include <sstream>

#include "common/error.hpp"
#include "common/file.hpp"
#include "tests/support/prepared_scene.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/retention/l2_sp.hpp"
#include "trainer/retention/replay.hpp"
#include "trainer/retention/start_average.hpp"
#include "trainer/train/checkpoint.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::move_all;
using support::Prepared;

namespace {

template <typename Options>
RunConfig alone(Options options) {
  RunConfig config = support::small_config("no_retention");
  config.retention.of<Options>() = options;
  return config;
}

L2SpOptions l2_sp(double weight) {
  L2SpOptions options;
  options.weight = weight;
  return options;
}
ReplayOptions replay(double weight) {
  ReplayOptions options;
  options.weight = weight;
  return options;
}
StartAverageOptions start_average(double share) {
  StartAverageOptions options;
  options.share = share;
  return options;
}

std::vector<torch::Tensor> copies_of(const std::vector<torch::Tensor>& leaves) {
  std::vector<torch::Tensor> copies;
  for (const torch::Tensor& leaf : leaves) copies.push_back(leaf.detach().clone());
  return copies;
}

}  // namespace

TEST_CASE("L2-SP is at rest where the weights start, and pulls all of them back by w times their way") {
  Prepared prepared(alone(l2_sp(0.3)));
  REQUIRE(prepared.mechanisms.size() == 1);
  RetentionMechanism& mechanism = *prepared.mechanisms.front();
  CHECK(mechanism.term(1, prepared.scene).value == 0);
  CHECK(mechanism.term(1, prepared.scene).gradient_norm == 0);
  const std::vector<torch::Tensor> start = copies_of(leaves_of(prepared.model));
  move_all(prepared.model.parameters());
  const RetentionTerm term = mechanism.term(2, prepared.scene);
  const std::vector<torch::Tensor> leaves = leaves_of(prepared.model);
  double squares = 0;
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    const torch::Tensor way = leaves[k].detach() - start[k];
    CHECK(torch::allclose(term.gradients[k], way * 0.3, 1e-5, 1e-6));
    squares += way.to(torch::kFloat64).pow(2).sum().item<double>();
  }
  CHECK(squares > 1);
  CHECK(term.value == doctest::Approx(0.15 * squares).epsilon(1e-5));
  Metrics metrics;
  mechanism.measure(prepared.model, metrics);
  CHECK(metrics.mechanisms.at("l2_sp").measured.at("penalty").value() == doctest::Approx(term.value));
}

TEST_CASE(
    "replay is w times the mean over positions of the loss on the token that the base finds likeliest") {
  Prepared prepared(alone(replay(0.7)));
  move_all(prepared.model.parameters());
  const RetentionTerm term = prepared.mechanisms.front()->term(1, prepared.scene);
  const RetentionDraw draw = prepared.stream.draw(1);
  double sum = 0;
  std::int64_t positions = 0;
  for (std::size_t i = 0; i < draw.questions.size(); ++i) {
    const DistractedBatch one = run_distracted(prepared.scene, {{draw.questions[i]}, {draw.clips[i]}});
    const torch::Tensor log_p = torch::log_softmax(one.student.detach(), 1);
    for (std::int64_t n = 0; n < log_p.size(0); ++n, ++positions)
      sum -= log_p[n][one.batch.base_logits[n].argmax().item<std::int64_t>()].item<double>();
  }
  CHECK(term.value == doctest::Approx(0.7 * sum / static_cast<double>(positions)).epsilon(1e-4));
  CHECK(term.gradient_norm > 0);
  // It pulls towards its answers: a small step against the gradient lowers it.
  const torch::NoGradGuard no_graph;
  const std::vector<torch::Tensor> leaves = leaves_of(prepared.model);
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    torch::Tensor value = leaves[k].detach();
    if (term.gradients[k].defined()) value.sub_(term.gradients[k], 1e-3 / term.gradient_norm);
  }
  const torch::AutoGradMode graph(true);
  CHECK(prepared.mechanisms.front()->term(1, prepared.scene).value < term.value);
}

TEST_CASE(
    "averaging towards the start keeps the stated share of the way, and none of it is the start again") {
  for (const double share : {0.0, 0.25}) {
    Prepared prepared(alone(start_average(share)));
    RetentionMechanism& mechanism = *prepared.mechanisms.front();
    const std::vector<torch::Tensor> start = copies_of(leaves_of(prepared.model));
    CHECK(mechanism.removed() == 0);
    move_all(prepared.model.parameters());
    const std::vector<torch::Tensor> trained = copies_of(leaves_of(prepared.model));
    CHECK(mechanism.removed() > 0);
    mechanism.finish(prepared.model);
    const std::vector<torch::Tensor> kept = leaves_of(prepared.model);
    for (std::size_t k = 0; k < kept.size(); ++k) {
      if (share == 0)
        CHECK(kept[k].detach().equal(start[k]));
      else
        CHECK(torch::allclose(kept[k].detach() - start[k], (trained[k] - start[k]) * share, 1e-4, 1e-6));
    }
    Metrics metrics;
    mechanism.measure(prepared.model, metrics);
    const auto& measured = metrics.mechanisms.at("start_average").measured;
    CHECK(measured.at("way_kept").value() ==
          doctest::Approx(share * measured.at("way_trained").value()).epsilon(1e-4));
  }
}

TEST_CASE("averaging leaves a null space as it is") {
  RunConfig config = support::small_config("full_safe");
  config.retention.of<StartAverageOptions>().share = 0.5;
  Prepared prepared(config);
  move_all(prepared.model.parameters());
  for (const auto& mechanism : prepared.mechanisms) mechanism->finish(prepared.model);
  Metrics metrics;
  for (const auto& mechanism : prepared.mechanisms) mechanism->measure(prepared.model, metrics);
  REQUIRE(metrics.null_space.size() == 2);
  for (const NullSpaceMetrics& space : metrics.null_space) CHECK(space.leak.value() < 1e-5);
}

TEST_CASE("a run with every rival that is resumed at its last step has the weights of one that was not") {
  RunConfig config = support::small_config("full_safe");
  config.retention.of<L2SpOptions>().weight = 0.01;
  config.retention.of<ReplayOptions>().weight = 0.1;
  config.retention.of<StartAverageOptions>().share = 0.5;
  const support::Scratch scratch;
  Experiment experiment = support::small_experiment(config);
  const Compute compute(1, config.fusion.width, {});
  RunDirectory run = RunDirectory::create(scratch.path(), config.variant, common::digest_of("x"),
                                          std::chrono::system_clock::from_time_t(0));
  const std::string digest = common::digest_of("a configuration").hex();
  const auto train_from = [&](const std::optional<Checkpoint>& checkpoint) {
    SafeModel model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed);
    Mechanisms mechanisms = make_mechanisms(config);
    const TrainingResult result =
        train(config, experiment, model, mechanisms, &run, digest, compute, checkpoint);
    CHECK(result.activity.size() == 6);
    return copies_of(leaves_of(model));
  };
  const std::vector<torch::Tensor> whole = train_from({}), again = train_from(read_checkpoint(run, digest));
  for (std::size_t k = 0; k < whole.size(); ++k) CHECK(whole[k].equal(again[k]));
  std::istringstream history(common::read_text(run.path() / "history.jsonl", 1 << 20));
  std::vector<common::Json> records;
  for (std::string line; std::getline(history, line);)
    records.push_back(common::parse_json(line, "history.jsonl"));
  const common::Json& first = records.front();
  // The gate has no gradient before the output map has moved; then a part of it is taken out.
  CHECK(first.at("null_space_removed") == 0.0);
  for (std::size_t step = 1; step < records.size(); ++step) {
    CHECK(records[step].at("null_space_removed") > 0.0);
    CHECK(records[step].at("null_space_removed") < 1.0);
  }
  for (const char* column : {"l2_sp_loss", "replay_loss", "start_average_removed"})
    CHECK(first.contains(column));
}

TEST_CASE("mechanisms that ask no question need no retention questions") {
  RunConfig config = alone(l2_sp(0.1));
  config.retention.of<StartAverageOptions>().share = 0.5;
  const support::Scratch scratch;
  Experiment experiment = support::small_experiment(config);
  experiment.retention_rows.clear();
  RunDirectory run = RunDirectory::create(scratch.path(), config.variant, common::digest_of("x"),
                                          std::chrono::system_clock::from_time_t(0));
  SafeModel model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed);
  Mechanisms mechanisms = make_mechanisms(config);
  const TrainingResult result =
      train(config, experiment, model, mechanisms, &run, "x", Compute(1, config.fusion.width, {}), {});
  CHECK(result.activity.at("l2_sp").acted_steps == result.steps - 1);  // at rest in the first
}
