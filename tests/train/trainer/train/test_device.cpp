#include <torch/csrc/lazy/core/config.h>
#include <torch/csrc/lazy/ts_backend/ts_backend_impl.h>

#include "common/file.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_experiment.hpp"
#include "trainer/base/tiny_models.hpp"
#include "trainer/evaluate/evaluate.hpp"
#include "trainer/model/clap_encoder.hpp"
#include "trainer/model/cuda_library.hpp"
#include "trainer/retention/gradient_subspace.hpp"
#include "trainer/train/train.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

// CUDA where there is a device. Elsewhere LibTorch's lazy device stands in for it: it computes with the CPU's
// kernels, but its tensors mix with the CPU's as little as CUDA's do (the program ends with "Input tensor is
// not a lazy tensor").
Placement elsewhere() {
  if (has_cuda()) return placement_for(DeviceChoice::cuda, DtypeChoice::float32);
  static const bool ready = [] {
    // Each operation at once: it would otherwise collect those of all steps.
    FLAGS_torch_lazy_trim_graph_check_frequency = 1;
    FLAGS_torch_lazy_trim_graph_size = 1;
    torch::lazy::InitTorchScriptBackend();
    return true;
  }();
  ENSURE(ready);
  return {torch::kFloat32, torch::kLazy};
}

// Keeps the checkpoint of step 4, so that a run can go on from there.
class Copier final : public RetentionMechanism {
 public:
  explicit Copier(std::filesystem::path folder) : folder_(std::move(folder)) {}
  [[nodiscard]] std::string name() const override { return "copier"; }
  RetentionTerm term(std::int64_t step, RetentionScene& /*scene*/) override {
    if (step == 5)
      std::filesystem::copy_file(folder_ / "last.safetensors", folder_ / "fourth.safetensors",
                                 std::filesystem::copy_options::overwrite_existing);
    return {};
  }
  [[nodiscard]] MechanismKind kind() const override { return MechanismKind::constraint; }
  [[nodiscard]] double removed() const override { return 1; }

 private:
  std::filesystem::path folder_;
};

// LibTorch 2.8's lazy device confuses float and double once it has compiled many operations.
bool is_trusted(const Placement& placement) {
  if (TORCH_VERSION_MAJOR < 2 || !placement.device.is_lazy()) return true;
  MESSAGE("skipped: there is no CUDA, and the lazy device of this LibTorch does not compute right");
  return false;
}

struct Outcome {
  std::string history;
  Evaluation evaluation;
  std::vector<torch::Tensor> trained, resumed;  // on the CPU
};

std::vector<torch::Tensor> values_of(const SafeModel& model) {
  std::vector<torch::Tensor> values;
  for (const torch::Tensor& leaf : leaves_of(model)) values.push_back(leaf.detach().cpu().clone());
  return values;
}

double difference(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t k = 0; k < a.size(); ++k)
    largest = std::max(largest, (a[k] - b[k]).abs().max().item<double>());
  return largest;
}

// Leaves the adapter in `adapter`.
Outcome run_on(const Placement& placement, RunConfig config, const std::filesystem::path& adapter) {
  const support::Scratch scratch;
  config.checkpoint_every = 4;
  Experiment experiment = support::small_experiment(config, placement);
  const Compute compute(1, config.fusion.width, placement);
  RunDirectory run = RunDirectory::create(scratch.path(), config.variant, common::digest_of("x"),
                                          std::chrono::system_clock::from_time_t(0));
  const auto run_training = [&](SafeModel& model, const std::optional<Checkpoint>& checkpoint) {
    Mechanisms mechanisms = make_mechanisms(config);
    mechanisms.push_back(std::make_unique<Copier>(run.checkpoints()));
    (void)train(config, experiment, model, mechanisms, &run, "x", compute, checkpoint);
  };
  Outcome outcome;
  SafeModel model(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed);
  run_training(model, {});
  outcome.history = common::read_text(run.path() / "history.jsonl", 1 << 20);
  AnswerLog log;
  outcome.evaluation = evaluate(config, experiment, model, compute, log);
  outcome.trained = values_of(model);
  save_adapter(run, "x", model);
  std::filesystem::copy_file(run.checkpoints() / "adapter.safetensors", adapter);

  std::filesystem::rename(run.checkpoints() / "fourth.safetensors", run.checkpoints() / "last.safetensors");
  SafeModel resumed(*experiment.base, experiment.silence, config.projector, config.fusion, config.seed);
  run_training(resumed, read_checkpoint(run, "x"));
  outcome.resumed = values_of(resumed);
  return outcome;
}

