// Work in a process of its own, in which system calls fail.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <optional>

#include "common/program.hpp"
#include "packer/check/verify.hpp"
#include "tests/support/system_calls.hpp"

namespace faults {

namespace fs = std::filesystem;

constexpr int k_killed = 137;

// As the program would run it; gives the exit code. What hangs is ended by SIGALRM.
inline int run_apart(const fs::path& root, support::Fault fault, std::uint64_t at,
                     const std::function<void()>& work) {
  constexpr unsigned k_limit_s = 60;
  (void)support::count_calls();  // what is counted is shared from before the fork
  std::fflush(stdout);           // or the child prints it once more
  const pid_t child = ::fork();
  if (child == 0) {
    if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(99);
    ::alarm(k_limit_s);
    support::arm(root.string(), fault, at);
    const int code = common::run_program("safe-packer", [&] {
      work();
      return 0;
    });
    support::disarm();
    ::_exit(code);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Of a pack that is there and verifies.
inline std::optional<common::Digest> id_at(const fs::path& target) {
  packer::ExamineRequest request;
  request.threads = 1;
  request.verbosity = common::Verbosity::quiet;
  const packer::Report report = packer::verify(target, request);
  return report.findings.empty() ? report.id : std::nullopt;
}

}  // namespace faults
