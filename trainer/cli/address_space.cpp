#include "trainer/cli/address_space.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace trainer {
namespace {

constexpr std::uint64_t k_mib = std::uint64_t{1} << 20;

// As OpenMP chooses their number.
std::uint64_t count_threads(char** environment) {
  constexpr char k_name[] = "OMP_NUM_THREADS=";
  for (char** one = environment; one != nullptr && *one != nullptr; ++one)
    if (std::strncmp(*one, k_name, sizeof k_name - 1) == 0)
      if (const long count = std::strtol(*one + sizeof k_name - 1, nullptr, 10); count > 0)
        return static_cast<std::uint64_t>(count);
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  return static_cast<std::uint64_t>(std::max(1, CPU_COUNT(&allowed)));
}

std::uint64_t mapped_bytes() {
  char text[64] = {};
  const int file = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  const ssize_t got = ::read(file, text, sizeof text - 1);
  ::close(file);
  return got > 0 ? std::strtoull(text, nullptr, 10) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

}  // namespace

std::uint64_t needed_address_space_bytes(std::uint64_t threads) {
  constexpr std::uint64_t k_buffer = 128 * k_mib, k_stack = 8 * k_mib, k_rest = 512 * k_mib;
  return (threads + 1) * k_buffer + threads * k_stack + k_rest;
}

void require_address_space(int /*count*/, char** /*words*/, char** environment) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const std::uint64_t threads = count_threads(environment),
                      needed = mapped_bytes() + needed_address_space_bytes(threads);
  if (limit.rlim_cur >= needed) return;
  char line[512];
  const int size = std::snprintf(
      line, sizeof line,
      "safe-trainer: out of memory: the limit on address space (ulimit -v) is %llu MiB, and the libraries "
      "for %llu "
      "threads need %llu MiB; raise it (ulimit -v unlimited), or set OMP_NUM_THREADS=1\n",
      static_cast<unsigned long long>(limit.rlim_cur / k_mib), static_cast<unsigned long long>(threads),
      static_cast<unsigned long long>(needed / k_mib));
  (void)!::write(STDERR_FILENO, line, static_cast<std::size_t>(std::max(size, 0)));
  ::_exit(3);
}

}  // namespace trainer
