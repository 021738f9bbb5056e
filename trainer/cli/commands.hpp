// The verbs of safe-trainer that have a file of their own. Each registers its flags on the program; its work
// is done by the callback once they have been parsed.
#pragma once

#include "common/progress.hpp"

namespace CLI {
class App;
}

namespace trainer {

// Flags that every verb takes.
struct Globals {
  bool quiet = false;
  bool json = false;
  unsigned threads = 0;
  [[nodiscard]] common::Verbosity verbosity() const {
    return quiet ? common::Verbosity::quiet : common::Verbosity::normal;
  }
};

// Where a finished run is judged again.
void add_evaluate(CLI::App& app, const Globals& globals);
void add_report(CLI::App& app, const Globals& globals);
// `code` becomes the exit code: 1 where something has changed.
void add_verify_run(CLI::App& app, const Globals& globals, int& code);

}  // namespace trainer
