// Numbers for tests of what is trained, the same on every device.
#pragma once

#include <filesystem>
#include <vector>

#include "common/sealed/draft_file.hpp"
#include "trainer/formats/model_folder.hpp"
#include "trainer/model/parameter.hpp"

namespace support {

// N(0, 1), on the CPU.
inline torch::Tensor noise(at::IntArrayRef shape, std::int64_t seed) {
  at::Generator generator = trainer::make_generator(seed, "test");
  return torch::randn(shape, generator);
}

// The largest of any element.
inline double difference(const torch::Tensor& a, const torch::Tensor& b) {
  return (a - b).abs().max().item<double>();
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

// What a model consists of, as a folder of one's own.
inline void save_files(const trainer::ModelFiles& files, const std::filesystem::path& folder) {
  std::filesystem::create_directories(folder);
  for (const auto& [name, bytes] : files) common::write_file(folder / name, common::ByteView(bytes));
}

}  // namespace support
