#include "common/sealed/signature.hpp"

#include "common/error.hpp"
#include "common/sealed/sums.hpp"
#include "common/sealed/weaker.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;

// What lies beside the seal of a pack, and of a run or a base.
constexpr const char* k_sealed_marks[] = {"pack.json", "config.json"};

bool is_sealed_folder(const fs::path& path) {
  std::error_code none;
  if (!fs::exists(path / k_seal_name, none)) return false;
  for (const char* mark : k_sealed_marks)
    if (fs::exists(path / mark, none)) return true;
  return false;
}

// Whether a folder on the way to `path` is `sealed`, or another one: an archive may have been unpacked beside
// itself, its maker's key with it.
bool goes_through_one(fs::path path, const fs::path& sealed) {
  std::error_code none;
  while (path.has_relative_path()) {
    path = path.parent_path();
    if (fs::equivalent(path, sealed, none) || is_sealed_folder(path)) return true;
  }
  return false;
}

// Links count both ways: a link in the folder to a key elsewhere, and a link elsewhere to a key in the
// folder.
bool lies_in_one(const fs::path& key, const fs::path& sealed) {
  return goes_through_one(fs::absolute(key).lexically_normal(), sealed) ||
         goes_through_one(fs::weakly_canonical(key), sealed);
}

Synced write_new(File file, const fs::path& path, ByteView bytes) {
  file.write_all(bytes, path);
  const Synced synced = file.sync(path);
  file.close(path);
  return synced;
}

}  // namespace

PublicKey read_trusted_key(const fs::path& key, const fs::path& sealed) {
  if (lies_in_one(key, sealed))
    throw Error(ErrorKind::usage,
                key.string() +
                    " is inside a pack or a run, so whoever made that chose it; name a key that came to "
                    "you by another way");
  return read_public_key(key);
}

SecretKey read_signing_key(const fs::path& key, const fs::path& sealed) {
  if (lies_in_one(key, sealed))
    throw Error(ErrorKind::usage,
                key.string() +
                    " is inside a pack or a run and would be passed on with it; move it to a place where "
                    "only its owner can read it");
  return read_secret_key(key);
}

std::string why_not_signed(const PublicKey& trusted, const std::optional<Bytes>& seal,
                           const std::optional<Bytes>& signature) {
  if (!seal || !signature) return "is missing, and a signature is required";
  if (!trusted.verifies(*seal, *signature)) return "is not a signature of this SHA256SUMS by the trusted key";
  return "";
}

Signing write_signature(const Folder& parent, const std::string& name, const Folder& folder, ByteView seal,
                        const SecretKey& key) {
  const std::string signature_name(k_signature_name), draft = "." + name + ".sig.draft";
  const PublicKey checker = key.public_key();
  // Of a process that was killed.
  parent.remove(draft);
  if (const auto there = folder.look(signature_name)) {
    const bool may_be_ours = there->kind == EntryKind::file && there->size == k_signature_bytes;
    if (!may_be_ours || !checker.verifies(seal, folder.read(signature_name, k_signature_bytes)))
      throw Error(ErrorKind::usage,
                  folder.path_of(signature_name).string() +
                      " is by another key; delete it first if that key should no longer sign " + name);
    return Signing::was_there;
  }
  const Signature signature = key.sign(seal);
  // A key that was damaged in memory or on the disk could sign, and give itself away by a wrong signature.
  ENSURE(checker.verifies(seal, signature));
  // Beside the folder: in it, what a kill leaves would be a file that the seal does not list.
  Synced synced = Synced::yes;
  try {
    synced = write_new(parent.create(draft), parent.path_of(draft), signature);
  } catch (...) {
    parent.remove(draft);
    throw;
  }
  parent.rename(draft, folder, signature_name);
  if (folder.sync_published(folder.path_of(signature_name)) == Synced::not_supported ||
      synced == Synced::not_supported)
    warn_of_no_sync(folder.path_of(signature_name));
  return Signing::written;
}

}  // namespace common
