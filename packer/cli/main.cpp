#include <cstdio>

#include "common/error.hpp"
#include "common/program.hpp"
#include "packer/cli/commands.hpp"

namespace packer {

void add_common_flags(CLI::App& verb, CommonFlags& flags) {
  verb.add_option("--threads", flags.threads, "threads to use (0: as many as this process may)")
      ->capture_default_str();
  verb.add_flag("--quiet", flags.quiet, "no progress");
}

void add_json_flag(CLI::App& verb, CommonFlags& flags) {
  verb.add_flag("--json", flags.json, "the result as one JSON object");
}

void add_trust_flags(CLI::App& verb, TrustFlags& flags) {
  verb.add_option("--expect", flags.expect, "the pack id that it must have");
  verb.add_option("--trust", flags.trust,
                  "the public key (KEY.pub.pem) that must have signed it; checked before anything else");
}

std::optional<common::Digest> TrustFlags::expected_id() const {
  if (expect.empty()) return std::nullopt;
  if (const auto digest = common::parse_digest(expect)) return digest;
  throw common::Error(common::ErrorKind::usage,
                      "--expect takes a pack id: 64 lower-case hexadecimal digits, as verify prints it");
}

std::optional<std::filesystem::path> TrustFlags::trusted_key() const {
  return trust.empty() ? std::nullopt : std::optional<std::filesystem::path>(trust);
}

std::string TrustFlags::who_vouches() const {
  if (expect.empty() && trust.empty())
    return "; nobody vouches for it (give --expect ID or --trust KEY.pub.pem)";
  return std::string(expect.empty() ? "" : ", the expected pack") +
         (trust.empty() ? "" : ", signed by the owner of " + trust);
}

}  // namespace packer

int main(int argc, char** argv) {
  return common::run_program("safe-packer", [&] {
    CLI::App app("Hashed, sealed and archived data packs", "safe-packer");
    app.set_version_flag("--version", "safe-packer " SAFE_VERSION);
    app.footer(common::exit_code_help());
    app.require_subcommand(1);
    packer::CommonFlags flags;
    packer::Command chosen;
    for (const auto add : {packer::add_build, packer::add_archive, packer::add_extract, packer::add_verify,
                           packer::add_list, packer::add_show, packer::add_diff, packer::add_repair,
                           packer::add_sign, packer::add_keygen, packer::add_export, packer::add_synthesize})
      add(app, flags, chosen);
    for (CLI::App* verb : app.get_subcommands({})) verb->footer(common::exit_code_help());
    try {
      app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      // --help and --version arrive here too, with code 0; every other code of CLI11's is our 2.
      return app.exit(error) == 0 ? 0 : common::exit_code(common::ErrorKind::usage);
    }
    return chosen();
  });
}
