#include "trainer/data/cache_key.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

using trainer::CacheKey;
namespace fs = std::filesystem;

namespace {

common::Digest seal_of(const CacheKey& key) {
  const std::string text = "x";
  return key.seal({common::view_of(text)});
}

}  // namespace

TEST_CASE("seals are HMAC-SHA256") {
  // RFC 4231, test case 1; a key that is shorter than 32 bytes is one with zeros behind.
  std::array<std::uint8_t, 32> bytes{};
  std::fill_n(bytes.begin(), 20, 0x0B);
  const CacheKey key(bytes);
  const std::string hi = "Hi ", there = "There";
  CHECK(key.seal({common::view_of(hi), common::view_of(there)}).hex() ==
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

TEST_CASE("a key is made once, for its owner alone, and is another one elsewhere") {
  const support::Scratch scratch;
  const fs::path file = scratch / "config" / "safe-packs" / "cache.key";
  const common::Digest first = seal_of(CacheKey::open(file));
  CHECK(seal_of(CacheKey::open(file)) == first);
  CHECK(seal_of(CacheKey::open(scratch / "other.key")) != first);
  struct stat status {};
  REQUIRE(::stat(file.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(status.st_size == 32);
  CHECK(std::distance(fs::directory_iterator(file.parent_path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a key that others may read is refused, and what a killed process left of one is made anew") {
  const support::Scratch scratch;
  const fs::path file = scratch / "cache.key";
  const common::Digest first = seal_of(CacheKey::open(file));
  ::chmod(file.c_str(), 0644);
  CHECK_THROWS_WITH_AS((void)CacheKey::open(file), doctest::Contains("other users"), common::Error);
  ::chmod(file.c_str(), 0600);
  CHECK(seal_of(CacheKey::open(file)) == first);
  fs::resize_file(file, 7);
  const common::Digest second = seal_of(CacheKey::open(file));
  CHECK(second != first);
  CHECK(seal_of(CacheKey::open(file)) == second);
}

TEST_CASE("of several that make the key at once all get the same") {
  for (int round = 0; round < 20; ++round) {
    const support::Scratch scratch;
    std::vector<pid_t> children;
    for (int i = 0; i < 4; ++i) {
      children.push_back(::fork());
      if (children.back() == 0) {
        support::put_file(scratch / std::to_string(i), seal_of(CacheKey::open(scratch / "cache.key")).hex());
        ::_exit(0);
      }
    }
    for (const pid_t child : children) {
      int status = 0;
      REQUIRE(::waitpid(child, &status, 0) == child);
      REQUIRE(status == 0);
    }
    const std::string seal = seal_of(CacheKey::open(scratch / "cache.key")).hex();
    for (int i = 0; i < 4; ++i) CHECK(support::text_of_file(scratch / std::to_string(i)) == seal);
  }
}

TEST_CASE("the key lies where the user's other settings are") {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const std::string before = config == nullptr ? "" : config;
  ::setenv("XDG_CONFIG_HOME", "/somewhere", 1);
  CHECK(CacheKey::path_of_user() == "/somewhere/safe-packs/cache.key");
  ::setenv("XDG_CONFIG_HOME", "relative", 1);
  const char* home = std::getenv("HOME");
  const std::string home_before = home == nullptr ? "" : home;
  ::setenv("HOME", "/home/me", 1);
  CHECK(CacheKey::path_of_user() == "/home/me/.config/safe-packs/cache.key");
  ::unsetenv("HOME");
  CHECK_THROWS_AS((void)CacheKey::path_of_user(), common::Error);
  if (home != nullptr) ::setenv("HOME", home_before.c_str(), 1);
  ::unsetenv("XDG_CONFIG_HOME");
  if (config != nullptr) ::setenv("XDG_CONFIG_HOME", before.c_str(), 1);
}
