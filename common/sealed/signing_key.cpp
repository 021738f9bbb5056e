#include "common/sealed/signing_key.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/terminal.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t k_key_file_limit_bytes = 64 << 10;

// The y of the eight points whose order divides the cofactor 8, little-endian; each but the first two stands
// for two points, x and -x, and those two have x = 0. ("Taming the many EdDSAs", table 5.)
constexpr std::string_view k_small_order[] = {
    "0100000000000000000000000000000000000000000000000000000000000000",   // 1, order 1
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",   // -1, order 2
    "0000000000000000000000000000000000000000000000000000000000000000",   // 0, order 4
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",   // order 8
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"};  // order 8

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using KeyHandle = std::unique_ptr<EVP_PKEY, Free>;
using ContextHandle = std::unique_ptr<EVP_MD_CTX, Free>;
using BioHandle = std::unique_ptr<BIO, Free>;

template <typename Handle>
Handle required(Handle handle, const char* what) {
  if (handle) return handle;
  ERR_clear_error();
  throw Error(ErrorKind::io, std::string("OpenSSL cannot ") + what + "; check the OpenSSL configuration");
}

ContextHandle new_context() { return required(ContextHandle(EVP_MD_CTX_new()), "start a signature"); }
BioHandle new_buffer() { return required(BioHandle(BIO_new(BIO_s_mem())), "make a buffer"); }

KeyHandle handle_of(const std::array<std::uint8_t, PublicKey::k_size>& bytes) {
  return required(
      KeyHandle(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size())),
      "use Ed25519");
}

std::string text_in(BIO* buffer) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(buffer, &data);
  return {data, static_cast<std::size_t>(size)};
}

struct PemBlock {
  std::string label;  // what stands behind BEGIN
  bool is_encrypted = false;
  Bytes der;
};

std::optional<PemBlock> next_block(BIO* text) {
  char* label = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  if (PEM_read_bio(text, &label, &header, &data, &size) != 1) {
    ERR_clear_error();
    return std::nullopt;
  }
  PemBlock block{label, false, Bytes(data, data + size)};
  // The form of before PKCS#8 says it in a header, PKCS#8 in the label.
  block.is_encrypted = std::string_view(header).find("ENCRYPTED") != std::string_view::npos ||
                       block.label.starts_with("ENCRYPTED");
  OPENSSL_free(label);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  return block;
}

// The one block of a key file. With two, which key counts would depend on who reads the file.
PemBlock read_block(const fs::path& path) {
  std::error_code failure;
  const fs::path real = fs::canonical(path, failure);
  if (failure) throw Error(ErrorKind::io, path.string() + " cannot be read: " + failure.message());
  const std::string bytes = read_text(real, k_key_file_limit_bytes);
  const BioHandle text = required(BioHandle(BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size()))),
                                  "read from a buffer");
  std::optional<PemBlock> block = next_block(text.get());
  if (!block)
    throw Error(ErrorKind::format,
                path.string() +
                    " holds no key in PEM form (-----BEGIN ...); name a file as safe-packer keygen or "
                    "openssl genpkey -algorithm ed25519 writes it");
  if (next_block(text.get()))
    throw Error(ErrorKind::format,
                path.string() + " holds more than one PEM block; name a file with one key and nothing else");
  return std::move(*block);
}

[[noreturn]] void refuse_kind(const fs::path& path, const std::string& kind) {
  throw Error(ErrorKind::usage, path.string() + " holds a key of another kind (" + escape_for_terminal(kind) +
                                    "), and packs and runs are signed with Ed25519 only; make a key with "
                                    "safe-packer keygen -o KEY.pem");
}

// `key` is what the block decoded to, null where it did not.
void require_ed25519(const fs::path& path, const KeyHandle& key, bool is_whole) {
  ERR_clear_error();
  if (!key || !is_whole)
    throw Error(ErrorKind::format, path.string() +
                                       " is damaged: its PEM block holds no key that can be "
                                       "decoded; get the file again");
  if (EVP_PKEY_base_id(key.get()) != EVP_PKEY_ED25519)
    refuse_kind(path, OBJ_nid2ln(EVP_PKEY_base_id(key.get())));
}

// Who can read a secret key can sign with it. As ssh does it: of a file that belongs to somebody else the
// mode says nothing about who was meant to have it.
void require_private(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw_errno("cannot read " + path.string());
  const auto others = status.st_mode & (S_IRWXG | S_IRWXO);
  if (others == 0 || status.st_uid != ::geteuid()) return;
  throw Error(
      ErrorKind::usage,
      path.string() + fmt::format(" has the mode {:04o}, so others than its owner have access to the secret "
                                  "key; run chmod 600 {}, and make a new key if somebody else may "
                                  "have read it",
                                  status.st_mode & 07777, path.string()));
}

std::array<std::uint8_t, PublicKey::k_size> raw_public(const EVP_PKEY* key) {
  std::array<std::uint8_t, PublicKey::k_size> bytes{};
  std::size_t size = bytes.size();
  ENSURE(EVP_PKEY_get_raw_public_key(key, bytes.data(), &size) == 1 && size == bytes.size());
  return bytes;
}

}  // namespace

