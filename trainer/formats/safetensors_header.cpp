#include "trainer/formats/safetensors_header.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/error.hpp"
#include "trainer/formats/json_parts.hpp"

namespace trainer {

using common::ByteView;
using common::Json;

namespace {

struct TypeFacts {
  const char* name;
  TensorType type;
  std::uint64_t bytes;
};
constexpr TypeFacts k_types[] = {
    {"F64", TensorType::f64, 8},   {"F32", TensorType::f32, 4},         {"F16", TensorType::f16, 2},
    {"BF16", TensorType::bf16, 2}, {"F8_E4M3", TensorType::f8_e4m3, 1}, {"F8_E5M2", TensorType::f8_e5m2, 1},
    {"I64", TensorType::i64, 8},   {"I32", TensorType::i32, 4},         {"I16", TensorType::i16, 2},
    {"I8", TensorType::i8, 1},     {"U64", TensorType::u64, 8},         {"U32", TensorType::u32, 4},
    {"U16", TensorType::u16, 2},   {"U8", TensorType::u8, 1},           {"BOOL", TensorType::boolean, 1}};
// More axes than any tensor of a model has.
constexpr std::size_t k_axis_limit = 16;
constexpr std::size_t k_name_limit_bytes = 1024;

const TypeFacts& facts_of(TensorType type) {
  for (const auto& known : k_types)
    if (type == known.type) return known;
  common::ensure_failed("a known type of tensor", __FILE__, __LINE__);
}

TensorType type_of(const std::string& text, const std::string& where, const std::string& tensor) {
  for (const auto& known : k_types)
    if (text == known.name) return known.type;
  refuse_safetensors(where, fmt::format("tensor {} has the unknown dtype {}", tensor, text.substr(0, 40)));
}

std::int64_t whole_number(const Json& value, const std::string& name, const std::string& tensor) {
  // Half of 2^63 keeps every sum of two such numbers inside 64 bits.
  if (!value.is_number_integer() || value.get<double>() < 0 || value.get<double>() > 4e18)
    refuse_safetensors(name,
                       fmt::format("tensor {} has a shape or an offset that is not a whole number", tensor));
  return value.get<std::int64_t>();
}

// The bytes that the shape needs, or nothing where the product leaves 63 bits: without the axes of length 0
// too, because strides are computed from the others.
std::optional<std::uint64_t> bytes_of(const TensorEntry& entry) {
  auto bytes = static_cast<std::int64_t>(facts_of(entry.type).bytes);
  bool empty = false;
  for (const auto size : entry.shape) {
    empty = empty || size == 0;
    if (size > 0 && __builtin_mul_overflow(bytes, size, &bytes)) return std::nullopt;
  }
  return empty ? 0 : static_cast<std::uint64_t>(bytes);
}

TensorEntry parse_entry(const Json& value, const std::string& name, const std::string& tensor) {
  const auto where = fmt::format("{}: tensor {}", name, tensor);
  TensorEntry entry;
  if (!value.is_object() || value.size() != 3)
    refuse_safetensors(name, fmt::format("tensor {} is not {{dtype, shape, data_offsets}}", tensor));
  entry.type = type_of(common::string_member(value, "dtype", where), name, tensor);
  const Json& shape = common::array_member(value, "shape", where);
  if (shape.size() > k_axis_limit)
    refuse_safetensors(name, fmt::format("tensor {} has {} axes", tensor, shape.size()));
  for (const auto& size : shape) entry.shape.push_back(whole_number(size, name, tensor));
  const Json& offsets = common::array_member(value, "data_offsets", where);
  if (offsets.size() != 2)
    refuse_safetensors(name, fmt::format("tensor {} has {} data_offsets, not 2", tensor, offsets.size()));
  entry.begin = static_cast<std::uint64_t>(whole_number(offsets[0], name, tensor));
  entry.end = static_cast<std::uint64_t>(whole_number(offsets[1], name, tensor));
  const auto bytes = bytes_of(entry);
  if (!bytes || entry.end < entry.begin || entry.end - entry.begin != *bytes)
    refuse_safetensors(
        name, fmt::format("tensor {} spans bytes {}..{}, which its shape and dtype do not fill", tensor,
                          entry.begin, entry.end));
  return entry;
}

std::map<std::string, std::string> parse_metadata(const Json& value, const std::string& name) {
  if (!value.is_object()) refuse_safetensors(name, "__metadata__ is not an object");
  std::map<std::string, std::string> metadata;
  for (const auto& [what, text] : value.items()) {
    if (!text.is_string()) refuse_safetensors(name, fmt::format("__metadata__ {} is not a string", what));
    metadata.emplace(what, text.get<std::string>());
  }
  return metadata;
}

void check_contiguous(const SafetensorsHeader& header, std::uint64_t data_bytes, const std::string& name) {
  std::vector<const std::pair<const std::string, TensorEntry>*> order;
  for (const auto& item : header.tensors) order.push_back(&item);
  std::sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return std::pair(a->second.begin, a->second.end) < std::pair(b->second.begin, b->second.end);
  });
  std::uint64_t at = 0;
  for (const auto* item : order) {
    if (item->second.begin != at)
      refuse_safetensors(
          name, fmt::format("tensor {} begins at byte {} of the data, {} was expected (an overlap or a hole)",
                            item->first, item->second.begin, at));
    at = item->second.end;
  }
  if (at != data_bytes)
    refuse_safetensors(name, fmt::format("the tensors take {} bytes, the file holds {}", at, data_bytes));
}

}  // namespace

