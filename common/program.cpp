#include "common/program.hpp"

#include <csignal>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>

#include "common/error.hpp"
#include "common/terminal.hpp"

namespace common {
namespace {

// Written by a signal handler: nothing else may be.
volatile std::sig_atomic_t g_signals = 0, g_interrupts = 0;

void on_signal(int number) {
  if (number == SIGINT && g_interrupts != 0) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
  if (number == SIGINT) g_interrupts = 1;
  g_signals = 1;
}

void say(const char* program, const std::string& message) {
  print_line(stderr, std::string(program) + ": " + message);
}

}  // namespace

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART | SA_NODEFER;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write with a message, not a silent death
  std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that reaches the limit on files (ulimit -f)
}

bool stop_requested() { return g_signals != 0; }

void throw_if_stop_requested() {
  if (stop_requested())
    throw Error(ErrorKind::interrupted, "interrupted; run the same command again to go on");
}

int run_program(const char* program, const std::function<int()>& body) {
  install_stop_handlers();
  int code = 3;
  try {
    code = body();
    if (std::fflush(stdout) != 0) throw_errno("cannot write the results to standard output");
    // An earlier flush, of a full buffer, may have failed where this one had nothing left to write.
    if (std::ferror(stdout) != 0) throw Error(ErrorKind::io, "cannot write all results to standard output");
  } catch (const Error& error) {
    say(program, error.what());
    code = exit_code(error.kind());
  } catch (const std::bad_alloc&) {
    say(program, "out of memory; use fewer --threads or a machine with more");
  } catch (const std::filesystem::filesystem_error& error) {
    say(program, error.what());
  } catch (const std::exception& error) {
    say(program, std::string("unexpected failure: ") + error.what() + "; please report it");
  }
  return code;
}

}  // namespace common
