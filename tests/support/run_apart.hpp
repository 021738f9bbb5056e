// Work in a process of its own, in which system calls fail.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>

#include "common/program.hpp"
#include "tests/support/system_calls.hpp"

namespace support {

constexpr int k_killed = 137;

// As the program would run it; gives the exit code. What hangs is ended by SIGALRM.
inline int run_apart(const std::filesystem::path& root, Fault fault, std::uint64_t at,
                     const std::function<void()>& work) {
  constexpr unsigned k_limit_s = 60;
  (void)count_calls();  // what is counted is shared from before the fork
  std::fflush(stdout);  // or the child prints it once more
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(99);
    ::alarm(k_limit_s);
    arm(root.string(), fault, at);
    const int code = common::run_program("safe-packer", [&] {
      work();
      return 0;
    });
    disarm();
    ::_exit(code);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace support
