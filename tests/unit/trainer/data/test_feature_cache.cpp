#include "trainer/data/feature_cache.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/model/safetensors.hpp"

#include <doctest/doctest.h>

using trainer::CacheKey;
using trainer::FeatureCache;
namespace fs = std::filesystem;

namespace {

const common::Digest k_maker = common::digest_of("an encoder"), k_file = common::digest_of("a file");
const CacheKey k_key({1, 2, 3});

struct Filled {
  support::Scratch scratch;
  torch::Tensor features = torch::arange(24).to(torch::kFloat32).view({4, 6});
  fs::path entry = scratch / k_maker.hex() / (k_file.hex() + ".features");

  Filled() { FeatureCache(scratch.path(), k_maker, k_key).keep(k_file, features); }
  [[nodiscard]] bool finds(const CacheKey& key = k_key, const common::Digest& maker = k_maker,
                           const common::Digest& file = k_file) const {
    const auto found = FeatureCache(scratch.path(), maker, key).find(file);
    if (found) CHECK(found->equal(features));
    return found.has_value();
  }
};

}  // namespace

TEST_CASE("what was kept is found with its very bits, and both are counted") {
  const Filled filled;
  const FeatureCache cache(filled.scratch.path(), k_maker, k_key);
  CHECK(cache.find(k_file)->equal(filled.features));
  CHECK_FALSE(cache.find(common::digest_of("another file")).has_value());
  cache.keep(common::digest_of("another file"), filled.features);
  CHECK(cache.used() == 1);
  CHECK(cache.computed() == 1);
  const FeatureCache none;
  none.keep(k_file, filled.features);
  CHECK_FALSE(none.find(k_file).has_value());
  CHECK(none.used() == 0);
  CHECK(none.computed() == 1);
}

TEST_CASE("an entry with a changed byte, or cut anywhere, is a miss and is made again") {
  const Filled filled;
  const std::string whole = support::text_of_file(filled.entry);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    CAPTURE(at);
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ (1 << (at % 8)));
    support::put_file(filled.entry, changed);
    CHECK_FALSE(filled.finds());
    support::put_file(filled.entry, whole.substr(0, at));
    CHECK_FALSE(filled.finds());
  }
  support::put_file(filled.entry, whole + "x");
  CHECK_FALSE(filled.finds());
  FeatureCache(filled.scratch.path(), k_maker, k_key).keep(k_file, filled.features);
  CHECK(support::text_of_file(filled.entry) == whole);
  CHECK(filled.finds());
}

TEST_CASE("an entry is taken only with the key, for the maker and for the file that it was made with") {
  const Filled filled;
  CHECK(filled.finds());
  CHECK_FALSE(filled.finds(CacheKey({1, 2, 4})));
  const common::Digest maker = common::digest_of("another encoder"), file = common::digest_of("another file");
  fs::create_directories(filled.scratch / maker.hex());
  fs::copy_file(filled.entry, filled.scratch / maker.hex() / filled.entry.filename());
  fs::copy_file(filled.entry, filled.entry.parent_path() / (file.hex() + ".features"));
  CHECK_FALSE(filled.finds(k_key, maker));
  CHECK_FALSE(filled.finds(k_key, k_maker, file));
}

TEST_CASE("an entry whose seal is right and whose content is not is a miss") {
  const Filled filled;
  const auto put = [&](const common::Bytes& content) {
    const std::string seal = k_key.seal({k_maker.bytes(), k_file.bytes(), content}).hex();
    support::put_file(filled.entry, seal + std::string(content.begin(), content.end()));
  };
  put(trainer::format_safetensors({{{"features", filled.features}}, {}}));
  CHECK(filled.finds());
  put({});
  CHECK_FALSE(filled.finds());
  put(common::Bytes(100, 0x20));
  CHECK_FALSE(filled.finds());
  put(trainer::format_safetensors({{{"other", filled.features}}, {}}));
  CHECK_FALSE(filled.finds());
}

TEST_CASE("what lies in an entry's place, or was left beside it, ends no run") {
  const Filled filled;
  const std::string name = filled.entry.filename().string();
  const fs::path folder = filled.entry.parent_path();
  // What runs of any process number left, and the draft of one that was killed.
  support::put_file(folder / ("." + name + ".draft"), "half");
  support::put_file(folder / ("." + name + ".lock"), "");
  for (int i = 0; i < 3; ++i)
    support::put_file(folder / (name + ".draft" + std::to_string(::getpid()) + "." + std::to_string(i)), "");
  fs::remove(filled.entry);
  const FeatureCache cache(filled.scratch.path(), k_maker, k_key);
  cache.keep(k_file, filled.features);
  CHECK(filled.finds());
  CHECK_FALSE(fs::exists(folder / ("." + name + ".draft")));
  fs::rename(filled.entry, filled.scratch / "elsewhere");
  fs::create_symlink(filled.scratch / "elsewhere", filled.entry);
  CHECK_FALSE(filled.finds());
  fs::remove(filled.entry);
  fs::create_directory(filled.entry);
  CHECK_FALSE(filled.finds());
  cache.keep(k_file, filled.features);  // cannot, and says so once
  CHECK_FALSE(filled.finds());
  // No folder can be made here.
  const FeatureCache nowhere(filled.scratch / "elsewhere", k_maker, k_key);
  nowhere.keep(k_file, filled.features);
  CHECK_FALSE(nowhere.find(k_file).has_value());
  CHECK(nowhere.computed() == 1);
}

TEST_CASE("two processes that keep and find the same entries at once never see a part of one") {
  const support::Scratch scratch;
  const auto use = [&] {
    const FeatureCache cache(scratch.path(), k_maker, k_key);
    for (int i = 0; i < 60; ++i) {
      const common::Digest file = common::digest_of(std::to_string(i % 6));
      const torch::Tensor features = torch::full({300}, i % 6, torch::kFloat32);
      if (const auto found = cache.find(file); found && !found->equal(features)) return 1;
      cache.keep(file, features);
      const auto kept = cache.find(file);
      if (!kept || !kept->equal(features)) return 2;
    }
    return 0;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    children.push_back(::fork());
    if (children.back() == 0) ::_exit(use());
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(std::distance(fs::directory_iterator(scratch / k_maker.hex()), fs::directory_iterator()) == 6);
}
