#include "trainer/model/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json.hpp"
#include "common/sealed/draft_file.hpp"

namespace trainer {

using common::ByteView;
using common::Error;
using common::ErrorKind;
using common::Json;

namespace {

struct DtypeName {
  const char* name;
  torch::Dtype dtype;
};
constexpr DtypeName k_dtypes[] = {
    {"F64", torch::kFloat64}, {"F32", torch::kFloat32}, {"F16", torch::kFloat16}, {"BF16", torch::kBFloat16},
    {"I64", torch::kInt64},   {"I32", torch::kInt32},   {"U8", torch::kUInt8},    {"BOOL", torch::kBool}};
// More axes than any tensor of a model has; keeps a header from naming millions.
constexpr std::size_t k_axis_limit = 16;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::format,
              name + ": not a valid safetensors file: " + why + "; fetch or write it again");
}

torch::Dtype dtype_of(const std::string& text, const std::string& where, const std::string& tensor) {
  for (const auto& known : k_dtypes)
    if (text == known.name) return known.dtype;
  refuse(where, fmt::format("tensor {} has dtype {}, which is not one of F64 F32 F16 BF16 I64 I32 U8 BOOL",
                            tensor, text));
}

const char* name_of(torch::Dtype dtype) {
  for (const auto& known : k_dtypes)
    if (dtype == known.dtype) return known.name;
  common::ensure_failed("a tensor of a dtype that safetensors can hold", __FILE__, __LINE__);
}

std::uint64_t unsigned_value(const Json& value, const std::string& name, const std::string& tensor) {
  // Half of 2^63 keeps every sum of two such numbers inside 64 bits.
  if (!value.is_number_integer() || value.get<double>() < 0 || value.get<double>() > 4e18)
    refuse(name, fmt::format("tensor {} has a shape or an offset that is not a whole number", tensor));
  return value.get<std::uint64_t>();
}

// The bytes that the shape needs, or nothing where the product leaves 64 bits.
std::optional<std::uint64_t> bytes_of(const TensorEntry& entry) {
  std::uint64_t bytes = c10::elementSize(entry.dtype);
  for (const auto size : entry.shape)
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(size), &bytes)) return std::nullopt;
  return bytes;
}

TensorEntry parse_entry(const Json& value, const std::string& name, const std::string& tensor) {
  const auto where = fmt::format("{}: tensor {}", name, tensor);
  TensorEntry entry;
  if (!value.is_object() || value.size() != 3)
    refuse(name, fmt::format("tensor {} is not {{dtype, shape, data_offsets}}", tensor));
  entry.dtype = dtype_of(common::string_member(value, "dtype", where), name, tensor);
  const Json& shape = common::array_member(value, "shape", where);
  if (shape.size() > k_axis_limit) refuse(name, fmt::format("tensor {} has {} axes", tensor, shape.size()));
  for (const auto& size : shape)
    entry.shape.push_back(static_cast<std::int64_t>(unsigned_value(size, name, tensor)));
  const Json& offsets = common::array_member(value, "data_offsets", where);
  if (offsets.size() != 2)
    refuse(name, fmt::format("tensor {} has {} data_offsets, not 2", tensor, offsets.size()));
  entry.begin = unsigned_value(offsets[0], name, tensor);
  entry.end = unsigned_value(offsets[1], name, tensor);
  const auto bytes = bytes_of(entry);
  if (!bytes || entry.end < entry.begin || entry.end - entry.begin != *bytes)
    refuse(name, fmt::format("tensor {} spans bytes {}..{}, which its shape and dtype do not fill", tensor,
                             entry.begin, entry.end));
  return entry;
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
      refuse(name,
             fmt::format("tensor {} begins at byte {} of the data, {} was expected (an overlap or a hole)",
                         item->first, item->second.begin, at));
    at = item->second.end;
  }
  if (at != data_bytes)
    refuse(name, fmt::format("the tensors take {} bytes, the file holds {}", at, data_bytes));
}

