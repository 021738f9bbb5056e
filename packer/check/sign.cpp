#include "packer/check/sign.hpp"

#include <unistd.h>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/lock.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/examine_folder.hpp"
#include "packer/check/verify.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

// Whether a folder on the way to `path` is `pack`, or another pack: an archive may have been unpacked beside
// itself, its maker's key with it.
bool goes_through_a_pack(fs::path path, const fs::path& pack) {
  std::error_code none;
  while (path.has_relative_path()) {
    path = path.parent_path();
    if (fs::equivalent(path, pack, none)) return true;
    if (fs::exists(path / common::k_seal_name, none) && fs::exists(path / k_info_name, none)) return true;
  }
  return false;
}

// Links count both ways: a link in the pack to a key elsewhere, and a link elsewhere to a key in the pack.
bool lies_in_a_pack(const fs::path& key, const fs::path& pack) {
  return goes_through_a_pack(fs::absolute(key).lexically_normal(), pack) ||
         goes_through_a_pack(fs::weakly_canonical(key), pack);
}

void write_new(common::File file, const fs::path& path, common::ByteView bytes) {
  try {
    file.write_all(bytes, path);
    file.sync(path);
    file.close(path);
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
}

void check_absent(const fs::path& path) {
  if (fs::exists(fs::symlink_status(path)))
    throw Error(ErrorKind::usage,
                path.string() + " already exists, and a key is never overwritten; name another file");
}

}  // namespace

KeyFiles keygen(const fs::path& secret) {
  if (secret.extension() != ".pem" || !secret.has_stem())
    throw Error(ErrorKind::usage, secret.string() + " must end with .pem; rename it");
  KeyFiles files{secret, secret};
  files.public_half.replace_extension(".pub.pem");
  check_absent(files.secret);
  check_absent(files.public_half);
  const common::SecretKey key = common::SecretKey::generate();
  const std::string pem = key.pem(), public_pem = key.public_key().pem();
  write_new(common::create_secret(files.secret), files.secret, common::view_of(pem));
  try {
    write_new(common::create_new(files.public_half), files.public_half, common::view_of(public_pem));
    common::Folder::open(secret.parent_path()).sync();
  } catch (...) {
    ::unlink(files.secret.c_str());
    throw;
  }
  return files;
}

SignSummary sign_pack(const SignRequest& request) {
  if (form_of(request.pack) != Form::folder)
    throw Error(ErrorKind::usage,
                request.pack.string() +
                    " is not a folder; sign the pack's folder, and archive it afterwards: the "
                    "archive carries the signature");
  if (lies_in_a_pack(request.key, request.pack))
    throw Error(ErrorKind::usage,
                request.key.string() +
                    " is inside a pack and would be passed on with it; move it to a place where "
                    "only its owner can read it");
  const common::SecretKey key = common::read_secret_key(request.key);
  const common::PublicKey checker = key.public_key();
  const fs::path whole = fs::canonical(request.pack);
  const std::string name = whole.filename().string();
  const common::Folder parent = common::Folder::open(whole.parent_path());
  const common::Lock lock(parent, name);
  const common::Folder pack = common::Folder::open(whole);
  // Of a run that was killed.
  const std::string draft = "." + name + ".sig.draft";
  parent.remove(draft);
  const Examination examination = examine_folder(pack, {Depth::full, {}, request.threads, request.verbosity});
  if (!examination.findings.empty())
    common::throw_findings(request.pack.string() + " does not verify and was not signed",
                           examination.findings, remedy_for(request.pack, examination.findings));
  SignSummary summary{*examination.id, Signing::written};
  // The very bytes that were verified, whatever the file holds by now.
  const common::Bytes& seal = examination.control.at(std::string(common::k_seal_name));
  const fs::path target = request.pack / common::k_signature_name;
  if (examination.has_signature()) {
    if (!checker.verifies(seal, examination.control.at(std::string(common::k_signature_name))))
      throw Error(ErrorKind::usage, target.string() +
                                        " is by another key; delete it first if that key "
                                        "should no longer sign this pack");
    summary.signing = Signing::was_there;
    return summary;
  }
  const common::Signature signature = key.sign(seal);
  // A key that was damaged in memory or on the disk could sign, and give itself away by a wrong signature.
  ENSURE(checker.verifies(seal, signature));
  // Beside the pack: in it, what a kill leaves would be a file that the seal does not list.
  write_new(parent.create(draft), parent.path_of(draft), signature);
  parent.rename(draft, pack, std::string(common::k_signature_name));
  pack.sync();
  return summary;
}

common::PublicKey read_trusted_key(const fs::path& key, const fs::path& pack) {
  if (lies_in_a_pack(key, pack))
    throw Error(ErrorKind::usage,
                key.string() +
                    " is inside a pack, so whoever made the pack chose it; name a key that came to "
                    "you by another way");
  return common::read_public_key(key);
}

}  // namespace packer
