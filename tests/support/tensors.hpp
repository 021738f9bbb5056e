// Numbers for tests of what is trained, the same on every device.
#pragma once

#include <vector>

#include "trainer/model/parameter.hpp"

namespace support {

// N(0, 1), on the CPU.
inline torch::Tensor noise(at::IntArrayRef shape, std::int64_t seed) {
  at::Generator generator = trainer::make_generator(seed, "test");
  return torch::randn(shape, generator);
}

// Every trained number moved away from its start, as training would.
inline void move_all(const std::vector<trainer::Parameter>& parameters) {
  const torch::NoGradGuard no_graph;
  std::int64_t seed = 100;
  for (const trainer::Parameter& parameter : parameters) {
    torch::Tensor value = parameter.value;
    value.add_(noise(value.sizes(), seed++).to(value.device()), 0.3);
  }
}

}  // namespace support
