// The openssl program checks what we sign with keys that we made, and we check and use what it makes: the
// commands of FORMAT.md, "Without this project".
#include <functional>
#include <string>

#include "common/error.hpp"
#include "packer/check/sign.hpp"
#include "packer/check/verify.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

bool has_openssl() {
  if (support::run_process({"openssl", "version"}).code == 0) return true;
  MESSAGE("not run: there is no openssl program");
  return false;
}

struct Sample {
  support::Scratch scratch;
  fs::path pack;
  Sample() { pack = packer::build_pack(support::small_sources(scratch.path())).location; }
  // Runs in the folder that holds data_pack and the keys.
  [[nodiscard]] support::Finished shell(const std::string& command) const {
    return support::run_process({"bash", "-c", command}, scratch.path());
  }
  void sign(const std::string& key) const {
    packer::sign_pack({pack, scratch / key, 1, common::Verbosity::quiet});
  }
  [[nodiscard]] packer::SignatureState judge(const std::string& trusted) const {
    packer::ExamineRequest request;
    request.verbosity = common::Verbosity::quiet;
    request.trusted_key = common::read_trusted_key(scratch / trusted, pack);
    return packer::verify(pack, request).signature;
  }
};

const std::string k_make_key =
    "openssl genpkey -algorithm ed25519 -out THEIRS.pem && "
    "openssl pkey -in THEIRS.pem -pubout -out THEIRS.pub.pem";
std::string sign_with(const std::string& key) {
  return "openssl pkeyutl -sign -rawin -inkey " + key +
         " -in data_pack/SHA256SUMS -out data_pack/SHA256SUMS.sig";
}
std::string check_with(const std::string& key) {
  return "openssl pkeyutl -verify -pubin -inkey " + key +
         " -rawin -in data_pack/SHA256SUMS -sigfile data_pack/SHA256SUMS.sig";
}

}  // namespace

TEST_CASE("openssl verifies our signature with our public key, and refuses a changed seal") {
  if (!has_openssl()) return;
  const Sample sample;
  (void)packer::keygen(sample.scratch / "OURS.pem");
  sample.sign("OURS.pem");
  CHECK(sample.shell(check_with("OURS.pub.pem")).code == 0);
  REQUIRE(sample.shell(k_make_key).code == 0);
  CHECK(sample.shell(check_with("THEIRS.pub.pem")).code != 0);
  support::put(sample.pack / "SHA256SUMS", support::get(sample.pack / "SHA256SUMS") + " ");
  CHECK(sample.shell(check_with("OURS.pub.pem")).code != 0);
}

TEST_CASE("openssl's signature with openssl's key is trusted, and is the one that we make with that key") {
  if (!has_openssl()) return;
  const Sample sample;
  REQUIRE(sample.shell(k_make_key + " && " + sign_with("THEIRS.pem")).code == 0);
  CHECK(sample.judge("THEIRS.pub.pem") == packer::SignatureState::good);
  const std::string theirs = support::get(sample.pack / "SHA256SUMS.sig");
  fs::remove(sample.pack / "SHA256SUMS.sig");
  sample.sign("THEIRS.pem");
  CHECK(support::get(sample.pack / "SHA256SUMS.sig") == theirs);
  CHECK(sample.shell(check_with("THEIRS.pub.pem")).code == 0);
}

TEST_CASE("openssl signs with a key of ours, and writes our key files byte for byte") {
  if (!has_openssl()) return;
  const Sample sample;
  (void)packer::keygen(sample.scratch / "OURS.pem");
  REQUIRE(sample.shell(sign_with("OURS.pem")).code == 0);
  CHECK(sample.judge("OURS.pub.pem") == packer::SignatureState::good);
  REQUIRE(sample.shell("openssl pkey -in OURS.pem -out a.pem && openssl pkey -in OURS.pem -pubout -out b.pem")
              .code == 0);
  CHECK(support::get(sample.scratch / "a.pem") == support::get(sample.scratch / "OURS.pem"));
  CHECK(support::get(sample.scratch / "b.pem") == support::get(sample.scratch / "OURS.pub.pem"));
}

TEST_CASE("keys of other kinds and encrypted ones are refused by name, and an encrypted one has a way out") {
  if (!has_openssl()) return;
  const Sample sample;
  REQUIRE(sample.shell(k_make_key).code == 0);
  const struct {
    std::string make;
    const char* says;
  } cases[] = {
      {"genpkey -algorithm ed448", "ED448"},
      {"genpkey -algorithm x25519", "X25519"},
      {"genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "id-ecPublicKey"},
      {"genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024", "rsaEncryption"},
      {"pkey -in THEIRS.pem -aes256 -passout pass:secret", "passphrase"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.make);
    REQUIRE(sample
                .shell("rm -f X.pem X.pub.pem; openssl " + row.make +
                       " -out X.pem && openssl pkey -in X.pem -passin pass:secret -pubout -out X.pub.pem")
                .code == 0);
    const auto message_of = [](const std::function<void()>& body) {
      try {
        body();
      } catch (const common::Error& error) {
        CHECK(error.kind() == common::ErrorKind::usage);
        return std::string(error.what());
      }
      return std::string();
    };
    const std::string signing = message_of([&] { sample.sign("X.pem"); });
    CHECK_MESSAGE(signing.find(row.says) != std::string::npos, signing);
    if (std::string(row.says) == "passphrase") continue;
    const std::string trusting =
        message_of([&] { (void)common::read_public_key(sample.scratch / "X.pub.pem"); });
    CHECK_MESSAGE(trusting.find(row.says) != std::string::npos, trusting);
  }
  // The way out that the message names; a passphrase on the command line stands for the question.
  REQUIRE(sample.shell(sign_with("X.pem") + " -passin pass:secret").code == 0);
  CHECK(sample.judge("X.pub.pem") == packer::SignatureState::good);
}
