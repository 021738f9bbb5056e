#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

// A room is a folder with one duty and one library. CMakeLists.txt lists the rooms, lowest first, with those
// that each may include from; this reads every include and holds the two against each other.

namespace {

namespace fs = std::filesystem;

const fs::path k_root = SAFE_SOURCE_DIR;
const std::vector<std::string> k_tops = {"common", "manifest", "packer", "trainer"};

struct Source {
  std::string path;  // "packer/build/plan.cpp"
  std::string text;
  std::vector<std::string> includes;  // "manifest/format/manifest.hpp", "archive.h"
  [[nodiscard]] std::string room() const { return path.substr(0, path.rfind('/')); }
};

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

const std::vector<Source>& sources() {
  static const std::vector<Source> k_all = [] {
    std::vector<Source> all;
    for (const std::string& top : k_tops)
      for (const auto& entry : fs::recursive_directory_iterator(k_root / top)) {
        const std::string extension = entry.path().extension().string();
        if (extension != ".cpp" && extension != ".hpp") continue;
        Source source{fs::relative(entry.path(), k_root).string(), read(entry.path()), {}};
        std::istringstream lines(source.text);
        for (std::string line; std::getline(lines, line);)
          if (line.rfind("#include ", 0) == 0 && line.size() > 11)
            source.includes.push_back(line.substr(10, line.size() - 11));
        all.push_back(std::move(source));
      }
    return all;
  }();
  return k_all;
}

struct Room {
  std::string name;
  std::set<std::string> uses;
};

// In the order in which CMake comes to them.
std::vector<Room> rooms() {
  std::vector<Room> all;
  const std::regex room("\\n *safe_(?:room|module)\\(([^)]*)\\)");
  for (const std::string& top : k_tops) {
    const std::string text = "\n" + read(k_root / top / "CMakeLists.txt");
    for (std::sregex_iterator at(text.begin(), text.end(), room), end; at != end; ++at) {
      std::istringstream words((*at)[1].str());
      Room one;
      words >> one.name;
      bool uses = false;
      for (std::string word; words >> word;) {
        if (word == "USES" || word == "LIBRARIES" || word == "TORCH" || word == "NAME")
          uses = word == "USES";
        else if (uses)
          one.uses.insert(word);
      }
      all.push_back(std::move(one));
    }
  }
  return all;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }
std::string top_of(const std::string& path) { return path.substr(0, path.find('/')); }
bool is_ours(const std::string& include) {
  return include.find('/') != std::string::npos &&
         std::find(k_tops.begin(), k_tops.end(), top_of(include)) != k_tops.end();
}
bool begins(const std::string& text, const std::string& with) { return text.rfind(with, 0) == 0; }
// A program's main is no part of its room.
bool is_program(const std::string& path) {
  static const std::regex k_program(".*/cli/(main|safe_report)\\.cpp");
  return std::regex_match(path, k_program);
}
// The verbs of a program stand in one header, commands.hpp.
bool is_verb(const std::string& path) {
  static const std::regex k_verb(".*/cli/cmd_[a-z_]+\\.cpp");
  return std::regex_match(path, k_verb);
}

}  // namespace

TEST_CASE("every source stands in a room, and no room has outgrown its duty") {
  std::map<std::string, int> counts;
  for (const Room& room : rooms()) counts[room.name] = 0;
  REQUIRE(counts.size() > 20);
  for (const Source& source : sources()) {
    CAPTURE(source.path);
    const bool known = counts.count(source.room()) == 1;
    CHECK((known || begins(source.path, "trainer/clang/")));
    if (source.path.ends_with(".cpp")) ++counts[source.room()];
  }
  for (const auto& room : counts) {
    CAPTURE(room.first);
    CHECK(room.second <= 30);
  }
}

TEST_CASE("a room uses only rooms that are listed before it, so that there is no circle") {
  std::set<std::string> before;
  for (const Room& room : rooms()) {
    CAPTURE(room.name);
    for (const std::string& used : room.uses) {
      CAPTURE(used);
      CHECK(before.count(used) == 1);
    }
    before.insert(room.name);
  }
}

TEST_CASE("a file includes only from its own room and from those that its room may use") {
  std::map<std::string, std::set<std::string>> uses;
  for (const Room& room : rooms()) uses[room.name] = room.uses;
  REQUIRE(sources().size() > 300);
  for (const Source& source : sources())
    for (const std::string& include : source.includes) {
      if (!is_ours(include) || is_program(source.path)) continue;
      CAPTURE(source.path);
      CAPTURE(include);
      CHECK((folder_of(include) == source.room() || uses[source.room()].count(folder_of(include)) == 1));
    }
}

