// safetensors files: read strictly, written deterministically.
// What always holds after reading: the header is at most 100 MB of JSON without duplicate keys, the tensors'
// ranges lie end to end from 0 to the end of the file, and each range is as long as dtype and shape say.
// Format: https://github.com/huggingface/safetensors#format
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/bytes.hpp"
#include "common/sealed/folder.hpp"
#include "trainer/model/model_folder.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

struct TensorEntry {
  torch::Dtype dtype = torch::kFloat32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes, relative to the end of the header
};

struct SafetensorsHeader {
  std::map<std::string, TensorEntry> tensors;
  std::map<std::string, std::string> metadata;
  std::uint64_t data_offset = 0;  // bytes of the file before the first tensor
};

inline constexpr std::uint64_t k_safetensors_header_limit_bytes = 100'000'000;

// Judges the first bytes of a file of `file_bytes`; `start` must hold the whole header. Format errors name
// `name`.
[[nodiscard]] SafetensorsHeader parse_safetensors_header(common::ByteView start, std::uint64_t file_bytes,
                                                         const std::string& name);

struct TensorFile {
  std::map<std::string, torch::Tensor> tensors;  // on the CPU, owning their memory
  std::map<std::string, std::string> metadata;
};

[[nodiscard]] TensorFile parse_safetensors(common::ByteView file, const std::string& name);
[[nodiscard]] TensorFile read_safetensors(const std::filesystem::path& path);
[[nodiscard]] TensorFile read_safetensors(const common::Folder& folder, const std::string& inside);

// The same tensors and metadata give the same bytes: names sorted, data on 8-byte boundaries.
[[nodiscard]] common::Bytes format_safetensors(const TensorFile& content);
// Atomic. Tensors may live anywhere and need not be contiguous.
void write_safetensors(const std::filesystem::path& path, const TensorFile& content);
// The caller holds the folder's lock.
void write_safetensors(const common::Folder& folder, const std::string& inside, const TensorFile& content);

// model.safetensors, or the shards that model.safetensors.index.json names. Headers are read at once, and
// noted with the folder once everything behind them was read.
class SafetensorsFolder {
 public:
  // `folder` must outlive it.
  explicit SafetensorsFolder(const ModelFolder& folder);
  ~SafetensorsFolder();
  SafetensorsFolder(SafetensorsFolder&&) noexcept;
  SafetensorsFolder& operator=(SafetensorsFolder&&) noexcept;
  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] std::vector<std::string> names() const;  // sorted
  [[nodiscard]] const TensorEntry& entry(const std::string& name) const;
  // Reads every file once, from its first byte to its last, and gives each tensor of `wanted` to `take`, on
  // the CPU and in its stored type: one at a time, so that memory holds one copy.
  void read(const std::set<std::string>& wanted,
            const std::function<void(const std::string& name, const torch::Tensor& tensor)>& take) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace trainer
