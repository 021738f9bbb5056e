// safe-report: what finished runs say, without LibTorch.
#include <CLI/CLI.hpp>

#include "common/program.hpp"
#include "trainer/cli/commands.hpp"

namespace {

int run_main(int argc, char** argv) {
  CLI::App app{"safe-report: compares finished runs and verifies them", "safe-report"};
  trainer::Globals globals;
  int code = 0;
  app.require_subcommand(1);
  app.set_version_flag("--version", SAFE_VERSION);
  app.footer(common::exit_code_help());
  app.add_flag("--quiet", globals.quiet, "no progress");
  app.add_flag("--json", globals.json, "results as JSON");
  app.add_option("--threads", globals.threads, "0: as many as there are")->capture_default_str();
  app.fallthrough();
  trainer::add_report(app, globals);
  trainer::add_verify_run(app, globals, code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  return common::run_program("safe-report", [&] { return run_main(argc, argv); });
}
