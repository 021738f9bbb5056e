#include "trainer/retention/gradient_subspace.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "common/error.hpp"
#include "common/random.hpp"

namespace trainer {
namespace {

// The part of a tensor that lies in the span of basis [n, r], in the tensor's shape.
torch::Tensor part_inside(const torch::Tensor& tensor, const torch::Tensor& basis) {
  return basis.mv(basis.t().mv(tensor.reshape({-1}))).view(tensor.sizes());
}

double squared_norm(const torch::Tensor& tensor) {
  return tensor.to(torch::kFloat64).pow(2).sum().item<double>();
}

void require_fits(bool fits, const std::string& name) {
  if (!fits)
    throw common::Error(common::ErrorKind::mismatch,
                        "the checkpoint's tensor " + name +
                            " has another shape than such a one; start the run again "
                            "without --resume");
}

}  // namespace

torch::Tensor row_space(const torch::Tensor& rows, std::int64_t rank) {
  constexpr double k_least = 1e-10;  // of the largest eigenvalue; what lies below is rounding
  const torch::Tensor wide = rows.to(torch::kFloat64);
  const auto [ascending, vectors] = torch::linalg_eigh(wide.mm(wide.t()).to(torch::kCPU), "L");  // [S, S]
  const std::int64_t samples = ascending.size(0);
  const double largest = ascending[samples - 1].item<double>();
  std::int64_t kept = 0;
  while (kept < std::min({rank, samples, wide.size(1)}) &&
         ascending[samples - 1 - kept].item<double>() > k_least * largest)
    ++kept;
  if (kept == 0) return torch::zeros({wide.size(1), 0}, rows.options());
  const torch::Tensor directions = wide.t().mm(vectors.slice(1, samples - kept).to(wide.device()));
  // Small eigenvalues leave the columns less than orthogonal; QR makes them so to the last bits.
  return std::get<0>(torch::linalg_qr(directions.to(torch::kCPU)))
      .to(rows.device(), torch::kFloat32)
      .contiguous();
}

void GradientSubspaceRetention::anchor(RetentionScene& scene) {
  require_rows(scene, options_.row_minimum);
  for (const Parameter& parameter : scene.model.parameters()) names_.push_back(parameter.name);
  device_ = scene.model.device();
  bases_.resize(names_.size());
}

void GradientSubspaceRetention::renew(std::int64_t step, RetentionScene& scene) {
  if ((step - 1) % options_.refresh != 0) return;
  const std::string purpose = "null_space/" + std::to_string(step);
  common::Random draws(seed_, purpose);
  const ProcessGroup& group = scene.compute.group();
  std::vector<std::vector<torch::Tensor>> samples(k_samples);
  std::vector<std::function<void()>> tasks;
  for (std::int64_t i = 0; i < k_samples; ++i) {
    const auto question = static_cast<std::int64_t>(draws.below(scene.rows.size()));
    const auto clip = static_cast<std::int64_t>(draws.below(static_cast<std::uint64_t>(scene.clips.size(0))));
    if (!group.takes(static_cast<std::size_t>(i))) continue;
    tasks.emplace_back([&scene, &purpose, &samples, this, i, question, clip] {
      samples[static_cast<std::size_t>(i)] =
          sampled_gradient(scene, question, clip, seed_, purpose + "/" + std::to_string(i));
    });
  }
  scene.compute.run(tasks);
  const torch::NoGradGuard no_graph;
  std::vector<std::vector<torch::Tensor>> rows(names_.size());
  for (std::int64_t i = 0; i < k_samples; ++i) {
    std::vector<torch::Tensor>& own = samples[static_cast<std::size_t>(i)];
    const std::vector<torch::Tensor> gradients =
        group.broadcast(std::exchange(own, {}), static_cast<int>(i % group.size()));
    for (std::size_t k = 0; k < gradients.size(); ++k)
      if (gradients[k].defined()) rows[k].push_back(gradients[k].to(device_).reshape({-1}));
  }
  std::vector<torch::Tensor> fresh(names_.size());
  for (std::size_t k = 0; k < rows.size(); ++k)
    if (!rows[k].empty()) fresh[k] = torch::stack(rows[k]);
  measure_generalisation(fresh);
  for (std::size_t k = 0; k < fresh.size(); ++k)
    if (fresh[k].defined())
      bases_[k] = row_space(fresh[k], options_.rank_limit > 0 ? options_.rank_limit : k_rank);
}

void GradientSubspaceRetention::measure_generalisation(const std::vector<torch::Tensor>& fresh) {
  double held = 0;
  double all = 0;
  for (std::size_t k = 0; k < fresh.size(); ++k) {
    if (!fresh[k].defined() || !bases_[k].defined()) continue;
    held += squared_norm(fresh[k].mm(bases_[k]));
    all += squared_norm(fresh[k]);
  }
  if (all > 0) generalisation_ = held / all;
}

void GradientSubspaceRetention::see_task(const std::vector<torch::Tensor>& task,
                                         const std::vector<torch::Tensor>& /*watched*/,
                                         const SafeModel& /*model*/) {
  const torch::NoGradGuard no_graph;
  double inside = 0;
  for (std::size_t k = 0; k < task.size(); ++k)
    if (task[k].defined() && bases_[k].defined())
      inside += squared_norm(bases_[k].t().mv(task[k].reshape({-1}).to(bases_[k].scalar_type())));
  const double whole = gradient_norm(task);
  removed_ = whole > 0 ? std::sqrt(inside) / whole : 0;
}

void GradientSubspaceRetention::before_update(std::vector<torch::Tensor>& gradients, const SafeModel& model) {
  const torch::NoGradGuard no_graph;
  before_.clear();
  const std::vector<torch::Tensor> leaves = leaves_of(model);
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    before_.push_back(leaves[k].detach().clone());
    if (gradients[k].defined() && bases_[k].defined())
      gradients[k] = gradients[k] - part_inside(gradients[k], bases_[k]);
  }
}

