// Null-space retention: the gate's weight may only grow where retention questions do not look.
//
// U [H, r] spans the hidden states of the retention questions at a fused layer (Wang et al. 2021; Saha et al.
// 2021 use such feature subspaces). The gate's weight is built as W = D - (D U) U^T, so W U = 0 whatever D
// becomes: autograd sends every gradient through the same projection, and no optimiser, clipping or weight
// decay can leave it. Projecting the gradient and then letting Adam rescale it, as is often done, leaks.
//
// Bound on what is left (certificate): sum over the retention states k of |W k|^2 <= |W|_F^2 lambda_{r+1},
// with lambda the eigenvalues of the states' second moment, because W sees only the part of k outside U.
// Axes: H width, r rank, M retention states.
#pragma once

#include "trainer/retention/mechanism.hpp"

namespace trainer {

enum class NullSpacePlacement { gate, query };

struct NullSpaceOptions {
  NullSpacePlacement placement = NullSpacePlacement::gate;
  double energy = 0.95;  // share of the states' energy that U must hold; why this: README, "The recipe"
  std::int64_t rank_limit = 0;    // 0: as many as the energy asks for
  std::int64_t row_minimum = 64;  // fewer retention questions than this are refused
};

struct Subspace {
  torch::Tensor basis;          // [H, r] fp32, orthonormal columns
  torch::Tensor second_moment;  // [H, H] fp64, sum of k k^T
  std::int64_t states = 0;      // M
  double energy = 0;            // the share that U holds
  double next_eigenvalue = 0;   // lambda_{r+1}; 0 where r = H
};

// From the sum of k k^T [H, H] fp64. Smallest rank whose energy reaches `energy`.
[[nodiscard]] Subspace span_of(const torch::Tensor& second_moment, std::int64_t states, double energy,
                               std::int64_t rank_limit);

struct NullSpaceLayer {
  std::int64_t layer = 0;
  Subspace subspace;
};

struct NullSpaceState {
  double removed = 0;      // |D U|, the part of D that U takes out
  double leak = 0;         // |(W - W_anchor) U| / |W - W_anchor|
  double drift = 0;        // sum of |(W - W_anchor) k|^2 over the retention states, measured
  double certificate = 0;  // its bound
};

class NullSpaceRetention final : public RetentionMechanism {
 public:
  explicit NullSpaceRetention(const NullSpaceOptions& options) : options_(options) {}
  [[nodiscard]] std::string name() const override { return "null_space"; }
  void prepare(RetentionScene& scene) override;
  // Adds no loss; its value is |D U| of the first layer, as proof that it acts.
  RetentionTerm term(std::int64_t step, RetentionScene& scene) override;
  [[nodiscard]] const std::vector<NullSpaceLayer>& layers() const { return layers_; }
  [[nodiscard]] NullSpaceState measure(const SafeModel& model, const NullSpaceLayer& layer) const;
  [[nodiscard]] const NullSpaceOptions& options() const { return options_; }

 private:
  [[nodiscard]] const AdapterLinear& protected_map(const SafeModel& model, std::int64_t layer) const;
  NullSpaceOptions options_;
  std::vector<NullSpaceLayer> layers_;
};

[[nodiscard]] NullSpaceState measure_null_space(const AdapterLinear& map, const Subspace& subspace);

}  // namespace trainer