std::uint64_t header_bytes(ByteView start, std::uint64_t file_bytes, const std::string& name) {
  if (start.size() < 8) refuse(name, fmt::format("{} bytes are too few for a header", file_bytes));
  const std::uint64_t size = common::load_le64(start.data());
  if (size > k_safetensors_header_limit_bytes)
    refuse(name, fmt::format("its header claims {} bytes, the limit is {}", size,
                             k_safetensors_header_limit_bytes));
  if (size > file_bytes - 8)
    refuse(name, fmt::format("its header claims {} bytes of a file of {}", size, file_bytes));
  return size;
}

torch::Tensor empty_for(const TensorEntry& entry) { return torch::empty(entry.shape, entry.dtype); }

// A BOOL that is neither 0 nor 1 is undefined behaviour in whatever reads it.
void check_content(const torch::Tensor& tensor, const std::string& file, const std::string& name) {
  if (tensor.scalar_type() != torch::kBool) return;
  const auto* bytes = static_cast<const std::uint8_t*>(tensor.data_ptr());
  if (std::any_of(bytes, bytes + tensor.numel(), [](std::uint8_t byte) { return byte > 1; }))
    refuse(file, fmt::format("tensor {} holds booleans that are neither 0 nor 1", name));
}

}  // namespace

SafetensorsHeader parse_safetensors_header(ByteView start, std::uint64_t file_bytes,
                                           const std::string& name) {
  const auto size = header_bytes(start, file_bytes, name);
  ENSURE(start.size() >= 8 + size);
  const auto text = common::text_of(start.subspan(8, size));
  if (text.empty() || text.front() != '{') refuse(name, "its header does not begin with '{'");
  // The JSON parser takes it for the end of the text.
  if (text.find('\0') != std::string_view::npos) refuse(name, "its header holds a NUL byte");
  const Json json = common::parse_json(text, name);
  SafetensorsHeader header;
  header.data_offset = 8 + size;
  for (const auto& [key, value] : json.items()) {
    if (key != "__metadata__") {
      header.tensors.emplace(key, parse_entry(value, name, key));
      continue;
    }
    if (!value.is_object()) refuse(name, "__metadata__ is not an object");
    for (const auto& [what, text_value] : value.items()) {
      if (!text_value.is_string()) refuse(name, fmt::format("__metadata__ {} is not a string", what));
      header.metadata.emplace(what, text_value.get<std::string>());
    }
  }
  check_contiguous(header, file_bytes - header.data_offset, name);
  return header;
}

TensorFile parse_safetensors(ByteView file, const std::string& name) {
  const auto header = parse_safetensors_header(file, file.size(), name);
  TensorFile content{{}, header.metadata};
  for (const auto& [key, entry] : header.tensors) {
    auto tensor = empty_for(entry);
    if (entry.end > entry.begin)
      std::memcpy(tensor.data_ptr(), file.data() + header.data_offset + entry.begin, entry.end - entry.begin);
    check_content(tensor, name, key);
    content.tensors.emplace(key, std::move(tensor));
  }
  return content;
}

