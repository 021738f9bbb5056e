// A disk that is full: a small tmpfs in a mount namespace of its own, a little larger with every case until
// the verb succeeds. Where such a namespace is not permitted, the test says so and passes.
#include <cstdio>

#include "packer/archive/archive.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

const std::string k_program = std::string(SAFE_BIN) + "/safe-packer";

// Runs the verb with `disk` as a file system of `blocks` pages; prints its exit code, then what lies there.
support::Finished on_disk(const fs::path& disk, int blocks, const std::string& verb) {
  const std::string script =
      "mount -t tmpfs -o size=" + std::to_string(blocks * 4) + "k tmpfs " + support::quoted(disk.string()) +
      " || exit 99; " + verb + " >/dev/null; echo code $?; ls -A " + support::quoted(disk.string()) +
      "; test ! -e " + support::quoted((disk / "data_pack").string()) + " || " + k_program +
      " verify --quiet " + support::quoted((disk / "data_pack").string()) + " >/dev/null || echo DAMAGED";
  return support::run_process({"unshare", "-rm", "sh", "-c", script});
}

}  // namespace

TEST_CASE("on a disk that is full nothing appears, and the program says that it could not") {
  const support::Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  const fs::path pack = packer::build_pack(request).location;
  (void)packer::archive({pack, scratch / "in.tgz", 1, common::Verbosity::quiet});
  const fs::path disk = scratch / "disk";
  fs::create_directory(disk);
  if (const auto probe =
          support::run_process({"unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", disk.string()});
      probe.code != 0) {
    std::printf("skipped: no mount namespace here (%s)\n", probe.err.c_str());
    return;
  }
  const auto q = [](const fs::path& path) { return support::quoted(path.string()); };
  const struct {
    const char* target;
    std::string verb;
  } verbs[] = {{"data_pack", k_program + " build --quiet --manifest " + q(request.manifest) +
                                 " --val-manifest " + q(request.val_manifest) + " --source-root " +
                                 q(request.source_root) + " --dest-root " + q(disk / "data_pack")},
               {"x.tar", k_program + " archive --quiet " + q(pack) + " -o " + q(disk / "x.tar")},
               {"data_pack", k_program + " extract --quiet " + q(scratch / "in.tgz") + " --dest " +
                                 q(disk / "data_pack")}};
  int cases = 0;
  for (const auto& verb : verbs) {
    CAPTURE(verb.verb);
    bool fits = false;
    for (int blocks = 1; !fits && blocks < 64; blocks += 2) {
      CAPTURE(blocks);
      const support::Finished result = on_disk(disk, blocks, verb.verb);
      fits = result.out == std::string("code 0\n") + verb.target + "\n";
      CHECK_MESSAGE((fits || result.out == "code 3\n"), result.out, result.err);
      ++cases;
    }
    CHECK(fits);
  }
  std::printf("full disk: %d sizes\n", cases);
}