bool PublicKey::is_weak() const {
  std::array<std::uint8_t, k_size> y = bytes_;
  y.back() &= 0x7f;  // the top bit is the sign of x
  // p = 2^255 - 19: ed, thirty times ff, 7f. From there on the bytes are another encoding of y - p.
  const bool is_reduced =
      y.back() < 0x7f || y.front() < 0xed ||
      std::any_of(y.begin() + 1, y.end() - 1, [](std::uint8_t byte) { return byte != 0xff; });
  return !is_reduced || std::any_of(std::begin(k_small_order), std::end(k_small_order),
                                    [&](std::string_view hex) { return to_hex(y) == hex; });
}

bool PublicKey::verifies(ByteView message, ByteView signature) const {
  if (signature.size() != k_signature_bytes || is_weak()) return false;
  const KeyHandle key = handle_of(bytes_);
  const ContextHandle context = new_context();
  // Ed25519 hashes by itself: no digest is named. Below 1 is "no" or "could not", and neither is a yes.
  const bool is_good = EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
                       EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                                        message.size()) == 1;
  ERR_clear_error();
  return is_good;
}

std::string PublicKey::pem() const {
  const BioHandle buffer = new_buffer();
  ENSURE(PEM_write_bio_PUBKEY(buffer.get(), handle_of(bytes_).get()) == 1);
  return text_in(buffer.get());
}

struct SecretKey::State {
  KeyHandle key;
};

SecretKey::SecretKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
SecretKey::~SecretKey() = default;
SecretKey::SecretKey(SecretKey&&) noexcept = default;
SecretKey& SecretKey::operator=(SecretKey&&) noexcept = default;

SecretKey SecretKey::generate() {
  EVP_PKEY* key = nullptr;
  EVP_PKEY_CTX* context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nullptr);
  if (context != nullptr && EVP_PKEY_keygen_init(context) == 1) (void)EVP_PKEY_keygen(context, &key);
  EVP_PKEY_CTX_free(context);
  return SecretKey(std::make_unique<State>(State{required(KeyHandle(key), "make an Ed25519 key")}));
}

PublicKey SecretKey::public_key() const { return PublicKey(raw_public(state_->key.get())); }

Signature SecretKey::sign(ByteView message) const {
  Signature signature{};
  std::size_t size = signature.size();
  const ContextHandle context = new_context();
  ENSURE(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, state_->key.get()) == 1);
  ENSURE(EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1);
  ENSURE(size == signature.size());
  return signature;
}

std::string SecretKey::pem() const {
  const BioHandle buffer = new_buffer();
  ENSURE(PEM_write_bio_PKCS8PrivateKey(buffer.get(), state_->key.get(), nullptr, nullptr, 0, nullptr,
                                       nullptr) == 1);
  return text_in(buffer.get());
}

PublicKey read_public_key(const fs::path& path) {
  const PemBlock block = read_block(path);
  if (block.label.ends_with("PRIVATE KEY"))
    throw Error(
        ErrorKind::usage,
        path.string() +
            " holds a secret key, and trust needs only its public half; name that (KEY.pub.pem beside "
            "KEY.pem; openssl pkey -in KEY.pem -pubout writes it) and keep the secret to its owner");
  if (block.label != "PUBLIC KEY") refuse_kind(path, block.label);
  const unsigned char* at = block.der.data();
  const KeyHandle key(d2i_PUBKEY(nullptr, &at, static_cast<long>(block.der.size())));
  require_ed25519(path, key, at == block.der.data() + block.der.size());
  const PublicKey trusted(raw_public(key.get()));
  if (trusted.is_weak())
    throw Error(ErrorKind::usage,
                path.string() +
                    " holds a point of small order, or one that is not in its one encoding: anybody can make "
                    "signatures for such a key; get the key again, from whom it is said to be");
  return trusted;
}

SecretKey read_secret_key(const fs::path& path) {
  const PemBlock block = read_block(path);
  if (block.label != "PUBLIC KEY") require_private(path);
  if (block.label == "PUBLIC KEY")
    throw Error(ErrorKind::usage,
                path.string() + " holds a public key, which cannot sign; name the secret one (KEY.pem)");
  if (block.is_encrypted)
    throw Error(ErrorKind::usage,
                path.string() +
                    " is protected by a passphrase, which this program never asks for; verify the pack, then "
                    "sign it with openssl pkeyutl -sign -rawin -inkey " +
                    path.string() + " -in PACK/SHA256SUMS -out PACK/SHA256SUMS.sig");
  if (block.label != "PRIVATE KEY") refuse_kind(path, block.label);
  const unsigned char* at = block.der.data();
  KeyHandle key(d2i_AutoPrivateKey(nullptr, &at, static_cast<long>(block.der.size())));
  require_ed25519(path, key, at == block.der.data() + block.der.size());
  return SecretKey(std::make_unique<SecretKey::State>(SecretKey::State{std::move(key)}));
}

}  // namespace common
