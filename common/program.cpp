#include "common/program.hpp"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>

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

const char* g_program = "";

void say(const char* program, const std::string& message) {
  print_line(stderr, std::string(program) + ": " + message);
}

constexpr const char* k_out_of_memory =
    "out of memory; use fewer --threads, a machine with more, or a higher limit (ulimit -v)";

// What is thrown in a thread that a library began has nobody to catch it.
[[noreturn]] void on_terminate() {
  try {
    if (const std::exception_ptr thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    for (const char* part : {g_program, ": ", k_out_of_memory, "\n"})  // our own texts, and no memory
      (void)!::write(STDERR_FILENO, part, std::strlen(part));
    std::_Exit(3);
  } catch (...) {
  }
  std::abort();
}

}  // namespace

void install_stop_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART | SA_NODEFER;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  for (const int number : {SIGHUP, SIGUSR1, SIGUSR2}) {
    struct sigaction there {};
    if (::sigaction(number, nullptr, &there) == 0 && there.sa_handler != SIG_IGN)
      ::sigaction(number, &action, nullptr);
  }
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
  g_program = program;
  std::set_terminate(on_terminate);
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
    say(program, k_out_of_memory);
  } catch (const std::filesystem::filesystem_error& error) {
    say(program, error.what());
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::resource_unavailable_try_again)
      say(program,
          "no more threads can be started; use fewer --threads, or raise the limits (ulimit -u, -v)");
    else
      say(program, std::string("unexpected failure: ") + error.what() + "; please report it");
  } catch (const std::exception& error) {
    say(program, std::string("unexpected failure: ") + error.what() + "; please report it");
  }
  return code;
}

}  // namespace common
