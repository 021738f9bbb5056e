#include "packer/check/sign.hpp"

#include <sys/stat.h>

#include <functional>

#include "common/error.hpp"
#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/check/open.hpp"
#include "packer/check/verify.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/keys.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code = 0;
  std::string message;
};

Outcome outcome_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const common::Error& error) {
    return {common::exit_code(error.kind()), error.what()};
  }
  return {};
}

using support::holds;

mode_t mode_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777;
}

struct Site {
  support::Scratch scratch;
  fs::path pack, key, trusted;
  Site() {
    pack = packer::build_pack(support::small_sources(scratch.path())).location;
    const packer::KeyFiles files = packer::keygen(scratch / "KEY.pem");
    key = files.secret;
    trusted = files.public_half;
  }
  packer::SignSummary sign() const { return packer::sign_pack({pack, key, 1, common::Verbosity::quiet}); }
  [[nodiscard]] packer::Report verify(const fs::path& path) const {
    packer::ExamineRequest request;
    request.verbosity = common::Verbosity::quiet;
    request.trusted_key = common::read_trusted_key(trusted, path);
    return packer::verify(path, request);
  }
  [[nodiscard]] fs::path archive(const std::string& name) const {
    (void)packer::archive({pack, scratch / name, 1, common::Verbosity::quiet});
    return scratch / name;
  }
};

}  // namespace

TEST_CASE("a new key is readable by its owner alone, whatever the umask, and its public half by all") {
  const support::Scratch scratch;
  for (const mode_t umask : std::vector<mode_t>{0000, 0022, 0077}) {
    const mode_t before = ::umask(umask);
    const fs::path name = scratch / ("KEY" + std::to_string(umask) + ".pem");
    const packer::KeyFiles files = packer::keygen(name);
    ::umask(before);
    CHECK(files.secret == name);
    CHECK(files.public_half == scratch / ("KEY" + std::to_string(umask) + ".pub.pem"));
    CHECK(mode_of(files.secret) == 0600);
    CHECK(mode_of(files.public_half) == 0644);
    CHECK(common::read_secret_key(files.secret).public_key() == common::read_public_key(files.public_half));
  }
  CHECK(support::tree_of(scratch.path()).size() == 6);
}

TEST_CASE("no key is ever overwritten, and half a pair is never left") {
  const support::Scratch scratch;
  (void)packer::keygen(scratch / "KEY.pem");
  const support::Tree before = support::tree_of(scratch.path());
  CHECK(outcome_of([&] { packer::keygen(scratch / "KEY.pem"); }).code == 2);
  support::put(scratch / "HALF.pub.pem", std::string("mine"));
  CHECK(outcome_of([&] { packer::keygen(scratch / "HALF.pem"); }).code == 2);
  CHECK_FALSE(fs::exists(scratch / "HALF.pem"));
  fs::create_symlink("nowhere", scratch / "LINK.pem");
  CHECK(outcome_of([&] { packer::keygen(scratch / "LINK.pem"); }).code == 2);
  CHECK(outcome_of([&] { packer::keygen(scratch / "KEY"); }).code == 2);
  CHECK(outcome_of([&] { packer::keygen(scratch / "none" / "KEY.pem"); }).code == 3);
  fs::remove(scratch / "HALF.pub.pem");
  fs::remove(scratch / "LINK.pem");
  CHECK(support::tree_of(scratch.path()) == before);
}