TEST_CASE("what a room may use, it uses") {
  std::map<std::string, std::set<std::string>> used;
  for (const Source& source : sources())
    for (const std::string& include : source.includes)
      if (is_ours(include)) used[source.room()].insert(folder_of(include));
  for (const Room& room : rooms())
    for (const std::string& may : room.uses) {
      CAPTURE(room.name);
      CAPTURE(may);
      CHECK(used[room.name].count(may) == 1);
    }
}

TEST_CASE("a source has a header of its own name, unless it is a program's") {
  std::set<std::string> paths;
  for (const Source& source : sources()) paths.insert(source.path);
  for (const std::string& path : paths) {
    if (!path.ends_with(".cpp") || is_program(path) || is_verb(path)) continue;
    CAPTURE(path);
    CHECK(paths.count(path.substr(0, path.size() - 4) + ".hpp") == 1);
  }
}

TEST_CASE("the trainer sees of the packer only how to open, build and synthesize a pack") {
  for (const Source& source : sources())
    for (const std::string& include : source.includes) {
      if (top_of(source.path) != "trainer" || !is_ours(include) || top_of(include) != "packer") continue;
      CAPTURE(source.path);
      CHECK((include == "packer/check/open.hpp" || include == "packer/build/build.hpp" ||
             include == "packer/synthesize/synthesize.hpp"));
    }
}

TEST_CASE("a third-party library is included only where it belongs") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> homes = {
      {"openssl/", {"common/digest", "common/sealed/signing_key"}},
      {"sndfile.h", {"common/media/sound_file"}},
      {"mpg123.h", {"common/media/mp3_decoder"}},
      {"soxr.h", {"common/media/audio"}},
      {"archive.h", {"packer/sources/foreign_tar"}},
      {"zip.h", {"packer/sources/foreign_zip"}},
      {"jpeglib.h", {"common/media/jpeg"}},
      {"png.h", {"common/media/png"}},
      {"zlib.h", {"common/gunzip", "packer/tar/"}},
      {"torch/",
       {"trainer/distributed/", "trainer/model/", "trainer/data/", "trainer/retention/", "trainer/train/",
        "trainer/evaluate/", "trainer/base/", "trainer/run/"}},
      {"ATen/", {"trainer/model/", "trainer/train/config"}},
      {"opencv2/", {"packer/vision/"}},
      {"dlfcn.h", {"packer/leaks/vision", "trainer/model/"}},
      {"CLI/", {"common/cli/verb"}}};
  for (const Source& source : sources())
    for (const std::string& include : source.includes)
      for (const auto& [library, places] : homes) {
        if (!begins(include, library)) continue;
        CAPTURE(source.path);
        CAPTURE(include);
        CHECK(std::any_of(places.begin(), places.end(),
                          [&](const std::string& place) { return begins(source.path, place); }));
      }
}

// A call that would be a second implementation of what exists stands in the one file, or room, that owns it.
TEST_CASE("one thing is done in one place") {
  const std::vector<std::pair<std::string, std::vector<std::string>>> owners = {
      {"\"images/\"", {"manifest/format/manifest.hpp"}},
      {"\"SHA256SUMS\"", {"common/sealed/sums"}},
      {"\"SHA256SUMS.sig\"", {"common/sealed/sums"}},
      // What is of one data set stands in its description; the row schemas of manifests in manifest/format.
      {"\"COCO_", {"manifest/datasets/vqa_v2"}},
      {"mscoco", {"manifest/datasets/vqa_v2", "packer/synthesize/"}},
      {"\"youtube_id\"", {"manifest/datasets/audiocaps", "manifest/format/", "packer/export/croissant"}},
      {"\"audiocap_id\"", {"manifest/datasets/audiocaps", "manifest/format/", "packer/export/croissant"}},
      {"\"ytid\"", {"manifest/datasets/audiocaps"}},
      {"\"AudioCaps\"", {"manifest/datasets/"}},
      {"\"clotho", {"manifest/datasets/clotho"}},
      {"\"caption_1\"", {"manifest/datasets/clotho"}},
  };
  for (const Source& source : sources())
    for (const auto& owner : owners) {
      if (source.text.find(owner.first) == std::string::npos) continue;
      CAPTURE(source.path);
      CAPTURE(owner.first);
      CHECK(std::any_of(owner.second.begin(), owner.second.end(),
                        [&](const std::string& place) { return begins(source.path, place); }));
    }
}