// What a model on `placement` takes out of an adapter file.
std::vector<torch::Tensor> loaded_on(const Placement& placement, const RunConfig& config,
                                     const std::filesystem::path& adapter) {
  const Experiment experiment = support::small_experiment(config, placement);
  SafeModel model(*experiment.base, experiment.silence, config.projector, config.fusion, 99);
  load_adapter(read_safetensors(adapter), adapter, model);
  return values_of(model);
}

void check_history(const std::string& here, const std::string& there) {
  std::istringstream left(here);
  std::istringstream right(there);
  std::size_t compared = 0;
  for (std::string a, b; std::getline(left, a) && std::getline(right, b);) {
    const common::Json one = common::parse_json(a, "here");
    const common::Json other = common::parse_json(b, "there");
    for (const auto& entry : one.items()) {
      CAPTURE(one.at("step").get<int>());
      CAPTURE(entry.key());
      CHECK(other.at(entry.key()).get<double>() ==
            doctest::Approx(entry.value().get<double>()).epsilon(0.01).scale(0.01));
      ++compared;
    }
  }
  CHECK(compared > 50);
}

void check_predictions(const Evaluation& here, const Evaluation& there) {
  CHECK(there.bit_equal_without_audio == true);
  REQUIRE(here.predictions.size() == there.predictions.size());
  for (std::size_t i = 0; i < here.predictions.size(); ++i) {
    const Prediction& a = here.predictions[i];
    const Prediction& b = there.predictions[i];
    CAPTURE(item_key(a));
    CHECK(item_key(a) == item_key(b));
    CHECK(b.nll.value() == doctest::Approx(a.nll.value()).epsilon(0.01));
    CHECK(b.kl_to_base.value() == doctest::Approx(a.kl_to_base.value()).epsilon(0.02).scale(0.01));
  }
}

}  // namespace

TEST_CASE("training and evaluation need nothing on the CPU: on another device the same but for rounding") {
  if (!is_trusted(elsewhere())) return;
  std::vector<RunConfig> configs = {support::small_config("full_safe")};
  for (const NullSpacePlacement placement : {NullSpacePlacement::all, NullSpacePlacement::gradient}) {
    RunConfig config = support::small_config("full_safe");
    config.retention.of<NullSpaceOptions>().placement = placement;
    config.retention.of<NullSpaceOptions>().refresh = 3;
    configs.push_back(config);
  }
  configs.push_back(support::small_config("soft_retention"));
  configs.back().fusion.rank = 4;
  for (std::size_t i = 1; i < configs.size(); ++i)  // once is enough, and it takes half the time
    configs[i].evaluation.gate_comparison = GateComparison::none;
  // The lazy device compiles an operation once more when it has seen it, and rounds otherwise then.
  const double recompiled = elsewhere().device.is_cuda() ? 0 : 1e-6;
  for (const RunConfig& config : configs) {
    CAPTURE(config.variant);
    CAPTURE(config.fusion.rank);
    const support::Scratch scratch;
    const Outcome here = run_on({}, config, scratch / "here.safetensors");
    const Outcome there = run_on(elsewhere(), config, scratch / "there.safetensors");
    check_history(here.history, there.history);
    check_predictions(here.evaluation, there.evaluation);
    CHECK(difference(here.resumed, here.trained) == 0);
    CHECK(difference(there.resumed, there.trained) <= recompiled);
    CHECK(difference(loaded_on({}, config, scratch / "there.safetensors"), there.trained) == 0);
    CHECK(difference(loaded_on(elsewhere(), config, scratch / "here.safetensors"), here.trained) == 0);
  }
}

TEST_CASE("the audio encoder hears on another device what it hears on the CPU") {
  if (!is_trusted(elsewhere())) return;
  const auto silence_on = [](const Placement& placement) {
    return encode_silence(
        ClapEncoder(Clap::random(tiny_clap_config(), 1, placement), tiny_log_mel_config(), placement));
  };
  const torch::Tensor there = silence_on(elsewhere());
  CHECK(there.device().is_cpu());
  CHECK(torch::allclose(there, silence_on({}), 1e-4, 1e-5));
}

TEST_CASE("a device that is not there is refused by name, and automatic takes the CPU then") {
  if (has_cuda()) {
    CHECK(placement_for(DeviceChoice::automatic, DtypeChoice::float32).device.is_cuda());
    return;
  }
  const Placement automatic = placement_for(DeviceChoice::automatic, DtypeChoice::automatic);
  CHECK(automatic.device.is_cpu());
  CHECK((automatic.dtype == torch::kFloat32));
  CHECK((placement_for(DeviceChoice::cpu, DtypeChoice::bfloat16).dtype == torch::kBFloat16));
  CHECK_THROWS_WITH_AS((void)placement_for(DeviceChoice::cuda, DtypeChoice::automatic),
                       doctest::Contains("--device cpu"), common::Error);
}
