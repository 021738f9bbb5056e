// File systems that do less than a local disk: CIFS, NFS, Lustre, FUSE, FAT. A call of their kind is refused
// every time, with each error that one of them answers. Packs, archives, signatures and repairs are made all
// the same; only a secret key is not put where others can read it. And once something stands in its place, no
// error says that it does not.
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>

#include "common/error.hpp"
#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/check/sign.hpp"
#include "packer/repair/repair.hpp"
#include "tests/faults/packer/apart.hpp"
#include "tests/support/said.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
constexpr auto k_quiet = common::Verbosity::quiet;

struct Refused {
  const char* call;
  std::vector<int> codes;
};
const std::vector<Refused> k_refused = {
    {"fchmod", {EPERM, EACCES, ENOTSUP, ENOSYS, EINVAL, EROFS}},  // CIFS, S3, NFS with ACLs
    {"flock", {ENOSYS, ENOLCK, EOPNOTSUPP, EINVAL, EPERM}},       // Lustre, NFS without lockd
    {"fsync of a folder", {EINVAL, ENOSYS, ENOTSUP, EBADF}},      // CIFS before Linux 4.17
    {"fsync", {EINVAL, ENOSYS, ENOTSUP}},
    {"syncfs", {EINVAL, ENOSYS, ENOTSUP}},
    {"exchange", {EINVAL, ENOSYS, ENOTSUP}},
    {"openat2", {ENOSYS, EPERM}},
};

// Everything that writes, one after the other; what each leaves is looked at.
void make_everything(const packer::BuildRequest& sources, const fs::path& place, const fs::path& key,
                     const common::Digest& id) {
  const fs::path pack = place / "data_pack", tar = place / "x.tar", other = place / "other";
  packer::BuildRequest request = sources;
  request.dest_root = pack;
  for (int time = 0; time < 2; ++time) {  // the second over the first
    CHECK(packer::build_pack(request).id == id);
    CHECK(packer::sign_pack({pack, key, 1, k_quiet}).id == id);
    CHECK(packer::archive({pack, tar, 1, k_quiet}).id == id);
    CHECK(packer::extract({tar, other, {}, 1, k_quiet}).id == id);
  }
  fs::remove(other / "README.txt");
  packer::RepairRequest repair;
  repair.pack = other;
  repair.from = {pack};
  repair.threads = 1;
  repair.verbosity = k_quiet;
  CHECK(packer::repair(repair).report.findings.empty());
  CHECK(faults::id_at(pack) == id);
  CHECK(faults::id_at(tar) == id);
  CHECK(faults::id_at(other) == id);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(place)) names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  CHECK(names == std::vector<std::string>{"data_pack", "other", "x.tar"});
}

struct Setting {
  support::Scratch scratch;
  packer::BuildRequest request;
  common::Digest id;
  fs::path key;

  Setting() {
    request = support::small_sources(scratch.path());
    request.threads = 1;
    request.verbosity = k_quiet;
    id = packer::build_pack(request).id;
    key = packer::keygen(scratch / "KEY.pem").secret;
  }
  [[nodiscard]] fs::path fresh() const {
    fs::remove_all(scratch / "place");
    fs::create_directories(scratch / "place");
    return scratch / "place";
  }
};

}  // namespace

TEST_CASE("whatever a file system refuses, packs, archives, signatures and repairs are made all the same") {
  const Setting setting;
  for (const Refused& refused : k_refused)
    for (const int code : refused.codes) {
      CAPTURE(std::string(refused.call));
      CAPTURE(std::string(std::strerror(code)));
      const fs::path place = setting.fresh();
      support::refuse_call(refused.call, code);
      CHECK_NOTHROW(make_everything(setting.request, place, setting.key, setting.id));
      support::refuse_call("", 0);
    }
  for (const support::Lacks lacks : {support::Lacks::other_names_for_folders, support::Lacks::flock_effect}) {
    support::make_lack(lacks);
    CHECK_NOTHROW(make_everything(setting.request, setting.fresh(), setting.key, setting.id));
  }
  // Neither locks that work nor a second name for a file: FAT, and some FUSE.
  for (const int code : {EPERM, ENOTSUP, ENOSYS, EMLINK}) {
    CAPTURE(std::string(std::strerror(code)));
    support::refuse_call("linkat", code);
    CHECK_NOTHROW(make_everything(setting.request, setting.fresh(), setting.key, setting.id));
  }
  support::refuse_call("", 0);
  support::make_lack(support::Lacks::nothing);
}

