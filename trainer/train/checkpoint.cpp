#include "trainer/train/checkpoint.hpp"

#include "common/error.hpp"
#include "trainer/model/safetensors.hpp"

namespace trainer {
namespace {

torch::Tensor stored(const torch::Tensor& tensor) { return tensor.detach().to(torch::kCPU).contiguous(); }

// `remedy` ends the sentence where a tensor is not there or of another shape.
void copy_parameters(const TensorFile& file, const std::filesystem::path& path, const SafeModel& model,
                     const char* remedy) {
  const torch::NoGradGuard no_graph;
  for (const Parameter& parameter : model.parameters()) {
    const auto found = file.tensors.find(parameter.name);
    if (found == file.tensors.end() || found->second.sizes() != parameter.value.sizes())
      throw common::Error(common::ErrorKind::mismatch, path.string() + " has no tensor " + parameter.name +
                                                           " of the right shape; " + remedy);
    torch::Tensor value = parameter.value.detach();
    value.copy_(found->second);
  }
}

}  // namespace

void save_checkpoint(const std::filesystem::path& path, std::int64_t step, const std::string& config_digest,
                     const SafeModel& model, const AdamW& optimiser, const Mechanisms& mechanisms) {
  TensorFile file;
  for (const Parameter& parameter : model.parameters())
    file.tensors[parameter.name] = stored(parameter.value);
  for (const auto& [name, tensor] : optimiser.state()) file.tensors[name] = stored(tensor);
  for (const auto& mechanism : mechanisms)
    for (const auto& [name, tensor] : mechanism->state()) file.tensors[name] = stored(tensor);
  file.metadata = {{"step", std::to_string(step)}, {"config_digest", config_digest}};
  write_safetensors(path, file);
}

std::optional<std::int64_t> load_checkpoint(const std::filesystem::path& path,
                                            const std::string& config_digest, SafeModel& model,
                                            AdamW& optimiser, Mechanisms& mechanisms) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  const TensorFile file = read_safetensors(path);
  const auto metadata = [&](const char* key) {
    const auto found = file.metadata.find(key);
    return found == file.metadata.end() ? std::string() : found->second;
  };
  if (metadata("config_digest") != config_digest || metadata("step").empty())
    throw common::Error(
        common::ErrorKind::mismatch,
        path.string() + " belongs to a run of another configuration; start again without --resume");
  copy_parameters(file, path, model, "start again without --resume");
  optimiser.set_state(file.tensors);
  for (const auto& mechanism : mechanisms) mechanism->set_state(file.tensors);
  return std::stoll(metadata("step"));
}

void save_adapter(const std::filesystem::path& path, const std::string& config_digest,
                  const SafeModel& model) {
  TensorFile file;
  for (const Parameter& parameter : model.parameters())
    file.tensors[parameter.name] = stored(parameter.value);
  for (const auto& [name, tensor] : model.frozen()) file.tensors[name] = stored(tensor);
  file.tensors["silence"] = stored(model.silence());
  file.metadata = {{"config_digest", config_digest}};
  write_safetensors(path, file);
}

void load_adapter(const std::filesystem::path& path, SafeModel& model) {
  constexpr const char* k_remedy = "give the base and the audio encoder that the run was made with";
  const TensorFile file = read_safetensors(path);
  const auto silence = file.tensors.find("silence");
  // Not by bits: another device, or another number of threads, hears it otherwise in the last of them.
  const torch::Tensor own = stored(model.silence());
  if (silence == file.tensors.end() || silence->second.sizes() != own.sizes() ||
      silence->second.scalar_type() != own.scalar_type() ||
      !torch::allclose(silence->second, own, 1e-3, 1e-4))
    throw common::Error(common::ErrorKind::mismatch,
                        path.string() + " was trained with another vector for silence; " + k_remedy);
  model.set_frozen(file.tensors);
  copy_parameters(file, path, model, k_remedy);
}

}  // namespace trainer
