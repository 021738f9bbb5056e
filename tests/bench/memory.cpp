// How much memory the verbs take: a pack of 100,000 small files, and one that holds a file of 8 GiB - 1 byte,
// through build, archive, verify and extract, each in a process of its own whose peak is read from the
// system.
//
//   bench_memory FOLDER [COUNT]     FOLDER needs about 20 GiB; COUNT is the number of small files (100,000)
//
// Exits with 1 where a verb took more than the limit.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "tests/bench/many_sources.hpp"

namespace {

namespace fs = std::filesystem;
constexpr long k_limit_kib = 128 << 10;

// A pack whose one clip has as many bytes as a file may have; they are zeros that take no room on the disk.
void write_large_pack(const fs::path& root) {
  const fs::path pack = packer::build_pack(support::small_sources(root)).location;
  const std::string path = "audio/train/video_1.wav";
  fs::resize_file(pack / path, packer::k_file_limit_bytes);
  common::Findings none;
  packer::PackInfo info = *packer::parse_info(support::get(pack / packer::k_info_name), none);
  std::vector<common::SumsLine> sums;
  for (packer::FileInfo& file : info.files) {
    if (file.path.text() == path) file.bytes = packer::k_file_limit_bytes;
    sums.push_back({file.path, common::digest_file(file.path.under(pack)).digest});
  }
  const std::string text = packer::write_info(info);
  support::put(pack / packer::k_info_name, text);
  sums.push_back({common::PackPath(packer::k_info_name), common::digest_of(text)});
  std::sort(sums.begin(), sums.end());
  support::put(pack / common::k_seal_name, common::write_sums(sums));
}

// Calls in a process of its own: what it takes must not count for the processes that are measured, which
// begin with the memory of this one.
template <typename Call>
void apart(const Call& call) {
  const pid_t child = ::fork();
  if (child == 0) {
    call();
    ::_exit(0);
  }
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0)
    throw std::runtime_error("a fixture could not be made");
}

bool within_limit = true;

void measure(const char* what, const std::string& command) {
  const auto begin = std::chrono::steady_clock::now();
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  if (child < 0 || ::wait4(child, &status, 0, &usage) != child)
    throw std::runtime_error("cannot run " + command);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  within_limit = within_limit && status == 0 && usage.ru_maxrss <= k_limit_kib;
  std::printf("%-28s %7.1f s %7.1f MiB  %s\n", what, wall.count(),
              static_cast<double>(usage.ru_maxrss) / 1024,
              status != 0                      ? "FAILED"
              : usage.ru_maxrss <= k_limit_kib ? "ok"
                                               : "OVER THE LIMIT");
  std::fflush(stdout);
}

void round_trip(const std::string& name, const fs::path& root, const fs::path& pack) {
  const std::string program = std::string(SAFE_BIN) + "/safe-packer ";
  const auto at = [&](const std::string& file) { return " '" + (root / file).string() + "'"; };
  const std::string rest = " --quiet > /dev/null";
  measure((name + ": verify folder").c_str(), program + "verify '" + pack.string() + "'" + rest);
  for (const char* file : {"x.tar", "x.tar.zst", "x.tgz"}) {
    measure((name + ": archive " + file).c_str(),
            program + "archive '" + pack.string() + "' -o" + at(file) + rest);
    measure((name + ": verify " + file).c_str(), program + "verify" + at(file) + rest);
  }
  measure((name + ": verify - (zstd)").c_str(), program + "verify - " + rest + " <" + at("x.tar.zst"));
  measure((name + ": extract x.tar.zst").c_str(),
          program + "extract" + at("x.tar.zst") + " --dest" + at("extracted") + rest);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: bench_memory FOLDER [COUNT]\n");
    return 2;
  }
  const fs::path root = fs::absolute(argv[1]);
  const fs::path many = root / "many", large = root / "large";
  const int count = argc > 2 ? std::atoi(argv[2]) : 100'000;
  const std::string program = std::string(SAFE_BIN) + "/safe-packer ";
  measure("start and end", program + "--version > /dev/null");
  apart([&] { bench::write_sources(many, count); });
  measure("small files: build", program + "build --quiet --manifest '" +
                                    (many / "E/subset_manifest.json").string() + "' --val-manifest '" +
                                    (many / "E/val_manifest.json").string() + "' --source-root '" +
                                    (many / "audiocaps").string() + "' --dest-root '" +
                                    (many / "data_pack").string() + "' > /dev/null");
  round_trip("small files", many, many / "data_pack");
  apart([&] { write_large_pack(large); });
  round_trip("8 GiB - 1", large, large / "data_pack");
  fs::remove_all(many);
  fs::remove_all(large);
  return within_limit ? 0 : 1;
}
