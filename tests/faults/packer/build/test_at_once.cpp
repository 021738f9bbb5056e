// Several processes work on one pack at the same moment, on file systems that do more and less. Whatever the
// timing: a complete pack is there afterwards, each process has done its work or says why not, and nothing is
// left beside it.
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <vector>

#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/check/sign.hpp"
#include "packer/repair/repair.hpp"
#include "tests/faults/packer/apart.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Lacks;
using Work = std::function<void()>;

// Starts the second work `apart_us` after the first; gives both exit codes.
std::vector<int> run_both(const Work& first, const Work& second, unsigned apart_us) {
  std::fflush(stdout);
  std::vector<pid_t> children;
  for (const Work* work : {&first, &second}) {
    const pid_t child = ::fork();
    if (child == 0) {
      if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(99);
      ::alarm(60);
      ::_exit(common::run_program("safe-packer", [&] {
        (*work)();
        return 0;
      }));
    }
    children.push_back(child);
    ::usleep(apart_us);
  }
  std::vector<int> codes;
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  }
  return codes;
}

bool stands_alone(const fs::path& target) {
  for (const auto& entry : fs::directory_iterator(target.parent_path()))
    if (entry.path() != target) return false;
  return true;
}

struct Setting {
  support::Scratch scratch;
  packer::BuildRequest request;
  fs::path target = scratch / "place" / "data_pack", archive = scratch / "x.tar";
  common::Digest id;

  Setting() {
    request = support::small_sources(scratch.path());
    request.threads = 1;
    request.verbosity = common::Verbosity::quiet;
    const packer::BuildSummary built = packer::build_pack(request);
    id = built.id;
    (void)packer::archive({built.location, archive, 1, common::Verbosity::quiet});
    request.dest_root = target;
    fs::create_directories(target.parent_path());
  }
  [[nodiscard]] Work build() const {
    return [this] { (void)packer::build_pack(request); };
  }
  [[nodiscard]] Work extract() const {
    return [this] { (void)packer::extract({archive, target, {}, 1, common::Verbosity::quiet}); };
  }
};

}  // namespace

TEST_CASE("two that replace one pack at once leave it whole, wherever locks and exchanges work or not") {
  const Setting setting;
  const std::vector<std::pair<Work, Work>> pairs = {{setting.build(), setting.build()},
                                                    {setting.extract(), setting.extract()},
                                                    {setting.build(), setting.extract()}};
  int rounds = 0, refused = 0;
  for (const Lacks lacks : {Lacks::nothing, Lacks::flock_effect, Lacks::flock, Lacks::exchange})
    for (const auto& [first, second] : pairs)
      for (unsigned apart_us = 0; apart_us <= 40'000; apart_us += 4'000) {
        support::make_lack(Lacks::nothing);
        if (!fs::exists(setting.target)) setting.build()();
        support::make_lack(lacks);
        const std::vector<int> codes = run_both(first, second, apart_us);
        support::make_lack(Lacks::nothing);
        CAPTURE(static_cast<int>(lacks));
        CAPTURE(apart_us);
        CAPTURE(codes[0]);
        CAPTURE(codes[1]);
        CHECK(faults::id_at(setting.target) == setting.id);
        CHECK((codes[0] == 0 || codes[1] == 0));
        for (const int code : codes) CHECK((code == 0 || code == 3));
        CHECK(stands_alone(setting.target));
        ++rounds;
        refused += (codes[0] != 0 ? 1 : 0) + (codes[1] != 0 ? 1 : 0);
      }
  std::printf("two at once: %d rounds, %d refusals\n", rounds, refused);
}

TEST_CASE("while a pack is signed or repaired, nobody else changes it") {
  const Setting setting;
  setting.build()();
  const packer::KeyFiles keys = packer::keygen(setting.scratch / "key.pem");
  const Work sign = [&] {
    (void)packer::sign_pack({setting.target, keys.secret, 1, common::Verbosity::quiet});
  };
  for (unsigned apart_us = 0; apart_us <= 20'000; apart_us += 2'000) {
    CAPTURE(apart_us);
    fs::remove(setting.target / "SHA256SUMS.sig");
    const std::vector<int> codes = run_both(sign, setting.build(), apart_us);
    CHECK(faults::id_at(setting.target) == setting.id);
    for (const int code : codes) CHECK((code == 0 || code == 3));
    CHECK(stands_alone(setting.target));
  }
}

TEST_CASE("a signature that was cut off by a kill leaves nothing for good") {
  const Setting setting;
  setting.build()();
  const packer::KeyFiles keys = packer::keygen(setting.scratch / "key.pem");
  const Work sign = [&] {
    (void)packer::sign_pack({setting.target, keys.secret, 1, common::Verbosity::quiet});
  };
  std::uint64_t at = 0;
  for (;;) {
    fs::remove(setting.target / "SHA256SUMS.sig");
    const int code = faults::run_apart(setting.scratch.path(), support::Fault::killed, ++at, sign);
    const bool struck = support::count_calls().struck;
    CAPTURE(at);
    CHECK(faults::id_at(setting.target) == setting.id);
    CHECK(faults::run_apart(setting.scratch.path(), support::Fault::none, 0, sign) == 0);
    CHECK(fs::file_size(setting.target / "SHA256SUMS.sig") == 64);
    CHECK(stands_alone(setting.target));
    if (!struck) {
      CHECK(code == 0);
      break;
    }
  }
  CHECK(at > 20);
}
