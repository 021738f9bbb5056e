#include "trainer/data/cache_key.hpp"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/lock.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;
using Secret = std::array<std::uint8_t, CacheKey::k_size>;

// Nothing where it is not there, or was left unfinished by a process that was killed.
std::optional<Secret> read_secret(const common::Folder& folder, const std::string& name) {
  if (!folder.look(name)) return std::nullopt;
  const fs::path shown = folder.path_of(name);
  const common::File file = folder.open_to_read(name);
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) common::throw_errno("cannot examine " + shown.string());
  if (status.st_uid != ::geteuid() || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error(ErrorKind::io,
                shown.string() + " is readable or writable for other users; remove it, a new one is made");
  const common::Bytes bytes = common::read_file(file, shown, 4096);
  if (bytes.size() != CacheKey::k_size) return std::nullopt;
  Secret secret{};
  std::copy(bytes.begin(), bytes.end(), secret.begin());
  return secret;
}

Secret make_secret(const common::Folder& folder, const std::string& name) {
  Secret secret{};
  if (::getrandom(secret.data(), secret.size(), 0) != static_cast<ssize_t>(secret.size()))
    common::throw_errno("cannot draw a key");
  folder.remove(name);
  const fs::path shown = folder.path_of(name);
  common::File file = common::create_secret(shown);
  file.write_all(secret, shown);
  file.sync(shown);
  file.close(shown);
  return secret;
}

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

fs::path CacheKey::path_of_user() {
  fs::path config = from_environment("XDG_CONFIG_HOME");
  if (!config.is_absolute()) {  // the standard has relative ones ignored
    const fs::path home = from_environment("HOME");
    if (!home.is_absolute())
      throw Error(
          ErrorKind::io,
          "neither XDG_CONFIG_HOME nor HOME names a folder for the key of the feature cache; set one");
    config = home / ".config";
  }
  return config / "safe-packs" / "cache.key";
}

CacheKey CacheKey::open(const fs::path& file) {
  std::error_code failure;
  fs::create_directories(file.parent_path(), failure);
  if (failure)
    throw Error(ErrorKind::io,
                "cannot create the folder " + file.parent_path().string() + ": " + failure.message());
  const common::Folder folder = common::Folder::open(file.parent_path());
  const std::string name = file.filename().string();
  // Without the lock first: it stays readable where nothing can be written.
  if (const auto secret = read_secret(folder, name)) return CacheKey(*secret);
  const common::Lock lock(folder, name, common::Patience::short_wait);
  if (const auto secret = read_secret(folder, name)) return CacheKey(*secret);
  return CacheKey(make_secret(folder, name));
}

common::Digest CacheKey::seal(std::initializer_list<common::ByteView> parts) const {
  constexpr std::size_t k_block_bytes = 64;
  std::array<std::uint8_t, k_block_bytes> inner{}, outer{};
  inner.fill(0x36);
  outer.fill(0x5C);
  for (std::size_t i = 0; i < bytes_.size(); ++i) {
    inner[i] ^= bytes_[i];
    outer[i] ^= bytes_[i];
  }
  common::Hasher hasher;
  hasher.update(inner);
  for (const common::ByteView part : parts) hasher.update(part);
  const common::Digest inside = hasher.finish();
  hasher.update(outer);
  hasher.update(inside.bytes());
  return hasher.finish();
}

}  // namespace trainer