TEST_CASE("what is weaker is said once a command, and nothing where nothing is") {
  // What is refused, and in which sentences it is said: of the first time, and of one that replaces.
  struct Case {
    const char* call;
    int code;
    const char* words;
    bool said_first;
  };
  const std::vector<Case> cases = {{"fchmod", EPERM, "refuses modes", true},
                                   {"flock", ENOLCK, "file locks have no effect", true},
                                   {"fsync of a folder", EINVAL, "a power cut may lose it", true},
                                   {"fsync", EINVAL, "a power cut may lose it", true},
                                   {"syncfs", ENOSYS, "a power cut may lose it", true},
                                   {"exchange", EINVAL, "is replaced in two steps", false},
                                   {"openat2", ENOSYS, nullptr, false},
                                   {"", 0, nullptr, false}};
  const Setting setting;
  for (const Case& refused : cases) {
    const fs::path place = setting.fresh(), pack = place / "data_pack", other = place / "other";
    packer::BuildRequest request = setting.request;
    request.dest_root = pack;
    const fs::path tar = setting.scratch / "said.tar";
    if (!fs::exists(tar)) {
      (void)packer::build_pack(request);
      (void)packer::archive({pack, tar, 1, k_quiet});
      fs::remove_all(pack);
    }
    const std::vector<std::pair<const char*, std::function<void()>>> verbs = {
        {"build", [&] { (void)packer::build_pack(request); }},
        {"extract", [&] {
           (void)packer::extract({tar, other, {}, 1, k_quiet});
         }}};
    support::refuse_call(refused.call, refused.code);
    for (const auto& [name, verb] : verbs)
      for (const bool first : {true, false}) {
        const std::string said = support::said_by(verb);
        CAPTURE(std::string(refused.call));
        CAPTURE(std::string(name));
        CAPTURE(first);
        CAPTURE(said);
        const bool expected = refused.words != nullptr && (refused.said_first || !first);
        CHECK(support::count_in(said, "warning: ") == (expected ? 1 : 0));
        if (expected) CHECK(support::count_in(said, refused.words) == 1);
      }
    // One file, which is replaced in one step everywhere.
    const std::string said = support::said_by([&] {
      (void)packer::archive({pack, place / "x.tar", 1, k_quiet});
    });
    const bool expected = refused.said_first && std::string(refused.call) != "syncfs";
    CHECK(support::count_in(said, "warning: ") == (expected ? 1 : 0));
    support::refuse_call("", 0);
  }
}

TEST_CASE("where neither locks nor second names work, one process at a time still writes to a destination") {
  const Setting setting;
  support::make_lack(support::Lacks::flock);
  support::refuse_call("linkat", EPERM);
  const common::Folder parent = common::Folder::open(setting.fresh());
  {
    const common::Lock first(parent, "data_pack");
    CHECK_THROWS_WITH_AS(common::Lock(parent, "data_pack"), doctest::Contains("is in use by process"),
                         common::Error);
  }
  CHECK(parent.is_empty());
  const common::Lock again(parent, "data_pack");
  support::refuse_call("", 0);
  support::make_lack(support::Lacks::nothing);
}

TEST_CASE("a secret key is not left where its mode does not keep others out") {
  const support::Scratch scratch;
  // As on a mount that gives every file one mode: what it was created with is not what it has.
  const mode_t before = ::umask(0);
  support::refuse_call("fchmod", EPERM);
  const packer::KeyFiles kept = packer::keygen(scratch / "KEY.pem");  // 0600 from its creation
  CHECK((fs::status(kept.secret).permissions() & fs::perms(077)) == fs::perms::none);
  support::refuse_call("", 0);
  support::give_every_file_mode(0755);
  CHECK_THROWS_WITH_AS((void)packer::keygen(scratch / "OTHER.pem"),
                       doctest::Contains("cannot be kept from other users"), common::Error);
  support::give_every_file_mode(0);
  ::umask(before);
  CHECK_FALSE(fs::exists(scratch / "OTHER.pem"));
  CHECK_FALSE(fs::exists(scratch / "OTHER.pub.pem"));
}

TEST_CASE("what stands in its place is not denied because the disk fails afterwards") {
  const Setting setting;
  support::refuse_call("fsync of a folder", EIO);
  CHECK_NOTHROW(make_everything(setting.request, setting.fresh(), setting.key, setting.id));
  const packer::KeyFiles keys = packer::keygen(setting.scratch / "SECOND.pem");
  CHECK(fs::exists(keys.secret));
  CHECK(fs::exists(keys.public_half));
  support::refuse_call("", 0);
}
