// safetensors files as tensors: read strictly (trainer/formats/safetensors_header.hpp), written
// deterministically.
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
#include "trainer/formats/model_folder.hpp"
#include "trainer/formats/safetensors_header.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

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
