#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <new>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/parallel.hpp"
#include "common/program.hpp"

#include <doctest/doctest.h>

using common::Error;
using common::ErrorKind;

namespace {
// Signals and their flag belong to a process: each case has one of its own. Gives waitpid's status.
template <typename Body>
int status_of_child(Body body) {
  std::fflush(nullptr);  // or the child would print the test's own buffered lines again
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // Nothing of a child's failure belongs into the test's own output.
    if (::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(99);
    ::_exit(body());
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return status;
}
template <typename Body>
int code_of_program(Body body) {
  const int status = status_of_child([&] { return common::run_program("test", body); });
  REQUIRE(WIFEXITED(status));
  return WEXITSTATUS(status);
}
}  // namespace

TEST_CASE("a program ends with its own code, or with that of what it threw") {
  CHECK(code_of_program([] { return 0; }) == 0);
  CHECK(code_of_program([] { return 1; }) == 1);
  CHECK(code_of_program([]() -> int { throw Error(ErrorKind::usage, "x"); }) == 2);
  CHECK(code_of_program([]() -> int { throw Error(ErrorKind::signature, "x"); }) == 4);
  CHECK(code_of_program([]() -> int { throw std::bad_alloc(); }) == 3);
  CHECK(code_of_program([]() -> int { throw std::runtime_error("x"); }) == 3);
}

TEST_CASE("memory or threads that are not to be had are code 3, wherever it is noticed") {
  CHECK(code_of_program([]() -> int {
          throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
        }) == 3);
  // As in a thread of LibTorch's own.
  CHECK(code_of_program([] {
          std::thread([] { throw std::bad_alloc(); }).join();
          return 0;
        }) == 3);
  const int aborted = status_of_child([] {
    std::signal(SIGABRT, SIG_DFL);  // doctest's own handler prints
    return common::run_program("test", [] {
      std::thread([] { throw std::runtime_error("a bug"); }).join();
      return 0;
    });
  });
  CHECK(WIFSIGNALED(aborted));
  CHECK(WTERMSIG(aborted) == SIGABRT);
}

TEST_CASE("results that cannot be written are an error, however many they are") {
  for (const int lines : {1, 100000}) {
    const int code = code_of_program([&] {
      if (::freopen("/dev/full", "w", stdout) == nullptr) return 99;
      for (int i = 0; i < lines; ++i) std::fputs("a result\n", stdout);
      // Where the buffer was full before, nothing may be left for the last flush.
      if (lines > 1) std::fflush(stdout);
      return 0;
    });
    CHECK(code == 3);
  }
}

TEST_CASE("a signal asks to stop") {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
    CHECK(code_of_program([&] {
            std::raise(signal);
            if (!common::stop_requested()) return 99;
            common::throw_if_stop_requested();
            return 98;
          }) == 130);
}

TEST_CASE("hashing ends at a signal where it is told to, and goes on otherwise") {
  CHECK(code_of_program([&] {
          std::raise(SIGTERM);
          const std::string name = "/proc/self/exe";
          const common::File file = common::open_to_read(name);
          if (common::digest_file(file, name).size == 0) return 99;
          (void)common::digest_file(file, name, common::OnStop::end);
          return 98;
        }) == 130);
}

TEST_CASE("a second SIGINT ends the process at once") {
  const int status = status_of_child([&] {
    common::install_stop_handlers();
    std::raise(SIGINT);
    std::raise(SIGINT);
    return 0;
  });
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGINT);
}

TEST_CASE("any number of other signals, before and after a SIGINT, asks for what one asks for") {
  const auto raise_each_thrice = [] {
    for (const int signal : {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2})
      for (int i = 0; i < 3; ++i) std::raise(signal);
  };
  CHECK(code_of_program([&] {
          raise_each_thrice();
          std::raise(SIGINT);
          raise_each_thrice();
          return common::stop_requested() ? 75 : 99;
        }) == 75);
}

TEST_CASE("a signal that is ignored, as SIGHUP under nohup, stays ignored") {
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2}) {
    const int status = status_of_child([&] {
      std::signal(signal, SIG_IGN);
      return common::run_program("test", [&] {
        std::raise(signal);
        return common::stop_requested() ? 99 : 0;
      });
    });
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
  }
}

TEST_CASE("every index is worked on exactly once, with any number of threads") {
  for (const unsigned threads : {0U, 1U, 2U, 7U, 200U})
    for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{100}}) {
      std::vector<std::atomic<int>> done(count);
      common::parallel_for(count, threads, [&](std::size_t i) { ++done[i]; });
      for (const auto& times : done) CHECK(times == 1);
    }
}

TEST_CASE("an exception in a worker comes out, and no new work is begun") {
  for (const unsigned threads : {1U, 3U}) {
    std::atomic<std::size_t> begun{0};
    CHECK_THROWS_WITH_AS(common::parallel_for(1000000, threads,
                                              [&](std::size_t) {
                                                ++begun;
                                                throw Error(ErrorKind::io, "no");
                                              }),
                         "no", Error);
    CHECK(begun <= threads);
  }
}

#ifndef SAFE_SANITIZED  // which needs terabytes of address space
TEST_CASE("where the machine gives no more threads, the work is done with those it gave") {
  const int status = status_of_child([] {
    // Room for small things, none for another thread's stack of 8 MiB.
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t limit_bytes = pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) + (2U << 20);
    const rlimit limit{limit_bytes, limit_bytes};
    if (::setrlimit(RLIMIT_AS, &limit) != 0) return 99;
    int done = 0;
    common::parallel_for(3, 3, [&](std::size_t) { ++done; });
    return done == 3 ? 0 : 1;
  });
  CHECK(status == 0);
}
#endif

TEST_CASE("the number of threads is the one asked for, or at least one") {
  CHECK(common::thread_count(5) == 5);
  CHECK(common::thread_count(0) >= 1);
}
