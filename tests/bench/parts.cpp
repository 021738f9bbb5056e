// What it takes to verify a pack of 100,000 files whole and in parts, each part a process of one thread, as
// many of them at once as there are cores; and what is said where a part is missing or is of another pack.
//
//   bench_parts FOLDER [COUNT]
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "common/error.hpp"
#include "tests/bench/many_sources.hpp"

namespace {

namespace fs = std::filesystem;

struct Timed {
  double seconds = 0;
  int code = 0;
};

Timed run(const std::string& command) {
  const auto begin = std::chrono::steady_clock::now();
  const int status = std::system(command.c_str());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
  return {taken.count(), WIFEXITED(status) ? WEXITSTATUS(status) : -1};
}

void say(const std::string& what, const Timed& timed) {
  fmt::print("{:<34} {:6.2f} s  code {}\n", what, timed.seconds, timed.code);
  std::fflush(stdout);
}

// The median of three.
Timed median(const std::string& command) {
  std::vector<Timed> all;
  for (int i = 0; i < 3; ++i) all.push_back(run(command));
  std::sort(all.begin(), all.end(), [](const Timed& a, const Timed& b) { return a.seconds < b.seconds; });
  return all[1];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: bench_parts FOLDER [COUNT]\n");
    return 2;
  }
  const fs::path root = fs::absolute(argv[1]);
  const int count = argc > 2 ? std::atoi(argv[2]) : 100'000;
  const std::string packer = std::string(SAFE_BIN) + "/safe-packer ";
  const auto build = [&](const std::string& name, int files) {
    bench::write_sources(root / name, files);
    const std::string at = (root / name).string();
    ENSURE(run(packer + "build --quiet --manifest '" + at + "/E/subset_manifest.json' --val-manifest '" + at +
               "/E/val_manifest.json' --source-root '" + at + "/audiocaps' --dest-root '" + at +
               "/data_pack' > '" + at + "/log'")
               .code == 0);
    return "'" + at + "/data_pack'";
  };
  const std::string pack = build("many", count), other = build("other", 100);
  const std::string verify = packer + "verify --quiet " + pack, nowhere = " > /dev/null 2>&1";
  say("whole, one thread", median(verify + " --threads 1" + nowhere));
  say("whole, all cores", median(verify + nowhere));
  for (const int parts : {1, 2, 4}) {
    std::string report = "'" + root.string() + "/part_" + std::to_string(parts) + "_";
    std::vector<double> alone;
    for (int part = 1; part <= parts; ++part)
      alone.push_back(median(fmt::format("{} --threads 1 --json --part {}/{} > {}{}.json'", verify, part,
                                         parts, report, part))
                          .seconds);
    const auto [least, most] = std::minmax_element(alone.begin(), alone.end());
    fmt::print("{:<34} {:6.2f} s to {:.2f} s\n", fmt::format("a part of {}", parts), *least, *most);
    say(fmt::format("{} parts, as many at once as cores", parts),
        median(fmt::format("seq {} | xargs -P {} -I% sh -c \"{} --threads 1 --json --part %/{} > {}%.json'\"",
                           parts, std::thread::hardware_concurrency(), verify, parts, report)));
    std::string joined;
    for (int part = 1; part <= parts; ++part) joined += fmt::format(" {}{}.json'", report, part);
    say(fmt::format("{} parts joined", parts), run(verify + " --join" + joined + nowhere));
  }
  say("a part missing", run(verify + " --join '" + root.string() + "/part_2_1.json'"));
  const std::string foreign = "'" + root.string() + "/foreign.json'";
  ENSURE(run(packer + "verify --quiet --json --part 2/2 " + other + " > " + foreign).code == 0);
  say("a part of another pack", run(verify + " --join '" + root.string() + "/part_2_1.json' " + foreign));
}