TEST_CASE("a file that is no key to trust says what it holds") {
  const Site site;
  const common::Bytes raw(32, 7);
  const std::string good = support::public_pem(raw);
  const struct {
    std::string text;
    int code;
    const char* says;
  } cases[] = {
      {good, 0, ""},
      {"a comment\n" + good + "another\n", 0, ""},
      {"", 3, "no key in PEM form"},
      {std::string(32, '\7'), 3, "no key in PEM form"},
      {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA me@here\n", 3, "no key in PEM form"},
      {good.substr(0, good.size() / 2), 3, "no key in PEM form"},
      {good + good, 3, "more than one"},
      {support::secret_pem(raw), 2, "secret key"},
      {support::pem("ENCRYPTED PRIVATE KEY", "", raw), 2, "secret key"},
      {support::pem("OPENSSH PRIVATE KEY", "", raw), 2, "secret key"},
      {support::pem("CERTIFICATE", "", raw), 2, "CERTIFICATE"},
      {support::pem("PUBLIC KEY", "", raw), 3, "damaged"},
      {support::pem("PUBLIC KEY", "302a300506032b6570032100", common::Bytes(31, 7)), 3, "damaged"},
      {support::pem("PUBLIC KEY", "302a300506032b6570032100", common::Bytes(33, 7)), 3, "damaged"},
      {support::pem("PUBLIC KEY", "302a300506032b656e032100", raw), 2, "X25519"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.text);
    support::put(site.scratch / "X.pem", row.text);
    const Outcome outcome = outcome_of([&] { (void)common::read_public_key(site.scratch / "X.pem"); });
    CHECK(outcome.code == row.code);
    CHECK_MESSAGE(holds(outcome.message, row.says), outcome.message);
  }
  CHECK(outcome_of([&] { (void)common::read_public_key(site.scratch / "none"); }).code == 3);
  CHECK(outcome_of([&] { (void)common::read_public_key(site.scratch.path()); }).code == 3);
}

TEST_CASE("a file that is no key to sign with says what it holds") {
  const Site site;
  const common::Bytes raw(32, 7);
  const struct {
    std::string text;
    int code;
    const char* says;
  } cases[] = {
      {support::secret_pem(raw), 0, ""},
      {support::public_pem(raw), 2, "public key, which cannot sign"},
      {support::pem("ENCRYPTED PRIVATE KEY", "", raw), 2, "openssl pkeyutl -sign"},
      {"-----BEGIN PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n"
       "-----END PRIVATE KEY-----\n",
       2, "passphrase"},
      {support::pem("OPENSSH PRIVATE KEY", "", raw), 2, "OPENSSH PRIVATE KEY"},
      {support::pem("PRIVATE KEY", "", raw), 3, "damaged"},
      {support::pem("PRIVATE KEY", "302e020100300506032b656e04220420", raw), 2, "X25519"},
      {"", 3, "no key in PEM form"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.text);
    support::put(site.scratch / "X.pem", row.text);
    fs::permissions(site.scratch / "X.pem", fs::perms(0600));
    const Outcome outcome = outcome_of([&] {
      packer::sign_pack({site.pack, site.scratch / "X.pem", 1, common::Verbosity::quiet});
    });
    CHECK(outcome.code == row.code);
    CHECK_MESSAGE(holds(outcome.message, row.says), outcome.message);
    CHECK(fs::exists(site.pack / "SHA256SUMS.sig") == (row.code == 0));
    fs::remove(site.pack / "SHA256SUMS.sig");
  }
}

TEST_CASE("signing adds 64 bytes and changes nothing else, and doing it again changes nothing at all") {
  const Site site;
  support::Tree before = support::tree_of(site.scratch.path());
  const packer::SignSummary summary = site.sign();
  CHECK(summary.signing == common::Signing::written);
  CHECK(summary.id == common::digest_file(site.pack / "SHA256SUMS").digest);
  support::Tree after = support::tree_of(site.scratch.path());
  CHECK(after.at("data_pack/SHA256SUMS.sig").size() == 64);
  CHECK(mode_of(site.pack / "SHA256SUMS.sig") == 0644);
  CHECK(site.sign().signing == common::Signing::was_there);
  CHECK(support::tree_of(site.scratch.path()) == after);
  after.erase("data_pack/SHA256SUMS.sig");
  CHECK(after == before);
}

TEST_CASE("a signature of somebody else is never replaced") {
  const Site site;
  (void)site.sign();
  const std::string signature = support::get(site.pack / "SHA256SUMS.sig");
  const fs::path other = packer::keygen(site.scratch / "OTHER.pem").secret;
  const Outcome outcome = outcome_of([&] {
    packer::sign_pack({site.pack, other, 1, common::Verbosity::quiet});
  });
  CHECK(outcome.code == 2);
  CHECK(holds(outcome.message, "delete it first"));
  CHECK(support::get(site.pack / "SHA256SUMS.sig") == signature);
}

TEST_CASE("what does not verify is never signed") {
  const Site site;
  const support::Tree before = support::tree_of(site.pack);
  for (const auto& [path, bytes] : before) {
    support::put(site.pack / path, bytes + "x");
    CHECK(outcome_of([&] { (void)site.sign(); }).code == 1);
    support::put(site.pack / path, bytes);
  }
  support::put(site.pack / "SHA256SUMS.sig", std::string(63, 's'));
  CHECK(outcome_of([&] { (void)site.sign(); }).code == 1);
  fs::remove(site.pack / "SHA256SUMS.sig");
  CHECK(support::tree_of(site.pack) == before);
  CHECK(outcome_of([&] {
          packer::sign_pack({site.archive("x.tar"), site.key, 1, common::Verbosity::quiet});
        }).code == 2);
}

TEST_CASE("a secret key that lies in a pack signs nothing") {
  const Site site;
  fs::rename(site.key, site.pack / "images" / "KEY.pem");
  const Outcome outcome = outcome_of([&] {
    packer::sign_pack({site.pack, site.pack / "images" / "KEY.pem", 1, common::Verbosity::quiet});
  });
  CHECK(outcome.code == 2);
  CHECK(holds(outcome.message, "is inside a pack"));
}

TEST_CASE("a key that came with a pack is not trusted, however it is named") {
  const Site site;
  (void)site.sign();
  fs::create_directories(site.scratch / "other");
  fs::copy_file(site.trusted, site.pack / "audio" / "KEY.pub.pem");
  fs::create_symlink(site.pack / "audio" / "KEY.pub.pem", site.scratch / "other" / "link");
  fs::create_symlink(site.scratch / "other", site.pack / "audio" / "out");
  fs::copy_file(site.trusted, site.scratch / "other" / "KEY.pub.pem");
  fs::create_directory_symlink(site.pack, site.scratch / "alias");
  // A pack that was unpacked earlier vouches for nobody either.
  for (const fs::path& path : {site.pack, site.scratch / "alias", site.scratch / "x.tar", fs::path("-")}) {
    CAPTURE(path.string());
    for (const fs::path& key :
         {site.pack / "audio" / "KEY.pub.pem", site.scratch / "other" / "link",
          site.scratch / "other" / ".." / "data_pack" / "audio" / "KEY.pub.pem",
          site.pack / "audio" / "out" / "KEY.pub.pem", site.scratch / "alias" / "audio" / "KEY.pub.pem"}) {
      CAPTURE(key.string());
      const Outcome outcome = outcome_of([&] { (void)common::read_trusted_key(key, path); });
      CHECK(outcome.code == 2);
      CHECK(holds(outcome.message, "is inside a pack"));
    }
    for (const fs::path& key :
         {site.trusted, site.pack / ".." / "KEY.pub.pem", site.pack / "audio" / ".." / ".." / "KEY.pub.pem"})
      CHECK(common::read_trusted_key(key, path) == common::read_public_key(site.trusted));
  }
}

TEST_CASE("a signed pack is trusted in every form, and keeps its signature through all of them") {
  const Site site;
  (void)site.sign();
  const std::string signature = support::get(site.pack / "SHA256SUMS.sig");
  CHECK(site.verify(site.pack).signature == packer::SignatureState::good);
  for (const char* name : {"x.tar", "x.tgz", "x.tar.zst"}) {
    CAPTURE(name);
    const fs::path file = site.archive(name);
    const packer::Report report = site.verify(file);
    CHECK(report.findings.empty());
    CHECK(report.signature == packer::SignatureState::good);
    const fs::path out = site.scratch / "out";
    packer::ExtractRequest request{file, out, {}, 1, common::Verbosity::quiet, site.trusted};
    (void)packer::extract(request);
    CHECK(support::tree_of(out) == support::tree_of(site.pack));
    CHECK(support::get(out / "SHA256SUMS.sig") == signature);
    fs::remove_all(out);
  }
  for (const fs::path& path : {site.pack, site.scratch / "x.tar"}) {
    const packer::VerifiedPack pack =
        packer::open_pack(path, {{}, 1, common::Verbosity::quiet, site.trusted});
    CHECK(pack.id() == common::digest_file(site.pack / "SHA256SUMS").digest);
  }
}

TEST_CASE("nothing opens, extracts or verifies without the signature that is required") {
  const Site site;
  for (const char* name : {"x.tar", "x.tgz", "x.tar.zst"}) {
    const fs::path file = site.archive(name), out = site.scratch / "new" / "out";
    const packer::Report report = site.verify(file);
    CHECK(common::kind_of(report.findings) == common::ErrorKind::signature);
    CHECK(report.signature == packer::SignatureState::refused);
    const packer::ExtractRequest request{file, out, {}, 1, common::Verbosity::quiet, site.trusted};
    CHECK(outcome_of([&] { (void)packer::extract(request); }).code == 4);
    CHECK_FALSE(fs::exists(site.scratch / "new"));
  }
  for (const fs::path& path : {site.pack, site.scratch / "x.tar"})
    CHECK(outcome_of([&] {
            (void)packer::open_pack(path, {{}, 1, common::Verbosity::quiet, site.trusted});
          }).code == 4);
}

TEST_CASE("a pack that is built again is not signed any more") {
  const Site site;
  (void)site.sign();
  (void)packer::build_pack(support::small_sources(site.scratch.path()));
  CHECK_FALSE(fs::exists(site.pack / "SHA256SUMS.sig"));
}
