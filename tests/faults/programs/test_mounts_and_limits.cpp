// Where something is mounted at the destination, and where files may not grow (ulimit -f), as in containers
// and on login nodes. An empty mount point is filled; all else is refused with a sentence, and nothing is
// left behind.
#include <cstdio>

#include "packer/archive/archive.hpp"
#include "packer/check/verify.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Finished;
using support::quoted;

const std::string k_program = std::string(SAFE_BIN) + "/safe-packer";

struct Setting {
  support::Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  fs::path pack = packer::build_pack(request).location;
  fs::path place = scratch / "place";

  Setting() {
    (void)packer::archive({pack, scratch / "in.tar", 1, common::Verbosity::quiet});
    fs::create_directory(place);
  }
  // Each writes to the name that stands in the place of "%".
  [[nodiscard]] std::vector<std::string> folder_verbs() const {
    return {k_program + " build --quiet --manifest " + quoted(request.manifest.string()) +
                " --val-manifest " + quoted(request.val_manifest.string()) + " --source-root " +
                quoted(request.source_root.string()) + " --dest-root %",
            k_program + " extract --quiet " + quoted((scratch / "in.tar").string()) + " --dest %",
            k_program + " export --quiet " + quoted(pack.string()) + " --format webdataset -o %",
            k_program + " synthesize --quiet --clips 4 --questions 8 --out %"};
  }
  [[nodiscard]] std::string archive(const std::string& form) const {
    return k_program + " archive --quiet " + quoted(pack.string()) + " -o %" + form;
  }
};

std::string with_target(std::string verb, const fs::path& target) {
  return verb.replace(verb.find('%'), 1, target.string());
}

// In a mount namespace of its own, after `mounting`.
Finished in_namespace(const std::string& mounting, const std::string& verb) {
  return support::run_process(
      {"unshare", "-rm", "sh", "-c", mounting + " || exit 99; " + verb + " >/dev/null; echo code $?"});
}

bool can_mount(const fs::path& place) {
  const Finished probe =
      support::run_process({"unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", place.string()});
  if (probe.code != 0) std::printf("skipped: no mount namespace here (%s)\n", probe.err.c_str());
  return probe.code == 0;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an empty mount point is filled, with a sentence about a crash in that moment") {
  const Setting setting;
  if (!can_mount(setting.place)) return;
  const fs::path target = setting.place / "mounted", other = setting.place / "other";
  fs::create_directories(target);
  const std::string at = quoted(target.string());
  const std::vector<std::string> verbs = setting.folder_verbs();
  for (std::size_t i = 0; i < verbs.size(); ++i) {
    CAPTURE(verbs[i]);
    // What is mounted is looked at from inside: gone with its namespace.
    const std::string look = i < 2 ? k_program + " verify " + at + " >/dev/null 2>&1"
                                   : "! ls -A " + at + " | grep -q '^[.]' && ls " + at + " | grep -q .";
    const Finished in_memory =
        in_namespace("mount -t tmpfs tmpfs " + at, with_target(verbs[i], target) + " >/dev/null && " + look);
    CHECK_MESSAGE(in_memory.out == "code 0\n", in_memory.out, in_memory.err);
    CHECK_MESSAGE(contains(in_memory.err, "is a mount point, so files are moved up"), in_memory.err);
    CHECK(fs::is_empty(target));
    // A bind mount has the device of its folder: the number of the device does not tell.
    fs::remove_all(other);
    fs::create_directories(other);
    const std::string bind = "mount --bind " + quoted(other.string()) + " " + at;
    const Finished bound = in_namespace(bind, with_target(verbs[i], target));
    CHECK_MESSAGE(bound.out == "code 0\n", bound.out, bound.err);
    CHECK_FALSE(fs::is_empty(other));
    const support::Tree there = support::tree_of(other);
    packer::ExamineRequest quiet;
    quiet.verbosity = common::Verbosity::quiet;
    if (i < 2) CHECK(packer::verify(other, quiet).findings.empty());
    // Once it is full, nothing can take its place.
    const Finished full = in_namespace(bind, with_target(verbs[i], target));
    CHECK_MESSAGE(full.out == "code 2\n", full.out, full.err);
    CHECK_MESSAGE(contains(full.err, "is a mount point and not empty"), full.err);
    CHECK_MESSAGE(contains(full.err, "name a folder in it"), full.err);
    CHECK(support::tree_of(other) == there);
    const Finished inside =
        in_namespace("mount -t tmpfs tmpfs " + at, with_target(verbs[i], target / "data_pack"));
    CHECK_MESSAGE(inside.out == "code 0\n", inside.out, inside.err);
  }
}

TEST_CASE("an archive cannot take the place of a file that is mounted by itself") {
  const Setting setting;
  if (!can_mount(setting.place)) return;
  support::put_file(setting.place / "x.tar", "");
  support::put_file(setting.place / "y", "");
  const Finished file = in_namespace("mount --bind " + quoted((setting.place / "y").string()) + " " +
                                         quoted((setting.place / "x.tar").string()),
                                     with_target(setting.archive(".tar"), setting.place / "x"));
  CHECK_MESSAGE(file.out == "code 2\n", file.out, file.err);
  CHECK_MESSAGE(contains(file.err, "is mounted by itself"), file.err);
}

TEST_CASE("where files may not grow, every writer says so, ends with 3 and leaves nothing") {
  const Setting setting;
  std::vector<std::string> verbs = setting.folder_verbs();
  for (const char* form : {".tar", ".tar.zst", ".tgz"}) verbs.push_back(setting.archive(form));
  verbs.push_back(k_program + " keygen -o %.pem");
  for (const std::string& verb : verbs)
    for (const int blocks : {0, 1, 8}) {
      CAPTURE(verb);
      CAPTURE(blocks);
      const Finished result = support::run_process(
          {"sh", "-c",
           "ulimit -f " + std::to_string(blocks) + "; " + with_target(verb, setting.place / "x") +
               " >/dev/null 2>" + quoted((setting.scratch / "pipe").string())});
      // The message could not be written to a file either; that it is one is seen without the limit on it.
      CHECK((result.code == 3 || result.code == 0));
      if (result.code == 3) CHECK(fs::is_empty(setting.place));
      fs::remove_all(setting.place);
      fs::create_directory(setting.place);
    }
  const Finished said = support::run_process(
      {"sh", "-c",
       "(ulimit -f 8; " + with_target(setting.archive(".tar"), setting.place / "x") + ") 2>&1 | cat"});
  CHECK_MESSAGE(contains(said.out, "ulimit -f"), said.out);
}