const char* name_of(TensorType type) { return facts_of(type).name; }
std::uint64_t bytes_of(TensorType type) { return facts_of(type).bytes; }
bool is_floating(TensorType type) {
  return type == TensorType::f64 || type == TensorType::f32 || type == TensorType::f16 ||
         type == TensorType::bf16;
}

void refuse_safetensors(const std::string& name, const std::string& why) {
  throw common::Error(common::ErrorKind::format,
                      name + ": not a valid safetensors file: " + why + "; fetch or write it again");
}

std::uint64_t safetensors_json_bytes(ByteView start, std::uint64_t file_bytes, const std::string& name) {
  if (start.size() < 8 || file_bytes < 8)
    refuse_safetensors(name, fmt::format("{} bytes are too few for a header", file_bytes));
  const std::uint64_t size = common::load_le64(start.data());
  if (size > file_bytes - 8)
    refuse_safetensors(name, fmt::format("its header claims {} bytes of a file of {}", size, file_bytes));
  if (size > k_safetensors_header_limit_bytes)
    refuse_safetensors(name, fmt::format("its header claims {} bytes, the limit is {}", size,
                                         k_safetensors_header_limit_bytes));
  return size;
}

SafetensorsHeader parse_safetensors_header(ByteView start, std::uint64_t file_bytes,
                                           const std::string& name) {
  const auto size = safetensors_json_bytes(start, file_bytes, name);
  if (start.size() - 8 < size) refuse_safetensors(name, "it became shorter while it was read");
  const auto text = common::text_of(start.subspan(8, size));
  if (text.empty() || text.front() != '{') refuse_safetensors(name, "its header does not begin with '{'");
  SafetensorsHeader header;
  header.data_offset = 8 + size;
  bool described = false;
  const auto take = [&](const std::string& key, Json&& value) {
    if (key == "__metadata__") {
      if (std::exchange(described, true)) refuse_safetensors(name, "it has two __metadata__");
      header.metadata = parse_metadata(value, name);
      return;
    }
    if (key.size() > k_name_limit_bytes)
      refuse_safetensors(name, fmt::format("a tensor's name has {} bytes", key.size()));
    if (header.tensors.size() == k_tensor_limit)
      refuse_safetensors(name, fmt::format("it has more than {} tensors", k_tensor_limit));
    if (!header.tensors.emplace(key, parse_entry(value, name, key)).second)
      refuse_safetensors(name, fmt::format("it has two tensors called {}", key));
  };
  (void)parse_json_parts(text, name, {{{}, take}});
  check_contiguous(header, file_bytes - header.data_offset, name);
  return header;
}

std::map<std::string, std::string> parse_weight_map(std::string_view index, const std::string& name) {
  std::map<std::string, std::string> files;
  const auto refuse = [&](const std::string& why) {
    throw common::Error(common::ErrorKind::format, name + ": " + why + "; fetch it again");
  };
  const auto take = [&](const std::string& tensor, Json&& file) {
    if (tensor.size() > k_name_limit_bytes || files.size() == k_tensor_limit)
      refuse("it has more tensors, or longer names, than any model");
    const std::string* plain = file.is_string() ? &file.get_ref<const std::string&>() : nullptr;
    if (plain == nullptr || plain->empty() || plain->size() > k_name_limit_bytes || plain->starts_with('.') ||
        plain->find_first_of("/\\") != std::string::npos)
      refuse(fmt::format("tensor {} is not in a file of this folder", tensor));
    if (!files.emplace(tensor, *plain).second) refuse(fmt::format("tensor {} is listed twice", tensor));
  };
  const Json root = parse_json_parts(index, name, {{{"weight_map"}, take}});
  if (!common::member(root, "weight_map", name).is_object()) refuse("weight_map is not an object");
  return files;
}

}  // namespace trainer