namespace {

struct OpenTensorFile {
  std::filesystem::path path;
  common::File file;
  common::Bytes start;  // up to the tensors
  SafetensorsHeader header;
};

OpenTensorFile open_tensor_file(common::File file, const std::filesystem::path& path) {
  OpenTensorFile open{path, std::move(file), {}, {}};
  const auto file_bytes = common::size_of(open.file, path);
  common::Bytes start(8);
  start.resize(open.file.read_at(start.data(), 8, 0, path));
  start.resize(8 + header_bytes(start, file_bytes, path.string()));
  if (8 + open.file.read_at(start.data() + 8, start.size() - 8, 8, path) != start.size())
    refuse(path.string(), "it became shorter while it was read");
  open.header = parse_safetensors_header(start, file_bytes, path.string());
  open.start = std::move(start);
  return open;
}

OpenTensorFile open_tensor_file(const std::filesystem::path& path) {
  return open_tensor_file(common::open_to_read(path), path);
}

torch::Tensor read_tensor(const OpenTensorFile& open, const std::string& name) {
  const auto& entry = open.header.tensors.at(name);
  auto tensor = empty_for(entry);
  const auto size = entry.end - entry.begin;
  if (size > 0 &&
      open.file.read_at(tensor.data_ptr(), size, open.header.data_offset + entry.begin, open.path) != size)
    refuse(open.path.string(), "it became shorter while it was read");
  check_content(tensor, open.path.string(), name);
  return tensor;
}

TensorFile read_all(const OpenTensorFile& open) {
  TensorFile content{{}, open.header.metadata};
  for (const auto& [name, entry] : open.header.tensors)
    content.tensors.emplace(name, read_tensor(open, name));
  return content;
}

}  // namespace

TensorFile read_safetensors(const std::filesystem::path& path) { return read_all(open_tensor_file(path)); }

TensorFile read_safetensors(const common::Folder& folder, const std::string& inside) {
  return read_all(open_tensor_file(folder.open_to_read(inside), folder.path_of(inside)));
}

