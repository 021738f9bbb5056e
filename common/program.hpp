// What all programs share: one place that turns an Error into a sentence and an exit code, and signals as a
// flag.
#pragma once

#include <functional>

namespace common {

// Runs `body`, prints an Error as "<program>: <message>" on stderr and returns its exit code; any other
// exception is reported as one sentence with code 3. stdout is flushed, and a failure to write it is an error
// too.
int run_program(const char* program, const std::function<int()>& body);

// SIGINT and SIGTERM set a flag; a second one ends the process at once. SIGPIPE and SIGXFSZ do nothing: the
// write that met them fails and says why.
void install_stop_handlers();
[[nodiscard]] bool stop_requested();
// Throws Error{interrupted} once a signal has come.
void throw_if_stop_requested();

}  // namespace common
