// A mount point as the place of a draft: every system call fails, or is the last, in turn.
#include "common/sealed/mount_place.hpp"

#include <cstdio>
#include <filesystem>

#include "common/error.hpp"
#include "common/sealed/draft.hpp"
#include "tests/support/run_apart.hpp"
#include "tests/support/said.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/system_calls.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Fault;

const support::Tree k_new = {{"SHA256SUMS", "seal"}, {"a/b", "new"}, {"c", "new"}, {"z", "new"}};

void publish_new(const fs::path& target) {
  common::Draft draft(target, common::never_replaceable());
  draft.remove_all_but([](const std::string& path) { return k_new.count(path) == 1; });
  for (const auto& [path, text] : k_new) {
    draft.make_folder_for(path);
    draft.put(common::PackPath(path), common::view_of(text), common::digest_of(text));
  }
  draft.publish();
}

// A folder where something is mounted, as far as the calls of this process can tell.
struct Setting {
  support::Scratch scratch;
  fs::path target = scratch / "place" / "mounted";

  Setting() { support::mount_at("mounted"); }
  ~Setting() { support::mount_at(""); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

  void reset() const {
    fs::remove_all(target);
    fs::create_directories(target);
  }
  [[nodiscard]] int run(Fault fault, std::uint64_t at) const {
    return support::run_apart(scratch.path(), fault, at, [&] { publish_new(target); });
  }
  [[nodiscard]] bool has_seal() const { return fs::exists(target / "SHA256SUMS"); }
  [[nodiscard]] bool has_all() const {
    support::Tree there = support::tree_of(target);
    for (const auto& [path, text] : k_new)
      if (there[path] != text) return false;
    return true;
  }
  // And nothing else, as a hidden folder.
  [[nodiscard]] bool is_new() const {
    return support::tree_of(target) == k_new &&
           std::distance(fs::directory_iterator(target), fs::directory_iterator()) == 4;
  }
};

}  // namespace

TEST_CASE("an empty mount point is filled, and nothing but what was published is in it or beside it") {
  const Setting setting;
  setting.reset();
  const std::string said = support::said_by([&] { publish_new(setting.target); });
  CHECK(setting.is_new());
  CHECK(support::count_in(said, "is a mount point") == 1);
  CHECK(std::distance(fs::directory_iterator(setting.scratch / "place"), fs::directory_iterator()) == 1);
}

TEST_CASE("whatever fails or kills it, what is half up has no seal, and the next run ends with the whole") {
  const Setting setting;
  for (const Fault fault : {Fault::error, Fault::full, Fault::killed}) {
    std::uint64_t at = 0, half = 0, finished = 0;
    for (;;) {
      setting.reset();
      const int code = setting.run(fault, ++at);
      const support::CallCount calls = support::count_calls();
      CAPTURE(at);
      CAPTURE(static_cast<int>(fault));
      CAPTURE(std::string(calls.name));
      CAPTURE(code);
      if (setting.has_seal()) CHECK(setting.has_all());
      if (code == 0) CHECK(setting.is_new());
      // Only what was to be removed and could not be is left by an error; a full disk fails again and again.
      if (fault == Fault::error && code != 0 && !calls.struck_removing && !setting.has_seal())
        CHECK(fs::is_empty(setting.target));
      half += !setting.has_seal() && fs::exists(setting.target / "a") ? 1 : 0;
      const bool was_whole = setting.has_seal();
      const int next = code == 0 ? 0 : setting.run(Fault::none, 0);
      CAPTURE(next);
      CHECK(setting.is_new());
      // One that ended behind the last entry that it moved had done its work: the next finds it there.
      CHECK((next == 0 || (next == 2 && was_whole)));
      finished += next == 2 ? 1 : 0;
      if (!calls.struck) break;
    }
    std::printf("mount point, fault %d: %llu calls, %llu half up, %llu finished\n", static_cast<int>(fault),
                static_cast<unsigned long long>(at - 1), static_cast<unsigned long long>(half),
                static_cast<unsigned long long>(finished));
    CHECK(at > 20);
    if (fault == Fault::killed) CHECK(half > 2);
    CHECK(finished < 10);
  }
}

TEST_CASE("what somebody puts in a mount point is never moved or removed, and is named") {
  const Setting setting;
  setting.reset();
  support::put(setting.target / "mine", std::string("mine"));
  CHECK_THROWS_WITH_AS(publish_new(setting.target), doctest::Contains("not empty (it holds \"mine\")"),
                       common::Error);
  CHECK(support::tree_of(setting.target) == support::Tree{{"mine", "mine"}});
  // Beside what a kill left half up, also under the name of what was moved.
  std::uint64_t tried = 0;
  for (std::uint64_t at = 1;; ++at) {
    setting.reset();
    (void)setting.run(Fault::killed, at);
    if (!support::count_calls().struck) break;
    if (!fs::exists(setting.target / "a") || setting.has_seal()) continue;
    ++tried;
    CAPTURE(at);
    support::put(setting.target / "mine", std::string("mine"));
    fs::rename(setting.target / "a", setting.scratch / "gone");
    support::put(setting.target / "a" / "b", std::string("mine too"));
    CHECK(setting.run(Fault::none, 0) == 2);
    CHECK(support::tree_of(setting.target)["mine"] == "mine");
    CHECK(support::tree_of(setting.target)["a/b"] == "mine too");
    fs::remove_all(setting.scratch / "gone");
    fs::remove(setting.target / "mine");
    fs::remove_all(setting.target / "a");
    CHECK(setting.run(Fault::none, 0) == 0);
    CHECK(setting.is_new());
  }
  CHECK(tried > 2);
}

TEST_CASE("a second process that fills the same mount point is refused, whatever it is called") {
  const Setting setting;
  setting.reset();
  {
    const common::Draft first(setting.target, common::never_replaceable());
    CHECK_THROWS_WITH_AS((void)common::Draft(setting.target, common::never_replaceable()),
                         doctest::Contains("is in use by process"), common::Error);
  }
  CHECK(fs::is_empty(setting.target));
}
