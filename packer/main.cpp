#include <cstdio>

#include "common/error.hpp"
#include "common/program.hpp"
#include "packer/commands.hpp"

namespace packer {

void add_common_flags(CLI::App& verb, CommonFlags& flags) {
  verb.add_option("--threads", flags.threads, "threads to use (0: as many as this process may)")
      ->capture_default_str();
  verb.add_flag("--quiet", flags.quiet, "no progress");
}

void add_json_flag(CLI::App& verb, CommonFlags& flags) {
  verb.add_flag("--json", flags.json, "the result as one JSON object");
}

std::optional<common::Digest> parse_expected(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (const auto digest = common::parse_digest(text)) return digest;
  throw common::Error(common::ErrorKind::usage,
                      "--expect takes a pack id: 64 lower-case hexadecimal digits, as verify prints it");
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
    for (const auto add :
         {packer::add_build, packer::add_archive, packer::add_extract, packer::add_verify, packer::add_list,
          packer::add_show, packer::add_diff, packer::add_repair, packer::add_synthesize})
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
