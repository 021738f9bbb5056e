#include <memory>

#include "common/error.hpp"
#include "packer/check/sign.hpp"
#include "packer/cli/commands.hpp"

namespace packer {

void add_keygen(common::Program& program) {
  const auto path = std::make_shared<std::filesystem::path>();
  common::Verb& verb = program.add({"keygen",
                                    "Make an Ed25519 key to sign packs with",
                                    {"keygen -o KEY.pem", "keygen --quiet -o keys/lab.pem"},
                                    {{3, k_io}}});
  verb.path("--output,--out,-o", *path,
            "Write the secret key to KEY.pem, and the public key to KEY.pub.pem beside it")
      .required();
  verb.action([path](const common::CommonFlags& flags) {
    if (const std::filesystem::path folder = path->parent_path();
        !folder.empty() && !std::filesystem::exists(folder))
      throw common::Error(common::ErrorKind::io, "cannot write " + path->string() + ": there is no folder " +
                                                     folder.string() +
                                                     "; create it (mkdir -p), or name a file elsewhere");
    const KeyFiles files = keygen(*path);
    common::say(flags, files.secret.string() + " signs: keep it to yourself; give " +
                           files.public_half.string() + " to those who shall trust it");
    print_path(flags, files.public_half.string());
    common::say_next(flags, {"safe-packer", "sign", "data_pack", "--key", files.secret.string()});
    return 0;
  });
}

void add_sign(common::Program& program) {
  const auto request = std::make_shared<SignRequest>();
  common::Verb& verb = program.add({"sign",
                                    "Sign a pack; one that does not verify is refused",
                                    {"sign data_pack --key KEY.pem", "sign --json data_pack --key KEY.pem"},
                                    {{1, k_damaged}, {3, k_io}, {130, k_interrupted}}});
  verb.path("PACK,--pack,--pack-root", request->pack, "Sign the pack in this folder").required();
  verb.path("--key", request->key,
            "Sign with this secret key, KEY.pem, as keygen or openssl genpkey makes it")
      .required();
  verb.action([request](const common::CommonFlags& flags) {
    request->threads = flags.threads;
    request->verbosity = flags.verbosity();
    const SignSummary summary = sign_pack(*request);
    common::say(flags, summary.signing == common::Signing::written
                           ? "verified and signed"
                           : "verified; this key has signed it before");
    print_pack(flags, summary.id, request->pack.string());
    // keygen puts it there; one that openssl made may lie anywhere.
    std::filesystem::path public_half = request->key;
    public_half.replace_extension(".pub.pem");
    if (std::filesystem::exists(public_half))
      common::say_next(flags,
                       {"safe-packer", "verify", request->pack.string(), "--trust", public_half.string()});
    return 0;
  });
}

}  // namespace packer
