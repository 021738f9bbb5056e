// One pack id and one .tar, whatever surrounds the program: umask, locale, time zone, user, threads, the
// order in which the sources were made, the folder it is called from.
#include <unistd.h>

#include <cstdio>

#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

const std::string k_program = std::string(SAFE_BIN) + "/safe-packer";

struct Surroundings {
  const char* name;
  std::string before;  // what precedes the program in a shell
  const char* threads = "2";
};

// Compiles a locale into a folder for LOCPATH, and asks it for something that no other one says.
bool make_locale(const std::string& locale, const fs::path& folder) {
  const std::string language = locale.substr(0, locale.find('.'));
  fs::create_directories(folder);
  const std::string path = (folder / locale).string();
  if (support::run_process({"localedef", "-i", language, "-f", "UTF-8", path}).code != 0) return false;
  const auto said = support::run_process(
      {"env", "LOCPATH=" + folder.string(), "LC_ALL=" + locale, "locale", "decimal_point"});
  return said.code == 0 && said.out == ",\n";
}

std::vector<Surroundings> surroundings(const fs::path& locales) {
  std::vector<Surroundings> all{{"plain", ""},
                                {"one thread", "", "1"},
                                {"five threads", "", "5"},
                                {"umask 077", "umask 077; "},
                                {"umask 000", "umask 000; "},
                                {"time zone", "TZ=Pacific/Kiritimati "},
                                {"empty environment", "env -i "}};
  for (const char* locale : {"C.UTF-8", "POSIX"})
    all.push_back({locale, std::string("LC_ALL=") + locale + " LANG=" + locale + " "});
  for (const char* locale : {"tr_TR.UTF-8", "de_DE.UTF-8"}) {
    if (make_locale(locale, locales))
      all.push_back({locale, "LOCPATH=" + support::quoted(locales.string()) + " LC_ALL=" + locale + " "});
    else
      std::printf("skipped: the locale %s (needs localedef and the package locales)\n", locale);
  }
  if (::getuid() == 0 &&
      support::run_process({"setpriv", "--reuid=65534", "--clear-groups", k_program, "--version"}).code == 0)
    all.push_back({"another user", "setpriv --reuid=65534 --regid=65534 --clear-groups "});
  else
    std::printf("skipped: another user (needs root, setpriv and a program that all may run)\n");
  return all;
}

// The same sources, the files made in the other order, with other times.
void make_backwards(const fs::path& from, const fs::path& to) {
  const support::Tree tree = support::tree_of(from);
  for (auto at = tree.rbegin(); at != tree.rend(); ++at) {
    support::put(to / at->first, at->second);
    fs::last_write_time(to / at->first, fs::file_time_type{} + std::chrono::hours(24));
  }
}

}  // namespace

TEST_CASE("what surrounds the program changes no byte of a pack or its .tar") {
  const support::Scratch scratch;
  const fs::path sources = scratch / "sources", backwards = scratch / "backwards";
  (void)support::small_sources(sources);
  make_backwards(sources, backwards);
  const std::string program = support::quoted(k_program);
  std::string id, tar;
  int count = 0;
  for (const Surroundings& each : surroundings(scratch / "locales"))
    for (const fs::path& from : {sources, backwards}) {
      CAPTURE(each.name);
      const fs::path place = scratch / ("place" + std::to_string(count++));
      fs::create_directory(place);
      fs::permissions(place, fs::perms::all);
      const std::string q = support::quoted(from.string()),
                        threads = std::string(" --quiet --threads ") + each.threads;
      const auto built = support::run_process(
          {"sh", "-c",
           each.before + program + " build --manifest " + q + "/E/subset_manifest.json --val-manifest " + q +
               "/E/val_manifest.json --source-root " + q + "/audiocaps --dest-root data_pack" + threads},
          place);
      REQUIRE_MESSAGE(built.code == 0, built.err);
      const auto archived = support::run_process(
          {"sh", "-c", each.before + program + " archive data_pack -o x.tar" + threads}, place);
      REQUIRE_MESSAGE(archived.code == 0, archived.err);
      if (id.empty()) {
        id = built.out;
        tar = support::get(place / "x.tar");
      }
      CHECK(built.out == id);
      CHECK((support::get(place / "x.tar") == tar));
      for (const auto& entry : fs::recursive_directory_iterator(place / "data_pack"))
        CHECK((fs::status(entry).permissions() & fs::perms::mask) ==
              fs::perms(entry.is_directory() ? 0755 : 0644));
    }
  std::printf("surroundings: %d builds, one id and one .tar\n", count);
}
