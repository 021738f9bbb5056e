#include "trainer/run/workplace.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

using trainer::Workplace;
namespace fs = std::filesystem;

namespace {

std::size_t entries_of(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

void leave_killed(const fs::path& root) {
  const pid_t child = ::fork();
  if (child == 0) {
    Workplace work(root);
    work.folder().make_folder("source_pack/images");
    work.folder().write("manifests", "{}");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

}  // namespace

TEST_CASE("a workplace that nobody asked for is not made, and one that was is gone at the end") {
  const support::Scratch scratch;
  { const Workplace work(scratch / "runs"); }
  CHECK_FALSE(fs::exists(scratch / "runs"));
  {
    Workplace work(scratch / "runs");
    work.folder().make_folder("source_pack");
    CHECK(fs::is_directory(work.folder().path_of("source_pack")));
  }
  CHECK(fs::is_empty(scratch / "runs"));
}

TEST_CASE(
    "what a killed run left of its sources is removed by the next run, and what a living one has is not") {
  const support::Scratch scratch;
  leave_killed(scratch.path());
  leave_killed(scratch.path());
  support::put_file(scratch / "..source-0123456789abcdef.lock", "");  // killed before the folder was made
  support::put_file(scratch / ".source-notes", "somebody's");
  Workplace living(scratch.path());
  CHECK(entries_of(scratch.path()) == 1);
  living.folder().write("manifests", "{}");
  { const Workplace next(scratch.path()); }
  CHECK(fs::exists(living.folder().path_of("manifests")));
  CHECK(entries_of(scratch.path()) == 3);  // the folder, its lock, the notes
}
