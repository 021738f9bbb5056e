#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

// Includes go one way: common <- manifest <- packer <- trainer; and each third-party library is visible in as
// few files as can be.

namespace {

namespace fs = std::filesystem;

struct Include {
  std::string file;    // "packer/build.cpp"
  std::string target;  // "manifest/manifest.hpp" or "archive.h"
};

std::vector<Include> includes() {
  std::vector<Include> all;
  const fs::path root = SAFE_SOURCE_DIR;
  for (const char* folder : {"common", "manifest", "packer", "trainer"})
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".hpp") continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        if (line.rfind("#include ", 0) != 0 || line.size() < 12) continue;
        all.push_back({fs::relative(entry.path(), root).string(), line.substr(10, line.size() - 11)});
      }
    }
  return all;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.find('/')); }

bool begins(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }

}  // namespace

TEST_CASE("no folder includes from one that is built on it") {
  const std::map<std::string, int> height = {{"common", 0}, {"manifest", 1}, {"packer", 2}, {"trainer", 3}};
  const std::vector<Include> all = includes();
  REQUIRE(all.size() > 300);
  for (const Include& include : all) {
    const auto target = height.find(folder_of(include.target));
    if (target == height.end()) continue;
    CAPTURE(include.file);
    CAPTURE(include.target);
    CHECK(target->second <= height.at(folder_of(include.file)));
  }
}

TEST_CASE("the trainer sees of the packer only how to open, build and synthesize a pack") {
  for (const Include& include : includes()) {
    if (folder_of(include.file) != "trainer" || folder_of(include.target) != "packer") continue;
    CAPTURE(include.file);
    CHECK((include.target == "packer/open.hpp" || include.target == "packer/build.hpp" ||
           include.target == "packer/synthesize.hpp"));
  }
}

TEST_CASE("a third-party library is included only where it belongs") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> homes = {
      {"openssl/", {"common/digest", "packer/sign"}},
      {"sndfile.h", {"common/sound_file"}},
      {"soxr.h", {"common/audio"}},
      {"archive.h", {"packer/foreign_tar"}},
      {"zip.h", {"packer/foreign_zip"}},
      {"jpeglib.h", {"common/jpeg"}},
      {"png.h", {"common/png"}},
      {"torch/", {"trainer/"}},
      {"ATen/", {"trainer/"}},
      {"CLI/",
       {"manifest/main", "packer/main", "packer/cmd_", "packer/commands", "trainer/main", "trainer/cmd_",
        "trainer/run/run_flags", "trainer/run/sweep"}}};
  for (const Include& include : includes())
    for (const auto& [library, places] : homes) {
      if (!begins(include.target, library)) continue;
      CAPTURE(include.file);
      CAPTURE(include.target);
      CHECK(std::any_of(places.begin(), places.end(),
                        [&](const std::string& p) { return begins(include.file, p); }));
    }
}
