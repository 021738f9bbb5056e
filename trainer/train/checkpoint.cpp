#include "trainer/train/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "trainer/results/checkpoint_facts.hpp"

namespace trainer {
namespace {

constexpr const char* k_checkpoint = "checkpoints/last.safetensors";
constexpr const char* k_content_key = "content_sha256";

[[noreturn]] void refuse_checkpoint(const std::string& why) {
  throw common::Error(common::ErrorKind::mismatch, why + "; start again without --resume");
}

// SHA-256 over "<key>=<value>\n" of all metadata but the digest itself, then over
// "<name> <type> [<shape>]\n" and the bytes of each tensor, both in the order of their names.
common::Digest content_digest(const TensorFile& file) {
  common::Hasher hasher;
  for (const auto& [key, value] : file.metadata)
    if (key != k_content_key) hasher.update(common::view_of(key + "=" + value + "\n"));
  for (const auto& [name, tensor] : file.tensors) {
    hasher.update(common::view_of(fmt::format("{} {} [{}]\n", name, c10::toString(tensor.scalar_type()),
                                              fmt::join(tensor.sizes().vec(), ", "))));
    const torch::Tensor plain = tensor.contiguous();
    hasher.update({static_cast<const std::uint8_t*>(plain.data_ptr()), plain.nbytes()});
  }
  return hasher.finish();
}

torch::Tensor stored(const torch::Tensor& tensor) { return tensor.detach().to(torch::kCPU).contiguous(); }

// `remedy` ends the sentence where a tensor is not there or of another shape.
void copy_parameters(const TensorFile& file, const std::filesystem::path& path, const SafeModel& model,
                     const char* remedy) {
  const torch::NoGradGuard no_graph;
  for (const Parameter& parameter : model.parameters()) {
    const auto found = file.tensors.find(parameter.name);
    if (found == file.tensors.end() || found->second.sizes() != parameter.value.sizes() ||
        !found->second.is_floating_point())
      throw common::Error(common::ErrorKind::mismatch, path.string() + " has no tensor " + parameter.name +
                                                           " of the right shape; " + remedy);
    torch::Tensor value = parameter.value.detach();
    value.copy_(found->second);
  }
}

}  // namespace

void save_checkpoint(const RunDirectory& run, std::int64_t step, const std::string& config_digest,
                     const common::FileDigest& history, const SafeModel& model, const AdamW& optimiser,
                     const Mechanisms& mechanisms) {
  TensorFile file;
  for (const Parameter& parameter : model.parameters())
    file.tensors[parameter.name] = stored(parameter.value);
  for (const auto& [name, tensor] : optimiser.state()) file.tensors[name] = stored(tensor);
  for (const auto& mechanism : mechanisms)
    for (const auto& [name, tensor] : mechanism->state()) file.tensors[name] = stored(tensor);
  file.metadata = format_checkpoint_facts({step, config_digest, history.size, history.digest.hex()});
  file.metadata[k_content_key] = content_digest(file).hex();
  write_safetensors(run.folder(), k_checkpoint, file);
}

std::optional<Checkpoint> read_checkpoint(const RunDirectory& run, const std::string& config_digest) {
  if (!run.folder().look(k_checkpoint)) return std::nullopt;
  const std::string path = run.folder().path_of(k_checkpoint).string();
  Checkpoint checkpoint{0, 0, read_safetensors(run.folder(), k_checkpoint)};
  const auto stated = checkpoint.file.metadata.find(k_content_key);
  if (stated == checkpoint.file.metadata.end() || stated->second != content_digest(checkpoint.file).hex())
    refuse_checkpoint(path +
                      " has changed since it was written: its content is not of the digest that it states");
  const CheckpointFacts facts = parse_checkpoint_facts(checkpoint.file.metadata, path);
  if (facts.config_digest != config_digest)
    refuse_checkpoint(path + " belongs to a run of another configuration");
  checkpoint.step = facts.step;
  checkpoint.history_bytes = facts.history_bytes;
  const std::string history = run.read_history();
  if (history.size() < checkpoint.history_bytes ||
      common::digest_of(std::string_view(history).substr(0, checkpoint.history_bytes)).hex() !=
          facts.history_sha256)
    refuse_checkpoint((run.path() / "history.jsonl").string() + " is not what it was at step " +
                      std::to_string(checkpoint.step) + ", when " + path + " was written");
  return checkpoint;
}

void restore(const Checkpoint& checkpoint, SafeModel& model, AdamW& optimiser, Mechanisms& mechanisms) {
  copy_parameters(checkpoint.file, k_checkpoint, model, "start again without --resume");
  optimiser.set_state(checkpoint.file.tensors);
  for (const auto& mechanism : mechanisms) mechanism->set_state(checkpoint.file.tensors);
}

void save_adapter(const RunDirectory& run, const std::string& config_digest, const SafeModel& model) {
  TensorFile file;
  for (const Parameter& parameter : model.parameters())
    file.tensors[parameter.name] = stored(parameter.value);
  for (const auto& [name, tensor] : model.frozen()) file.tensors[name] = stored(tensor);
  file.tensors["silence"] = stored(model.silence());
  file.metadata = {{"config_digest", config_digest}};
  write_safetensors(run.folder(), "checkpoints/adapter.safetensors", file);
}

void load_adapter(const TensorFile& file, const std::filesystem::path& path, SafeModel& model) {
  constexpr const char* k_remedy = "give the base and the audio encoder that the run was made with";
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
