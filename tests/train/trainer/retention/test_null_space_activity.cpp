// What a null space says that it took out of the task's gradient.
#include <sstream>

#include "common/file.hpp"
#include "tests/support/prepared_scene.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/retention/null_space.hpp"

#include <doctest/doctest.h>

using namespace trainer;
using support::Prepared;

namespace {

RunConfig null_space_alone(NullSpacePlacement placement, std::int64_t rank) {
  RunConfig config = support::small_config("no_retention");
  NullSpaceOptions& options = config.retention.of<NullSpaceOptions>();
  options.placement = placement;
  options.energy = 0.5;
  options.row_minimum = 1;
  config.fusion.rank = rank;
  return config;
}

// A gradient like `leaf` of that norm.
torch::Tensor gradient_like(const torch::Tensor& leaf, double norm) {
  torch::Tensor gradient = torch::zeros_like(leaf, torch::kFloat64);
  gradient.reshape({-1})[0] = norm;
  return gradient;
}

}  // namespace

TEST_CASE("it is the share of the protected maps' gradients alone, whatever those of the others are") {
  Prepared prepared(null_space_alone(NullSpacePlacement::gate, 0));
  RetentionMechanism& mechanism = *prepared.mechanisms.front();
  const auto removed_of = [&](double inside, double kept) {
    std::vector<torch::Tensor> task, watched;
    for (const torch::Tensor& leaf : leaves_of(prepared.model)) {
      double norm = 100;
      for (auto& [layer, block] : prepared.model.fusion().blocks())
        if (leaf.is_same(block.gate().protected_leaf())) norm = kept;
      task.push_back(gradient_like(leaf, norm));
    }
    for (const torch::Tensor& probe : mechanism.watched()) watched.push_back(gradient_like(probe, inside));
    mechanism.see_task(task, watched, prepared.model);
    return mechanism.removed();
  };
  CHECK(mechanism.watched().size() == prepared.model.fusion().blocks().size());
  CHECK(removed_of(3, 4) == doctest::Approx(0.6));
  CHECK(removed_of(4, 3) == doctest::Approx(0.8));
  CHECK(removed_of(0, 3) == 0.0);
  CHECK(removed_of(0, 0) == 0.0);
  mechanism.see_task(std::vector<torch::Tensor>(leaves_of(prepared.model).size()),
                     std::vector<torch::Tensor>(mechanism.watched().size()), prepared.model);
  CHECK(mechanism.removed() == 0.0);  // of no gradient at all
}

TEST_CASE("every placement takes something out of the gradient of every step that gives its maps one") {
  for (const std::int64_t rank : {0, 4})
    for (const NullSpacePlacement placement :
         {NullSpacePlacement::gate, NullSpacePlacement::query, NullSpacePlacement::output,
          NullSpacePlacement::all, NullSpacePlacement::gradient}) {
      CAPTURE(rank);
      CAPTURE(text_of(placement));
      Prepared prepared(null_space_alone(placement, rank));
      const support::Scratch scratch;
      RunDirectory run = RunDirectory::create(scratch.path(), prepared.config.variant, common::digest_of("x"),
                                              std::chrono::system_clock::from_time_t(0));
      SafeModel model(*prepared.experiment.base, prepared.experiment.silence, prepared.config.projector,
                      prepared.config.fusion, prepared.config.seed);
      Mechanisms mechanisms = make_mechanisms(prepared.config);
      (void)train(prepared.config, prepared.experiment, model, mechanisms, &run,
                  common::digest_of("a configuration").hex(), prepared.compute, {});
      std::istringstream history(common::read_text(run.path() / "history.jsonl", 1 << 20));
      std::int64_t step = 0;
      for (std::string line; std::getline(history, line);) {
        const common::Json record = common::parse_json(line, "history.jsonl");
        const double removed = record.at("null_space_removed").get<double>();
        CHECK(removed < 1.0);
        if (++step > 3) CHECK(removed > 0.0);  // B and the output map start at zero
        if (step == 1 && placement == NullSpacePlacement::gate) CHECK(removed == 0.0);
      }
      CHECK(step > 3);
    }
}
