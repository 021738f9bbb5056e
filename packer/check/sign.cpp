#include "packer/check/sign.hpp"

#include <unistd.h>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/lock.hpp"
#include "common/sealed/weaker.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/examine_folder.hpp"
#include "packer/check/verify.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

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
  } catch (...) {
    ::unlink(files.secret.c_str());
    throw;
  }
  if (common::Folder::open(secret.parent_path()).sync_published(secret) == common::Synced::not_supported)
    common::warn_of_no_sync(secret);
  return files;
}

SignSummary sign_pack(const SignRequest& request) {
  if (form_of(request.pack) != Form::folder)
    throw Error(ErrorKind::usage,
                request.pack.string() +
                    " is not a folder; sign the pack's folder, and archive it afterwards: the "
                    "archive carries the signature");
  const common::SecretKey key = common::read_signing_key(request.key, request.pack);
  const fs::path whole = fs::canonical(request.pack);
  const std::string name = whole.filename().string();
  const common::Folder parent = common::Folder::open(whole.parent_path());
  const common::Lock lock(parent, name);
  const common::Folder pack = common::Folder::open(whole);
  const Examination examination = examine_folder(pack, {Depth::full, {}, request.threads, request.verbosity});
  if (!examination.findings.empty())
    common::throw_findings(request.pack.string() + " does not verify and was not signed",
                           examination.findings, remedy_for(request.pack, examination.findings));
  // The very bytes that were verified, whatever the file holds by now.
  const common::Bytes& seal = examination.control.at(std::string(common::k_seal_name));
  return {*examination.id, common::write_signature(parent, name, pack, seal, key)};
}

}  // namespace packer
