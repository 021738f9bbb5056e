#include "trainer/model/parameter.hpp"

#include <ATen/CPUGeneratorImpl.h>

#include "common/random.hpp"

namespace trainer {

at::Generator make_generator(std::int64_t seed, const std::string& purpose) {
  common::Random source(seed, purpose);
  return at::detail::createCPUGenerator(source.getrandbits(63));
}

torch::Tensor random_leaf(at::IntArrayRef shape, double deviation, at::Generator& generator) {
  return torch::randn(shape, generator, torch::kFloat32).mul_(deviation).set_requires_grad(true);
}

torch::Tensor zero_leaf(at::IntArrayRef shape) {
  return torch::zeros(shape, torch::kFloat32).set_requires_grad(true);
}

torch::Tensor moved_leaf(const torch::Tensor& leaf, torch::Device device) {
  return leaf.detach().to(device).set_requires_grad(true);
}

}  // namespace trainer
