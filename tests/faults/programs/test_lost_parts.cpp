// verify in parts as its users run it: tasks that were killed, and parts of another copy.
#include <nlohmann/json.hpp>

#include "packer/build/build.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Finished;

const std::string k_program = std::string(SAFE_BIN) + "/safe-packer";

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct Setting {
  support::Scratch scratch;
  fs::path pack = packer::build_pack(support::small_sources(scratch.path())).location;
  std::vector<std::string> files;

  Setting() {
    for (int number = 1; number <= 3; ++number) {
      files.push_back((scratch / ("p" + std::to_string(number) + ".json")).string());
      const Finished part = verify(pack, {"--part", std::to_string(number) + "/3", "--json"});
      REQUIRE(part.code == 0);
      support::put_file(files.back(), part.out);
    }
  }
  [[nodiscard]] static Finished verify(const fs::path& path, const std::vector<std::string>& more) {
    std::vector<std::string> words = {k_program, "verify", path.string()};
    words.insert(words.end(), more.begin(), more.end());
    return support::run_process(words);
  }
  [[nodiscard]] Finished join(const fs::path& path, bool json = false) const {
    std::vector<std::string> words = {"--join"};
    words.insert(words.end(), files.begin(), files.end());
    if (json) words.emplace_back("--json");
    return verify(path, words);
  }
  // As if another host had written them.
  void move_to_another_host() const {
    for (const std::string& file : files) {
      nlohmann::json report = nlohmann::json::parse(support::text_of_file(file));
      report["read_at"]["host"] = "elsewhere";
      support::put_file(file, report.dump());
    }
  }
};

}  // namespace

TEST_CASE("the files of all parts are named one after the other, and the result says where they were read") {
  const Setting setting;
  const Finished joined = setting.join(setting.pack);
  CHECK_MESSAGE(joined.code == 0, joined.err);
  CHECK(joined.out == Setting::verify(setting.pack, {}).out);
  CHECK_MESSAGE(contains(joined.err, "read: part 1/3, 2/3, 3/3 at "), joined.err);
  CHECK_MESSAGE(contains(joined.err, ":" + fs::canonical(setting.pack).string() + "\n"), joined.err);
  const auto report = nlohmann::json::parse(setting.join(setting.pack, true).out);
  CHECK(report["verified"] == true);
  REQUIRE(report["parts_read"].size() == 3);
  CHECK(report["parts_read"][2]["part"] == 3);
  CHECK(report["parts_read"][2]["path"] == fs::canonical(setting.pack).string());
  CHECK(report["parts_read"][2]["same_copy"] == "yes");
}

TEST_CASE("a part whose task was killed is named as missing, with the command that makes it") {
  const Setting setting;
  for (const std::string& left : {std::string(), std::string("{\n  \"path\": ")}) {
    support::put_file(setting.files[1], left);
    const Finished joined = setting.join(setting.pack);
    CHECK(joined.code == 3);
    CHECK(joined.out.empty());
    CHECK_MESSAGE(contains(joined.err, "part 2/3 is missing"), joined.err);
    CHECK_MESSAGE(contains(joined.err, setting.files[1] + (left.empty() ? " is empty" : " is truncated")),
                  joined.err);
    CHECK_MESSAGE(contains(joined.err, "safe-packer verify " + setting.pack.string() +
                                           " --part 2/3 --json > " + setting.files[1]),
                  joined.err);
  }
}

TEST_CASE("a damaged copy is not called consistent because the parts of another copy were") {
  const Setting setting;
  const fs::path copy = setting.scratch / "copy";
  fs::copy(setting.pack, copy, fs::copy_options::recursive);
  const fs::path image = copy / "images" / support::image_name(1);
  std::string bytes = support::get(image);
  bytes[bytes.size() / 2] ^= 1;
  support::put(image, bytes);
  const Finished joined = setting.join(copy);
  CHECK(joined.code == 1);
  CHECK(joined.out.empty());
  CHECK_MESSAGE(contains(joined.err, "is not the copy at " + copy.string()), joined.err);
  CHECK_MESSAGE(contains(joined.err, "--part 1/3"), joined.err);
  // Of another host it cannot be known: file systems differ in how they number files.
  setting.move_to_another_host();
  const Finished unknown = setting.join(copy);
  CHECK(unknown.code == 0);
  CHECK(unknown.out.empty());
  CHECK_MESSAGE(contains(unknown.err, "NOT VERIFIED"), unknown.err);
  CHECK_MESSAGE(contains(unknown.err, "1/3, 2/3, 3/3 at elsewhere:" + setting.pack.string()), unknown.err);
  CHECK(nlohmann::json::parse(setting.join(copy, true).out)["verified"] == false);
  // Two hosts that have mounted one file system at two places see the same file.
  const fs::path mounted = setting.scratch / "mounted";
  fs::create_directory_symlink(setting.pack, mounted);
  const Finished shared = setting.join(mounted);
  CHECK_MESSAGE(shared.code == 0, shared.err);
  CHECK_FALSE(shared.out.empty());
}
