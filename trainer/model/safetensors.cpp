#include "trainer/model/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json.hpp"
#include "common/program.hpp"
#include "common/sealed/draft_file.hpp"

namespace trainer {

using common::ByteView;
using common::Error;
using common::ErrorKind;
using common::Json;

namespace {

struct TypePair {
  TensorType stored;
  torch::Dtype dtype;
};
constexpr TypePair k_types[] = {{TensorType::f64, torch::kFloat64}, {TensorType::f32, torch::kFloat32},
                                {TensorType::f16, torch::kFloat16}, {TensorType::bf16, torch::kBFloat16},
                                {TensorType::i64, torch::kInt64},   {TensorType::i32, torch::kInt32},
                                {TensorType::i16, torch::kInt16},   {TensorType::i8, torch::kInt8},
                                {TensorType::u8, torch::kUInt8},    {TensorType::boolean, torch::kBool}};

torch::Dtype dtype_of(TensorType type, const std::string& file, const std::string& tensor) {
  for (const auto& known : k_types)
    if (type == known.stored) return known.dtype;
  throw Error(
      ErrorKind::format,
      fmt::format("{}: tensor {} has dtype {}, which this does not read; convert the model to F32, F16 or "
                  "BF16",
                  file, tensor, name_of(type)));
}

TensorType type_of(torch::Dtype dtype) {
  for (const auto& known : k_types)
    if (dtype == known.dtype) return known.stored;
  common::ensure_failed("a tensor of a dtype that safetensors can hold", __FILE__, __LINE__);
}

torch::Tensor empty_for(const TensorEntry& entry, const std::string& file, const std::string& name) {
  return torch::empty(entry.shape, dtype_of(entry.type, file, name));
}

// A BOOL that is neither 0 nor 1 is undefined behaviour in whatever reads it.
void check_content(const torch::Tensor& tensor, const std::string& file, const std::string& name) {
  if (tensor.scalar_type() != torch::kBool) return;
  const auto* bytes = static_cast<const std::uint8_t*>(tensor.data_ptr());
  if (std::any_of(bytes, bytes + tensor.numel(), [](std::uint8_t byte) { return byte > 1; }))
    refuse_safetensors(file, fmt::format("tensor {} holds booleans that are neither 0 nor 1", name));
}

}  // namespace

TensorFile parse_safetensors(ByteView file, const std::string& name) {
  const auto header = parse_safetensors_header(file, file.size(), name);
  TensorFile content{{}, header.metadata};
  for (const auto& [key, entry] : header.tensors) {
    auto tensor = empty_for(entry, name, key);
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
  start.resize(8 + safetensors_json_bytes(start, file_bytes, path.string()));
  if (8 + open.file.read_at(start.data() + 8, start.size() - 8, 8, path) != start.size())
    refuse_safetensors(path.string(), "it became shorter while it was read");
  open.header = parse_safetensors_header(start, file_bytes, path.string());
  open.start = std::move(start);
  return open;
}

OpenTensorFile open_tensor_file(const std::filesystem::path& path) {
  return open_tensor_file(common::open_to_read(path), path);
}

torch::Tensor read_tensor(const OpenTensorFile& open, const std::string& name) {
  const auto& entry = open.header.tensors.at(name);
  auto tensor = empty_for(entry, open.path.string(), name);
  const auto size = entry.end - entry.begin;
  if (size > 0 &&
      open.file.read_at(tensor.data_ptr(), size, open.header.data_offset + entry.begin, open.path) != size)
    refuse_safetensors(open.path.string(), "it became shorter while it was read");
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
    header[name] = {{"dtype", name_of(type_of(tensor.scalar_type()))},
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

// All are open at once.
constexpr std::size_t k_shard_limit = 512;
constexpr const char* k_single_name = "model.safetensors";
constexpr const char* k_index_name = "model.safetensors.index.json";

// Hashes what is not wanted.
void skip(const OpenTensorFile& open, std::uint64_t begin, std::uint64_t end, common::Hasher& hasher) {
  constexpr std::uint64_t k_part_bytes = 1 << 20;
  common::ReadBuffer part(k_part_bytes);
  while (begin < end) {
    common::throw_if_stop_requested();
    const std::size_t got =
        open.file.read_at(part.data(), std::min(k_part_bytes, end - begin), begin, open.path);
    if (got == 0) refuse_safetensors(open.path.string(), "it became shorter while it was read");
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

namespace {

// "model-00001-of-00003.safetensors"
bool has_shard(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".safetensors") && name.find("-of-") != std::string::npos) return true;
  }
  return false;
}

}  // namespace

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
      throw Error(
          ErrorKind::io,
          has_shard(folder.path())
              ? fmt::format("{}: there are parts of the weights, and {}, which lists them, is not there; {}",
                            folder.path().string(), k_index_name, folder.advice())
              : fmt::format("{}: there are no weights, neither {} nor {}; {}", folder.path().string(),
                            k_single_name, k_index_name, folder.advice()));
    const OpenTensorFile& single = open(k_single_name);
    for (const auto& [name, entry] : single.header.tensors) state_->file_of.emplace(name, &single);
    return;
  }
  const auto weight_map = parse_weight_map(folder.read_text(k_index_name, k_index_limit_bytes),
                                           folder.path_of(k_index_name).string());
  // transformers takes the single file, others take the shards: of two models nobody knows which is meant.
  if (folder.has(k_single_name) && std::none_of(weight_map.begin(), weight_map.end(),
                                                [](const auto& of) { return of.second == k_single_name; }))
    throw Error(
        ErrorKind::mismatch,
        fmt::format("{} holds two sets of weights: {} and the files that {} lists; remove one of them",
                    folder.path().string(), k_single_name, k_index_name));
  std::uint64_t header_bytes = 0;
  for (const auto& [tensor, file] : weight_map) {
    if (!folder.has(file))
      throw Error(ErrorKind::io, fmt::format("{} lists {}, which is not there; the folder is incomplete: {}",
                                             folder.path_of(k_index_name).string(), file, folder.advice()));
    const std::size_t known = state_->files.size();
    const OpenTensorFile& shard = open(file);
    if (state_->files.size() > known) header_bytes += shard.start.size();
    if (state_->files.size() > k_shard_limit || header_bytes > k_safetensors_header_limit_bytes)
      throw Error(
          ErrorKind::format,
          fmt::format("{}: more than {} files, or more than {} bytes of headers; convert the model to "
                      "fewer files",
                      folder.path_of(k_index_name).string(), k_shard_limit,
                      k_safetensors_header_limit_bytes));
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
      common::throw_if_stop_requested();
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
