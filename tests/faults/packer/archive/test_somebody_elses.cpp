// What others put beside a destination, or into its draft, is neither followed, written to, nor removed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>

#include "common/error.hpp"
#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/repair/repair.hpp"
#include "tests/faults/packer/apart.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

struct Setting {
  support::Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  packer::BuildSummary built;
  fs::path archive = scratch / "x.tar", place = scratch / "place", target = place / "data_pack";

  Setting() {
    request.verbosity = common::Verbosity::quiet;
    built = packer::build_pack(request);
    (void)packer::archive({built.location, archive, 1, common::Verbosity::quiet});
    fs::create_directories(place);
  }
  void extract() const { (void)packer::extract({archive, target, {}, 1, common::Verbosity::quiet}); }
};

int code_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const common::Error& error) {
    return common::exit_code(error.kind());
  }
  return 0;
}

// A chain of folders, deeper than any stack or table of descriptors goes.
void make_deep(const fs::path& root, int levels) {
  fs::create_directories(root);
  int at = ::open(root.c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < levels; ++i) {
    REQUIRE(::mkdirat(at, "d", 0755) == 0);
    const int next = ::openat(at, "d", O_RDONLY | O_DIRECTORY);
    ::close(at);
    at = next;
  }
  ::close(at);
}

}  // namespace

TEST_CASE("a draft that another user made is refused, and nothing is written through its links") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: only root can make another user's folder");
    return;
  }
  const Setting setting;
  const fs::path draft = setting.place / ".data_pack.draft", outside = setting.scratch / "outside";
  fs::create_directories(outside);
  fs::create_directories(draft);
  fs::create_symlink(outside, draft / "images");
  REQUIRE(::chown(draft.c_str(), 65534, 65534) == 0);
  CHECK(code_of([&] { setting.extract(); }) == 3);
  CHECK(fs::is_empty(outside));
  CHECK(fs::is_symlink(draft / "images"));
  CHECK_FALSE(fs::exists(setting.target));
}

TEST_CASE("a link in a draft of one's own is not followed") {
  const Setting setting;
  const fs::path draft = setting.place / ".data_pack.draft", outside = setting.scratch / "outside";
  fs::create_directories(outside);
  fs::create_directories(draft);
  fs::create_symlink(outside, draft / "images");
  setting.extract();
  CHECK(fs::is_empty(outside));
  CHECK(faults::id_at(setting.target) == setting.built.id);
}

TEST_CASE("a draft that others may write to is refused") {
  const Setting setting;
  const fs::path draft = setting.place / ".data_pack.draft";
  fs::create_directories(draft);
  REQUIRE(::chmod(draft.c_str(), 0777) == 0);
  CHECK(code_of([&] { setting.extract(); }) == 3);
  CHECK(fs::exists(draft));
}

TEST_CASE("a user's folder called .data_pack.old stays") {
  const Setting setting;
  support::put(setting.place / ".data_pack.old" / "thesis.txt", std::string("mine"));
  setting.extract();
  setting.extract();
  CHECK(support::get(setting.place / ".data_pack.old" / "thesis.txt") == "mine");
}

TEST_CASE("a verb that refuses removes nothing") {
  const Setting setting;
  support::put(setting.target / "thesis.txt", std::string("mine"));
  support::put(setting.place / ".data_pack.0123456789abcdef.old" / "SHA256SUMS",
               std::string("left by a kill"));
  support::put(setting.place / ".data_pack.draft" / "pack.json", std::string("left by a kill"));
  const support::Tree before = support::tree_of(setting.place);
  CHECK(code_of([&] { setting.extract(); }) == 2);
  packer::BuildRequest request = setting.request;
  request.dest_root = setting.target;
  CHECK(code_of([&] { (void)packer::build_pack(request); }) == 2);
  CHECK(support::tree_of(setting.place) == before);
}

TEST_CASE("archive does not write through a hard link at its draft's name") {
  const Setting setting;
  support::put(setting.scratch / "precious", std::string("mine"));
  fs::create_hard_link(setting.scratch / "precious", setting.place / ".y.tar.draft");
  (void)packer::archive({setting.built.location, setting.place / "y.tar", 1, common::Verbosity::quiet});
  CHECK(support::get(setting.scratch / "precious") == "mine");
  CHECK(support::get(setting.place / "y.tar") == support::get(setting.archive));
  CHECK_FALSE(fs::exists(setting.place / ".y.tar.draft"));
}

TEST_CASE("a lock that is one more name of somebody's file is refused and not written to") {
  const Setting setting;
  support::put(setting.scratch / "precious", std::string("mine"));
  fs::create_hard_link(setting.scratch / "precious", setting.place / ".data_pack.lock");
  CHECK(code_of([&] { setting.extract(); }) == 3);
  CHECK(support::get(setting.scratch / "precious") == "mine");
}

TEST_CASE("a stray folder 3,000 levels deep stops neither verify, repair, build nor extract") {
  const Setting setting;
  setting.extract();
  make_deep(setting.target / "stray", 3000);
  packer::ExamineRequest quiet;
  quiet.verbosity = common::Verbosity::quiet;
  const packer::Report report = packer::verify(setting.target, quiet);
  REQUIRE(report.findings.size() == 1);
  CHECK(report.findings[0].rule == "F3");
  fs::remove(setting.target / "README.txt");
  packer::RepairRequest repair;
  repair.pack = setting.target;
  repair.from = {setting.archive};
  repair.extras = packer::Extras::move_aside;
  repair.verbosity = common::Verbosity::quiet;
  CHECK(packer::repair(repair).report.findings.empty());
  CHECK(faults::id_at(setting.target) == setting.built.id);

  for (const bool builds : {false, true}) {
    CAPTURE(builds);
    make_deep(setting.place / ".data_pack.draft" / "stray", 3000);
    packer::BuildRequest request = setting.request;
    request.dest_root = setting.target;
    if (builds)
      (void)packer::build_pack(request);
    else
      setting.extract();
    CHECK(faults::id_at(setting.target) == setting.built.id);
    CHECK_FALSE(fs::exists(setting.place / ".data_pack.draft"));
  }
  // The scratch folder's own remove_all would run out of descriptors.
  const common::Folder place = common::Folder::open(setting.place);
  for (const common::Entry& entry : place.walk(1)) place.remove(entry.path);
}

// The same bytes lie behind the link: whoever follows it finds nothing wrong.
TEST_CASE("a folder that becomes a link while verify reads is not followed") {
  const Setting setting;
  const fs::path pack = setting.target, outside = setting.scratch / "outside";
  setting.extract();
  fs::copy(pack / "images", outside, fs::copy_options::recursive);
  support::before_call([&] {
    fs::rename(pack / "images", pack.parent_path() / "images.was");
    fs::create_symlink(outside, pack / "images");
  });
  int found = 0, read_before = 0;
  for (std::uint64_t at = 1;; ++at) {
    fs::remove_all(setting.place);
    setting.extract();
    const int code = faults::run_apart(setting.place, support::Fault::changed, at, [&] {
      if (!faults::id_at(pack)) throw common::Error(common::ErrorKind::mismatch, "found");
    });
    const bool struck = support::count_calls().struck;
    if (!struck) break;
    CAPTURE(at);
    CHECK((code == 0 || code == 1 || code == 3));
    // Once one change comes too late to be seen, all later ones do: the last picture has been opened.
    if (code == 0)
      ++read_before;
    else
      ++found;
    if (code != 0) CHECK(read_before == 0);
  }
  CHECK(found > 20);
  std::printf("a folder becomes a link: found at %d moments, read before at %d\n", found, read_before);
}
