#include "trainer/data/feature_cache.hpp"

#include <fmt/format.h>

#include <atomic>

#include "common/error.hpp"
#include "common/sealed/draft_file.hpp"
#include "common/sealed/folder.hpp"
#include "common/terminal.hpp"
#include "trainer/model/safetensors.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;

constexpr const char* k_tensor = "features";
constexpr std::uint64_t k_entry_limit_bytes = std::uint64_t{1} << 30;
constexpr std::size_t k_seal_characters = 64;

std::string name_of(const common::Digest& file) { return file.hex() + ".features"; }

}  // namespace

struct FeatureCache::State {
  fs::path root;
  std::optional<CacheKey> key;  // nothing: keeps nothing
  std::shared_ptr<std::atomic<bool>> warned = std::make_shared<std::atomic<bool>>(false);
  common::Digest maker{};
  std::optional<common::Folder> folder{};  // of this maker; nothing where there can be none
  std::atomic<std::uint64_t> used{0}, computed{0};

  void open() {
    if (!key) return;
    try {
      std::error_code ignored;  // the open says what is wrong
      fs::create_directories(root / maker.hex(), ignored);
      folder = common::Folder::open(root / maker.hex());
    } catch (const common::Error& error) {
      warn(error.what());
    }
  }
  void warn(const std::string& why) const {
    if (!warned->exchange(true))
      common::print_line(stderr,
                         fmt::format("safe-trainer: features are not kept for the next run: {}", why));
  }
  [[nodiscard]] common::Digest seal(const common::Digest& file, common::ByteView content) const {
    return key->seal({maker.bytes(), file.bytes(), content});
  }
};

FeatureCache::FeatureCache() : state_(std::make_shared<State>()) {}

FeatureCache::FeatureCache(const fs::path& folder, const common::Digest& maker, const CacheKey& key)
    : FeatureCache() {
  state_->root = folder;
  state_->key = key;
  state_->maker = maker;
  state_->open();
}

FeatureCache FeatureCache::beside(const common::Digest& maker) const {
  auto state = std::make_shared<State>();
  state->root = state_->root;
  state->key = state_->key;
  state->warned = state_->warned;
  state->maker = maker;
  state->open();
  return FeatureCache(std::move(state));
}

std::optional<torch::Tensor> FeatureCache::find(const common::Digest& file) const {
  if (!state_->folder) return std::nullopt;
  const common::Folder& folder = *state_->folder;
  try {
    const std::string name = name_of(file);
    if (!folder.has_file(name)) return std::nullopt;
    const common::Bytes entry = folder.read(name, k_entry_limit_bytes);
    if (entry.size() < k_seal_characters) return std::nullopt;
    const common::ByteView content = common::ByteView(entry).subspan(k_seal_characters);
    const auto stated = common::text_of(common::ByteView(entry).first(k_seal_characters));
    if (state_->seal(file, content).hex() != stated) return std::nullopt;
    const TensorFile tensors = parse_safetensors(content, folder.path_of(name).string());
    const auto found = tensors.tensors.find(k_tensor);
    if (found == tensors.tensors.end()) return std::nullopt;
    ++state_->used;
    return found->second;
  } catch (const common::Error&) {
    return std::nullopt;
  }
}

void FeatureCache::keep(const common::Digest& file, const torch::Tensor& features) const {
  ++state_->computed;
  if (!state_->folder || *state_->warned) return;
  try {
    const common::Bytes content = format_safetensors({{{k_tensor, features}}, {}});
    common::DraftFile draft(state_->folder->path_of(name_of(file)), common::Patience::short_wait);
    draft.write(common::view_of(state_->seal(file, content).hex()));
    draft.write(content);
    draft.publish(common::Durability::none);
  } catch (const common::Error& error) {
    state_->warn(error.what());
  }
}

std::uint64_t FeatureCache::used() const { return state_->used; }
std::uint64_t FeatureCache::computed() const { return state_->computed; }

}  // namespace trainer
