#include "trainer/data/feature_cache.hpp"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <optional>

#include "common/error.hpp"
#include "common/file.hpp"
#include "trainer/model/safetensors.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_tensor = "features";
constexpr std::uint64_t k_entry_limit_bytes = std::uint64_t{1} << 30;
constexpr std::size_t k_digest_characters = 64;

std::optional<torch::Tensor> read_entry(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    const common::Bytes entry = common::read_file(path, k_entry_limit_bytes);
    if (entry.size() < k_digest_characters) return std::nullopt;
    const common::ByteView content = common::ByteView(entry).subspan(k_digest_characters);
    const auto stated = common::text_of(common::ByteView(entry).first(k_digest_characters));
    if (common::digest_of(content).hex() != stated) return std::nullopt;
    return parse_safetensors(content, path.string()).tensors.at(k_tensor);
  } catch (const common::Error&) {
    return std::nullopt;  // unreadable is as good as absent
  }
}

void write_entry(const fs::path& path, const torch::Tensor& features) {
  static std::atomic<unsigned> count{0};
  const common::Bytes content = format_safetensors({{{k_tensor, features}}, {}});
  fs::path draft = path;
  draft += ".draft" + std::to_string(::getpid()) + "." + std::to_string(count++);
  common::File file = common::create_new(draft);
  file.write_all(common::view_of(common::digest_of(content).hex()), draft);
  file.write_all(content, draft);
  file.close(draft);
  if (std::rename(draft.c_str(), path.c_str()) != 0)
    common::throw_errno("cannot rename " + draft.string() + " to " + path.string());
}

}  // namespace

FeatureCache::FeatureCache(const fs::path& folder, const common::Digest& encoder)
    : folder_(folder / encoder.hex()) {
  std::error_code failure;
  fs::create_directories(folder_, failure);
  if (failure)
    throw common::Error(common::ErrorKind::io, "cannot create the folder " + folder_.string() + ": " +
                                                   failure.message() +
                                                   "; choose another --feature-cache, or off");
}

fs::path FeatureCache::entry_of(const common::Digest& file) const {
  return folder_ / (file.hex() + ".features");
}

std::optional<torch::Tensor> FeatureCache::find(const common::Digest& file) const {
  return folder_.empty() ? std::nullopt : read_entry(entry_of(file));
}

void FeatureCache::keep(const common::Digest& file, const torch::Tensor& features) const {
  if (!folder_.empty()) write_entry(entry_of(file), features);
}

}  // namespace trainer