void GradientSubspaceRetention::after_update(SafeModel& model) {
  const torch::NoGradGuard no_graph;
  double left = 0;
  double moved = 0;
  const std::vector<torch::Tensor> leaves = leaves_of(model);
  for (std::size_t k = 0; k < leaves.size(); ++k) {
    if (!bases_[k].defined()) continue;
    torch::Tensor value = leaves[k].detach();
    const torch::Tensor step = value - before_[k];
    const torch::Tensor inside = part_inside(step, bases_[k]);
    const torch::Tensor kept = step - inside;
    value.copy_(before_[k] + kept);
    left += squared_norm(part_inside(kept, bases_[k]));
    moved += squared_norm(kept);
  }
  if (moved > 0) leak_ = std::max(leak_, std::sqrt(left / moved));
}

void GradientSubspaceRetention::measure(const SafeModel& /*model*/, Metrics& metrics) const {
  NullSpaceMetrics one;
  one.map = "gradient";
  one.rank = rank();
  one.rows = k_samples;
  one.energy = generalisation();
  one.leak = leak();
  metrics.null_space.push_back(one);
}

std::int64_t GradientSubspaceRetention::rank() const {
  std::int64_t largest = 0;
  for (const torch::Tensor& basis : bases_)
    if (basis.defined()) largest = std::max(largest, basis.size(1));
  return largest;
}

std::map<std::string, torch::Tensor> GradientSubspaceRetention::state() const {
  std::map<std::string, torch::Tensor> tensors;
  for (std::size_t k = 0; k < bases_.size(); ++k)
    if (bases_[k].defined()) tensors["null_space." + names_[k]] = bases_[k];
  const double held = generalisation_.value_or(-1);  // -1: none yet
  tensors["null_space.measured"] = torch::tensor({removed_, leak_, held}, torch::kFloat64);
  return tensors;
}

void GradientSubspaceRetention::set_state(const std::map<std::string, torch::Tensor>& state) {
  for (std::size_t k = 0; k < names_.size(); ++k)
    if (const auto found = state.find("null_space." + names_[k]); found != state.end()) {
      require_fits(found->second.dim() == 2 && found->second.is_floating_point(), found->first);
      bases_[k] = found->second.to(device_);
    }
  const auto measured = state.find("null_space.measured");
  if (measured == state.end()) return;
  require_fits(measured->second.dim() == 1 && measured->second.size(0) == 3 &&
                   measured->second.scalar_type() == torch::kFloat64,
               measured->first);
  removed_ = measured->second[0].item<double>();
  leak_ = measured->second[1].item<double>();
  const auto held = measured->second[2].item<double>();
  generalisation_ = held < 0 ? std::nullopt : std::optional<double>(held);
}

}  // namespace trainer
