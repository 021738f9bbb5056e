// What a safetensors file says of its tensors, read strictly and without LibTorch.
// What always holds after reading: the tensors' ranges lie end to end from 0 to the end of the file, and each
// range is as long as type and shape say. Format: https://github.com/huggingface/safetensors#format
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/bytes.hpp"

namespace trainer {

enum class TensorType {
  f64,
  f32,
  f16,
  bf16,
  f8_e4m3,
  f8_e5m2,
  i64,
  i32,
  i16,
  i8,
  u64,
  u32,
  u16,
  u8,
  boolean
};

// As the format spells it: "F32", "BOOL".
[[nodiscard]] const char* name_of(TensorType type);
[[nodiscard]] std::uint64_t bytes_of(TensorType type);  // of one element
// F64, F32, F16, BF16: what weights are kept in.
[[nodiscard]] bool is_floating(TensorType type);

struct TensorEntry {
  TensorType type = TensorType::f32;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes, relative to the end of the header
};

struct SafetensorsHeader {
  std::map<std::string, TensorEntry> tensors;
  std::map<std::string, std::string> metadata;
  std::uint64_t data_offset = 0;  // bytes of the file before the first tensor
};

// The format allows 100 MB, and a tensor takes 100 bytes of it. One of the largest models that are published
// has 91,000 tensors in 163 files.
inline constexpr std::uint64_t k_safetensors_header_limit_bytes = std::uint64_t{32} << 20;
inline constexpr std::size_t k_tensor_limit = 1 << 17;

// How many bytes the JSON takes behind the first eight. `start` is the beginning of a file of `file_bytes`.
[[nodiscard]] std::uint64_t safetensors_json_bytes(common::ByteView start, std::uint64_t file_bytes,
                                                   const std::string& name);
// `start` must hold the whole header. Format errors name `name`.
[[nodiscard]] SafetensorsHeader parse_safetensors_header(common::ByteView start, std::uint64_t file_bytes,
                                                         const std::string& name);

// model.safetensors.index.json: the file of each tensor, always a plain name in the same folder.
inline constexpr std::uint64_t k_index_limit_bytes = std::uint64_t{16} << 20;
[[nodiscard]] std::map<std::string, std::string> parse_weight_map(std::string_view index,
                                                                  const std::string& name);

// A format error that says what is wrong with a safetensors file, and what helps.
[[noreturn]] void refuse_safetensors(const std::string& name, const std::string& why);

}  // namespace trainer
