// AdamW (Loshchilov and Hutter 2019) over named leaves; the learning rate is in trainer/samples/schedule.hpp.
// Our own because LibTorch's optimiser does not restore its learning rate from a checkpoint (1.13) and keys
// its state differently in 1.13 and 2.x; a resumed run must give the same bytes.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "trainer/model/parameter.hpp"
#include "trainer/model/tensor.hpp"
#include "trainer/samples/schedule.hpp"

namespace trainer {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-8;
  double weight_decay = 0.01;  // on matrices; vectors (norms, biases) are not decayed
};

class AdamW {
 public:
  AdamW(std::vector<Parameter> parameters, const AdamWOptions& options);
  // gradients in the order of the parameters; an undefined one leaves its parameter and its moments alone.
  // rates: the learning rate of each parameter's group at this step.
  void step(const std::vector<torch::Tensor>& gradients, double projector_rate, double adapter_rate);
  [[nodiscard]] std::map<std::string, torch::Tensor> state() const;
  void set_state(const std::map<std::string, torch::Tensor>& state);

 private:
  std::vector<Parameter> parameters_;
  AdamWOptions options_;
  std::vector<torch::Tensor> first_, second_;  // moments, in the parameters' shapes
  std::vector<std::int64_t> counts_;           // updates of each
};

// Scales `gradients` so that their global norm is at most `limit`; returns the norm before.
double clip_gradients(std::vector<torch::Tensor>& gradients, double limit);

}  // namespace trainer
