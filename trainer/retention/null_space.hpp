// Null-space retention: a trained map may only grow where retention questions do not look.
//
// U [in, r] spans what the map is given on the retention questions (Wang et al. 2021; Saha et al. 2021 use
// such feature subspaces). The map is built as W = A + D - (D U) U^T, so W U = A U whatever D becomes:
// autograd sends every gradient through the same projection, and no optimiser, clipping or weight decay can
// leave it. Projecting the gradient and then letting Adam rescale it, as is often done, leaks.
//
// On the gate the anchor A is 0, so the gate sees only the part of a state outside U: an attenuator, as good
// as the energy that U leaves out. At the first fused layer the states are the frozen base's, so that U
// holds; above it the trained adapter moves them. Elsewhere A is the map as it starts. `output` and `all` are
// given what other trained maps made, with the distractor clips of the start: their U describes the first
// step, and less and less of the later ones. They are rows of the ablation, not advice.
//
// Bound on what is left (certificate): sum over the retention inputs k of |(W - A) k|^2 <= |W - A|_F^2
// lambda_{r+1}, with lambda the eigenvalues of the inputs' second moment, because W - A sees only the part of
// k outside U. Axes: in, out widths of a map, r rank, M retention inputs.
#pragma once

#include <optional>

#include "common/cli/verb.hpp"
#include "common/json.hpp"
#include "trainer/retention/mechanism.hpp"
#include "trainer/retention/mechanism_needs.hpp"

namespace trainer {

// Which maps are protected. all: the projector's two, query, key, value and output, but not the gate.
// gradient: no map's inputs but the gradients themselves (gradient_subspace.hpp).
enum class NullSpacePlacement { off, gate, query, output, all, gradient };
inline const std::vector<std::string> k_null_space_placements = {"off",    "gate", "query",
                                                                 "output", "all",  "gradient"};
[[nodiscard]] const std::string& text_of(NullSpacePlacement placement);
[[nodiscard]] NullSpacePlacement null_space_placement(const std::string& text);

struct NullSpaceOptions {
  NullSpacePlacement placement = NullSpacePlacement::gate;
  double energy = 0.95;  // share of the inputs' energy that U must hold; why this: README, "The recipe"
  std::int64_t rank_limit = 0;    // 0: as many as the energy asks for
  std::int64_t row_minimum = 64;  // fewer retention questions than this are refused
  std::int64_t refresh = 50;      // gradient alone: steps between two subspaces

  // What the table of mechanisms asks of every one (mechanism_table.hpp).
  static constexpr const char *k_key = "null_space", *k_title = "null space",
                              *k_switch_off = "--null-space off";
  struct Flags {
    std::optional<std::string> placement;
    std::optional<double> energy;
    std::optional<std::int64_t> rank, refresh, min_samples;
  };
  static void add_flags(common::Verb& verb, Flags& flags);
  static NullSpaceOptions preset(const std::string& variant);
  void apply(const Flags& flags);
  [[nodiscard]] bool is_on() const { return placement != NullSpacePlacement::off; }
  [[nodiscard]] common::Json json() const;
  [[nodiscard]] MechanismNeeds needs(std::int64_t batch) const;
  [[nodiscard]] std::unique_ptr<RetentionMechanism> make(std::int64_t seed) const;
};

struct Subspace {
  torch::Tensor basis;          // [in, r] fp32, orthonormal columns
  torch::Tensor second_moment;  // [in, in] fp64, sum of k k^T
  std::int64_t states = 0;      // M
  double energy = 0;            // the share that U holds
  double next_eigenvalue = 0;   // lambda_{r+1}; 0 where r = in
};

// From the sum of k k^T [in, in] fp64. Smallest rank whose energy reaches `energy`.
[[nodiscard]] Subspace span_of(const torch::Tensor& second_moment, std::int64_t states, double energy,
                               std::int64_t rank_limit);

struct ProtectedMap {
  std::string map;                    // "gate", "query", "key", "value", "output", "linear_1", "linear_2"
  std::optional<std::int64_t> layer;  // decoder layer; none for the projector's maps
  AdapterLinear* linear = nullptr;    // the model's
  Subspace subspace;
};

struct NullSpaceState {
  double leak = 0;         // |(W - A) U| / |W - A|
  double drift = 0;        // sum of |(W - A) k|^2 over the retention inputs, measured
  double certificate = 0;  // its bound
};

[[nodiscard]] NullSpaceState measure_null_space(const AdapterLinear& map, const Subspace& subspace);

class NullSpaceRetention final : public RetentionMechanism {
 public:
  explicit NullSpaceRetention(const NullSpaceOptions& options) : options_(options) {}
  [[nodiscard]] std::string name() const override { return NullSpaceOptions::k_key; }
  void reparametrise(RetentionScene& scene) override;
  [[nodiscard]] MechanismKind kind() const override { return MechanismKind::constraint; }
  // |G U| / |G| over all maps, G being the task's gradient of D (of A where a map is of low rank).
  [[nodiscard]] double removed() const override { return removed_; }
  [[nodiscard]] std::vector<torch::Tensor> watched() const override;
  void see_task(const std::vector<torch::Tensor>& task, const std::vector<torch::Tensor>& watched,
                const SafeModel& model) override;
  void measure(const SafeModel& model, Metrics& metrics) const override;
  [[nodiscard]] const std::vector<ProtectedMap>& maps() const { return maps_; }

 private:
  NullSpaceOptions options_;
  std::vector<ProtectedMap> maps_;
  double removed_ = 0;
};

// A pack with fewer retention questions than `minimum` is a mismatch error.
void require_rows(const RetentionScene& scene, std::int64_t minimum);

}  // namespace trainer
