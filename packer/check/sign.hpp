// A signature is somebody's word for a pack: SHA256SUMS.sig, Ed25519 over the bytes of SHA256SUMS. Whom to
// believe is the user's choice: the key comes from a file that the user names, never from the pack.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/digest.hpp"
#include "common/progress.hpp"
#include "common/sealed/signing_key.hpp"

namespace packer {

struct KeyFiles {
  std::filesystem::path secret;       // KEY.pem, mode 0600
  std::filesystem::path public_half;  // KEY.pub.pem
};
// Makes a new key. Where one of the two files is there already it is a usage error: no key is ever
// overwritten.
KeyFiles keygen(const std::filesystem::path& secret);

struct SignRequest {
  std::filesystem::path pack;  // a folder
  std::filesystem::path key;   // KEY.pem, outside of the pack
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
};

enum class Signing { written, was_there };

struct SignSummary {
  common::Digest id;
  Signing signing = Signing::written;
};

// Verifies the whole pack first, and throws mismatch where it does not hold. A signature by the same key is
// left as it is; any other is somebody else's word and never replaced (usage).
SignSummary sign_pack(const SignRequest& request);

// The key to trust the pack at `pack` by. One that lies in this pack or another, or is named by way of it, is
// a usage error: whoever made the pack chose it.
[[nodiscard]] common::PublicKey read_trusted_key(const std::filesystem::path& key,
                                                 const std::filesystem::path& pack);

}  // namespace packer
