// Keys are made and packs are signed here; what a signature is stands in common/sealed/signature.hpp.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/digest.hpp"
#include "common/progress.hpp"
#include "common/sealed/signature.hpp"

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

struct SignSummary {
  common::Digest id;
  common::Signing signing = common::Signing::written;
};

// Verifies the whole pack first, and throws mismatch where it does not hold. A signature by the same key is
// left as it is; any other is somebody else's word and never replaced (usage).
SignSummary sign_pack(const SignRequest& request);

}  // namespace packer
