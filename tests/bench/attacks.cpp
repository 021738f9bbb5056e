// What attacks cost: inputs of at most a few hundred kilobytes on the disk, each read in a process of its own
// whose memory and time are printed.
//
//   bench_attacks FOLDER [PROGRAM]     FOLDER needs 200 MB; PROGRAM is another safe-packer, for "before"
//
// Exits with 1 where one took more than 256 MiB or two seconds of processor time.
#include <cstdio>

#include "tests/support/attacks.hpp"

int main(int argc, char** argv) {
  constexpr long k_limit_kib = 256 << 10;
  constexpr double k_limit_s = 2;
  constexpr std::uint64_t k_large_bytes = std::uint64_t{250} << 20;
  constexpr rlim_t k_patience_s = 60;
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_attacks FOLDER [PROGRAM]\n");
    return 2;
  }
  const std::filesystem::path root = std::filesystem::absolute(argv[1]) / "attacks";
  const std::string program = argc > 2 ? argv[2] : std::string(SAFE_BIN) + "/safe-packer";
  bool good = true;
  std::printf("%-46s %9s %5s %8s %8s %10s\n", "attack", "kB", "exit", "wall s", "CPU s", "MiB");
  for (const support::Attack& attack : support::write_attacks(root, k_large_bytes)) {
    const bool is_file = std::filesystem::is_regular_file(attack.path);
    const double kilobytes =
        is_file ? static_cast<double>(std::filesystem::file_size(attack.path)) / 1000 : 0;
    const support::Cost cost = support::cost_of(program, attack.arguments, k_patience_s);
    const bool ok = cost.memory_kib <= k_limit_kib && cost.processor_s <= k_limit_s && cost.code < 128;
    good = good && ok;
    std::printf("%-46s %9.1f %5d %8.2f %8.2f %10.1f%s\n", attack.name.c_str(), kilobytes, cost.code,
                cost.wall_s, cost.processor_s, static_cast<double>(cost.memory_kib) / 1024,
                ok ? "" : "  OVER THE LIMIT");
    std::fflush(stdout);
  }
  std::filesystem::remove_all(root);
  return good ? 0 : 1;
}
