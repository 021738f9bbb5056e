// Whose word a sealed folder has: SHA256SUMS.sig, Ed25519 over the bytes of SHA256SUMS. Packs and runs are
// signed alike. Whom to believe is the user's choice: the key comes from a file that the user names, never
// from what it is to vouch for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/bytes.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/folder.hpp"
#include "common/sealed/signing_key.hpp"

namespace common {

// The key to trust `sealed` by, and the key to sign it with. One that lies in it or in another sealed folder,
// or is named by way of one, is a usage error: the public key was chosen by whoever made that folder, and the
// secret one would travel with it.
[[nodiscard]] PublicKey read_trusted_key(const std::filesystem::path& key,
                                         const std::filesystem::path& sealed);
[[nodiscard]] SecretKey read_signing_key(const std::filesystem::path& key,
                                         const std::filesystem::path& sealed);

// Empty: `signature` is the trusted key's, over exactly the bytes of `seal`. Otherwise why not; nothing
// stands for a file that is missing.
[[nodiscard]] std::string why_not_signed(const PublicKey& trusted, const std::optional<Bytes>& seal,
                                         const std::optional<Bytes>& signature);

enum class Signing { written, was_there };

// Signs the seal of `folder`, which is called `name` in `parent` and whose lock the caller holds. `seal` is
// what was judged, whatever the file holds by now. A signature by the same key is left as it is; any other is
// somebody else's word and never replaced (usage).
Signing write_signature(const Folder& parent, const std::string& name, const Folder& folder, ByteView seal,
                        const SecretKey& key);

}  // namespace common
