#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <vector>

#include "common/sealed/draft.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

struct stat status_of(const fs::path& path) {
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status;
}

// Any for root; otherwise one that this user is in and does not create files with.
std::optional<gid_t> another_group() {
  if (::geteuid() == 0) return ::getegid() + 1;
  std::vector<gid_t> groups(1024);
  const int count = ::getgroups(static_cast<int>(groups.size()), groups.data());
  for (int i = 0; i < count; ++i)
    if (groups[static_cast<std::size_t>(i)] != ::getegid()) return groups[static_cast<std::size_t>(i)];
  return std::nullopt;
}

}  // namespace

TEST_CASE("what is published in a folder that a group shares belongs to the group, whole") {
  const auto group = another_group();
  if (!group) {
    MESSAGE("this user is in one group only");
    return;
  }
  const support::Scratch scratch;
  const fs::path shared = scratch / "shared";
  fs::create_directory(shared);
  REQUIRE(::chown(shared.c_str(), static_cast<uid_t>(-1), *group) == 0);
  REQUIRE(::chmod(shared.c_str(), 02775) == 0);
  {
    common::Draft draft(shared / "made/folder", common::never_replaceable());
    const std::string text = "x";
    draft.make_folder_for("a/b/c");
    draft.put(common::PackPath("a/b/c"), common::view_of(text), common::digest_of(text));
    draft.folder().make_folder("d");
    CHECK(draft.folder().make_new_folder("e"));
    draft.publish();
  }
  std::size_t seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(shared)) {
    CAPTURE(entry.path());
    const struct stat status = status_of(entry.path());
    CHECK(status.st_gid == *group);
    // The bit is the group's, nothing else of the mode.
    if (entry.path() != shared / "made")
      CHECK((status.st_mode & 0777) == (entry.is_directory() ? 0755 : 0644));
    ++seen;
  }
  CHECK(seen == 7);

  // What was written elsewhere and is moved in, as a repaired file is.
  support::put(scratch / "elsewhere/f", std::string_view("x"));
  const common::Folder elsewhere = common::Folder::open(scratch / "elsewhere"),
                       folder = common::Folder::open(shared / "made/folder");
  REQUIRE(status_of(scratch / "elsewhere/f").st_gid != *group);
  elsewhere.rename("f", folder, "f");
  CHECK(status_of(shared / "made/folder/f").st_gid == *group);
}

TEST_CASE("in a folder that no group shares, nothing changes groups, and folders have mode 0755") {
  const support::Scratch scratch;
  {
    common::Draft draft(scratch / "folder", common::never_replaceable());
    draft.make_folder_for("a/b");
    draft.folder().make_folder("a");
    draft.publish();
  }
  CHECK((status_of(scratch / "folder").st_mode & 07777) == 0755);
  CHECK((status_of(scratch / "folder/a").st_mode & 07777) == 0755);
}