common::Bytes format_safetensors(const TensorFile& content) {
  // Wide types first, so that each tensor begins at a multiple of its own element's size without gaps.
  std::vector<std::pair<std::string, torch::Tensor>> order;
  for (const auto& [name, tensor] : content.tensors)
    order.emplace_back(name, tensor.detach().cpu().contiguous());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.second.element_size() > b.second.element_size();
  });
  Json header = Json::object();
  if (!content.metadata.empty()) header["__metadata__"] = content.metadata;
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : order) {
    const std::uint64_t end = at + tensor.nbytes();
    header[name] = {{"dtype", name_of(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {at, end}}};
    at = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  common::Bytes file(8 + text.size() + at);
  common::store_le(text.size(), 8, file.data());
  std::memcpy(file.data() + 8, text.data(), text.size());
  auto* to = file.data() + 8 + text.size();
  for (const auto& [name, tensor] : order) {
    if (tensor.nbytes() > 0) std::memcpy(to, tensor.data_ptr(), tensor.nbytes());
    to += tensor.nbytes();
  }
  return file;
}

void write_safetensors(const std::filesystem::path& path, const TensorFile& content) {
  common::write_file(path, format_safetensors(content));
}

void write_safetensors(const common::Folder& folder, const std::string& inside, const TensorFile& content) {
  folder.write(inside, format_safetensors(content));
}

namespace {

// Far more than any index has; one of 13 billion parameters takes 60 kB.
constexpr std::uint64_t k_index_limit_bytes = 64 << 20;

constexpr const char* k_single_name = "model.safetensors";
constexpr const char* k_index_name = "model.safetensors.index.json";

std::map<std::string, std::string> read_weight_map(const ModelFolder& folder) {
  const auto where = folder.path_of(k_index_name).string();
  const Json index = folder.read_json(k_index_name, k_index_limit_bytes);
  std::map<std::string, std::string> files;
  const Json& map = common::member(index, "weight_map", where);
  if (!map.is_object()) throw Error(ErrorKind::format, where + ": weight_map is not an object");
  for (const auto& [tensor, file] : map.items()) {
    if (!file.is_string() || file.get_ref<const std::string&>().find_first_of("/\\") != std::string::npos ||
        file.get_ref<const std::string&>().starts_with('.'))
      throw Error(ErrorKind::format,
                  fmt::format("{}: tensor {} is not in a file of this folder", where, tensor));
    files.emplace(tensor, file.get<std::string>());
  }
  return files;
}

// Hashes what is not wanted.
void skip(const OpenTensorFile& open, std::uint64_t begin, std::uint64_t end, common::Hasher& hasher) {
  constexpr std::uint64_t k_part_bytes = 1 << 20;
  common::ReadBuffer part(k_part_bytes);
  while (begin < end) {
    const std::size_t got =
        open.file.read_at(part.data(), std::min(k_part_bytes, end - begin), begin, open.path);
    if (got == 0) refuse(open.path.string(), "it became shorter while it was read");
    hasher.update({part.data(), got});
    begin += got;
  }
}

}  // namespace

struct SafetensorsFolder::State {
  const ModelFolder* folder = nullptr;
  std::map<std::string, OpenTensorFile> files;
  std::map<std::string, const OpenTensorFile*> file_of;  // by tensor
};

SafetensorsFolder::SafetensorsFolder(const ModelFolder& folder) : state_(std::make_unique<State>()) {
  state_->folder = &folder;
  const auto open = [&](const std::string& name) -> const OpenTensorFile& {
    const auto found = state_->files.find(name);
    if (found != state_->files.end()) return found->second;
    return state_->files.emplace(name, open_tensor_file(folder.open(name), folder.path_of(name)))
        .first->second;
  };
  if (!folder.has(k_index_name)) {
    if (!folder.has(k_single_name))
      throw Error(ErrorKind::io,
                  fmt::format("{}: there is neither model.safetensors nor model.safetensors.index.json; "
                              "weights in other formats must be converted first",
                              folder.path().string()));
    const OpenTensorFile& single = open(k_single_name);
    for (const auto& [name, entry] : single.header.tensors) state_->file_of.emplace(name, &single);
    return;
  }
  for (const auto& [tensor, file] : read_weight_map(folder)) {
    const OpenTensorFile& shard = open(file);
    if (!shard.header.tensors.contains(tensor))
      throw Error(ErrorKind::mismatch,
                  fmt::format("{}: tensor {} is not in {}, where the index puts it; the folder is "
                              "incomplete or mixed, fetch it again",
                              folder.path_of(k_index_name).string(), tensor, file));
    state_->file_of.emplace(tensor, &shard);
  }
}
SafetensorsFolder::~SafetensorsFolder() = default;
SafetensorsFolder::SafetensorsFolder(SafetensorsFolder&&) noexcept = default;
SafetensorsFolder& SafetensorsFolder::operator=(SafetensorsFolder&&) noexcept = default;

const std::filesystem::path& SafetensorsFolder::path() const { return state_->folder->path(); }

std::vector<std::string> SafetensorsFolder::names() const {
  std::vector<std::string> all;
  for (const auto& [name, file] : state_->file_of) all.push_back(name);
  return all;
}

const TensorEntry& SafetensorsFolder::entry(const std::string& name) const {
  return state_->file_of.at(name)->header.tensors.at(name);
}

void SafetensorsFolder::read(
    const std::set<std::string>& wanted,
    const std::function<void(const std::string& name, const torch::Tensor& tensor)>& take) const {
  for (const auto& [file_name, open] : state_->files) {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::string> order;  // by the bytes that they take
    for (const auto& [name, entry] : open.header.tensors)
      if (entry.end > entry.begin) order.emplace(std::pair(entry.begin, entry.end), name);
    common::Hasher hasher;
    hasher.update(open.start);
    for (const auto& [range, name] : order) {
      const auto place = state_->file_of.find(name);
      if (!wanted.contains(name) || place == state_->file_of.end() || place->second != &open) {
        skip(open, open.header.data_offset + range.first, open.header.data_offset + range.second, hasher);
        continue;
      }
      const torch::Tensor tensor = read_tensor(open, name);
      hasher.update({static_cast<const std::uint8_t*>(tensor.data_ptr()), tensor.nbytes()});
      take(name, tensor);
    }
    // Those without a byte.
    for (const auto& [name, entry] : open.header.tensors)
      if (entry.end == entry.begin && wanted.contains(name) && state_->file_of.at(name) == &open)
        take(name, read_tensor(open, name));
    state_->folder->note(file_name, hasher.finish());
  }
}

}  // namespace trainer
