#include <cstdio>
#include <memory>

#include "packer/check/sign.hpp"
#include "packer/cli/commands.hpp"

namespace packer {

void add_keygen(CLI::App& app, CommonFlags& flags, Command& chosen) {
  const auto path = std::make_shared<std::filesystem::path>();
  CLI::App* verb = app.add_subcommand("keygen", "make an Ed25519 key to sign packs with");
  verb->add_option("-o,--output", *path, "KEY.pem; the public key becomes KEY.pub.pem beside it")->required();
  verb->add_flag("--quiet", flags.quiet, "print the public key's path only");
  verb->callback([path, &flags, &chosen] {
    chosen = [path, &flags] {
      const KeyFiles files = keygen(*path);
      if (!flags.quiet)
        std::fprintf(stderr, "%s signs: keep it to yourself; give %s to those who shall trust it\n",
                     files.secret.c_str(), files.public_half.c_str());
      std::printf("%s\n", files.public_half.c_str());
      return 0;
    };
  });
}

void add_sign(CLI::App& app, CommonFlags& flags, Command& chosen) {
  const auto request = std::make_shared<SignRequest>();
  CLI::App* verb =
      app.add_subcommand("sign", "vouch for a pack with a key; a pack that does not verify is never signed");
  verb->add_option("PACK", request->pack, "a pack's folder")->required();
  verb->add_option("--key", request->key, "the secret key, KEY.pem, as keygen or openssl genpkey makes it")
      ->required();
  add_common_flags(*verb, flags);
  verb->callback([request, &flags, &chosen] {
    chosen = [request, &flags] {
      request->threads = flags.threads;
      request->verbosity = flags.verbosity();
      const SignSummary summary = sign_pack(*request);
      if (!flags.quiet)
        std::fprintf(stderr, summary.signing == Signing::written
                                 ? "verified and signed\n"
                                 : "verified; this key has signed it before\n");
      std::printf("%s  %s\n", summary.id.hex().c_str(), request->pack.c_str());
      return 0;
    };
  });
}

}  // namespace packer
