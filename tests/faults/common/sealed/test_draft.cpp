#include "common/sealed/draft.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "tests/support/run_apart.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/system_calls.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Fault;

const support::Tree k_new = {{"a/b", "new"}, {"c", "new"}};

void publish_new(const fs::path& target) {
  common::Draft draft(target, [](const common::Folder&) { return std::string(); });
  draft.remove_all_but([](const std::string&) { return false; });
  for (const auto& [path, text] : k_new) {
    draft.make_folder_for(path);
    draft.put(common::PackPath(path), common::view_of(text), common::digest_of(text));
  }
  draft.publish();
}

bool stands_alone(const fs::path& target) {
  return std::distance(fs::directory_iterator(target.parent_path()), fs::directory_iterator()) == 1;
}

}  // namespace

TEST_CASE(
    "where a folder can only be removed, as in a container's image, the new one is in its place whole, at "
    "the "
    "latest after the next run") {
  const support::Scratch scratch;
  const fs::path target = scratch / "place/folder";
  const auto put_old = [&] {
    fs::remove_all(scratch / "place");
    for (const char* path : {"a/b", "c", "d/e/f"}) support::put(target / path, std::string_view("old"));
  };
  support::make_lack(support::Lacks::other_names_for_folders);
  for (const Fault fault : {Fault::error, Fault::killed}) {
    std::uint64_t at = 0, failed = 0;
    for (;;) {
      put_old();
      const int code = support::run_apart(scratch.path(), fault, ++at, [&] { publish_new(target); });
      const support::CallCount calls = support::count_calls();
      CAPTURE(at);
      CAPTURE(std::string(calls.name));
      if (code == 0) CHECK(support::tree_of(target) == k_new);
      failed += code != 0 ? 1 : 0;
      CHECK(support::run_apart(scratch.path(), Fault::none, 0, [&] { publish_new(target); }) == 0);
      CHECK(support::tree_of(target) == k_new);
      CHECK(stands_alone(target));
      if (!calls.struck) break;
    }
    CHECK(failed > 10);
  }
  support::make_lack(support::Lacks::nothing);
}

TEST_CASE(
    "a failure while the old folder is removed says that the new one waits, and the next run places it") {
  const support::Scratch scratch;
  const fs::path target = scratch / "place/folder";
  support::make_lack(support::Lacks::other_names_for_folders);
  bool said = false;
  for (std::uint64_t at = 1; !said; ++at) {
    fs::remove_all(scratch / "place");
    support::put(target / "c", std::string_view("old"));
    support::arm(scratch.path().string(), Fault::error, at);
    try {
      publish_new(target);
      support::disarm();
      if (!support::count_calls().struck) break;
    } catch (const std::exception& error) {
      support::disarm();
      said = std::string(error.what()).find("the new folder is whole and waits as ") != std::string::npos;
    }
  }
  CHECK(said);
  // Whoever comes next finds it in its place, also if he then has nothing to put there.
  CHECK_THROWS((void)common::Draft(target, common::never_replaceable()));
  CHECK(support::tree_of(target) == k_new);
  support::make_lack(support::Lacks::nothing);
}

TEST_CASE("what somebody has put in the place since is not removed for a folder that waits for it") {
  const support::Scratch scratch;
  const fs::path target = scratch / "place/folder";
  support::put(target / "c", std::string_view("somebody's"));
  const fs::path waiting = scratch / "place/.folder.00000000deadbeef.new";
  support::put(waiting / "c", std::string_view("new"));
  CHECK_THROWS_WITH_AS((void)common::Draft(target, common::never_replaceable()),
                       doctest::Contains("will not be replaced"), common::Error);
  CHECK(support::tree_of(target) == support::Tree{{"c", "somebody's"}});
  CHECK(fs::exists(waiting));
  // Nobody has.
  fs::remove_all(target);
  CHECK_THROWS((void)common::Draft(target, common::never_replaceable()));
  CHECK(support::tree_of(target) == support::Tree{{"c", "new"}});
  CHECK_FALSE(fs::exists(waiting));
}
