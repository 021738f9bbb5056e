// What all programs share: one place that turns an Error into a sentence and an exit code, and signals as a
// flag.
#pragma once

#include <functional>

namespace common {

// Runs `body`, prints an Error as "<program>: <message>" on stderr and returns its exit code; any other
// exception is reported as one sentence with code 3. stdout is flushed, and a failure to write it is an error
// too.
int run_program(const char* program, const std::function<int()>& body);

// SIGINT and SIGTERM set a flag, and so do SIGHUP (a terminal that closes), SIGUSR1 and SIGUSR2 (what SLURM's
// --signal is given) but where they are ignored, as SIGHUP under nohup. A second SIGINT, which a person
// sends, ends the process at once. No other does: one request to stop a job may reach a process several times
// (from the scheduler, the launcher and the job's shell), and the second would cut off the saving that the
// first asked for. SIGPIPE and SIGXFSZ do nothing: the write that met them fails and says why.
void install_stop_handlers();
[[nodiscard]] bool stop_requested();
// Throws Error{interrupted} once a signal has come.
void throw_if_stop_requested();

}  // namespace common
