// The program as a user meets it: what it prints where, and its exit codes.
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "packer/build/build.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

struct Outcome {
  int code = -1;
  std::string out, err;
};

struct Site {
  support::Scratch scratch;
  Site() { (void)support::small_sources(scratch.path()); }
  [[nodiscard]] Outcome run(const std::string& arguments, const std::string& before = "") const {
    const std::string command = "cd '" + scratch.path().string() + "' && " + before +
                                SAFE_BIN "/safe-packer " + arguments + " >.out 2>.err";
    const int status = std::system(command.c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, support::get(scratch / ".out"),
            support::get(scratch / ".err")};
  }
  [[nodiscard]] Outcome build(const std::string& more = "") const {
    return run(
        "build --manifest E/subset_manifest.json --val-manifest E/val_manifest.json --source-root audiocaps "
        "--dest-root E/data_pack " +
        more);
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("build, archive, verify and extract each print the same id and the path on standard output") {
  const Site site;
  const Outcome built = site.build();
  REQUIRE(built.code == 0);
  const std::string id = built.out.substr(0, 64);
  CHECK(built.out == id + "  E/data_pack\n");
  CHECK(site.run("verify E/data_pack").out == id + "  E/data_pack\n");
  for (const std::string name : {"x.tar", "x.tar.zst", "x.tgz", "x.tar.gz"}) {
    CHECK(site.run("archive E/data_pack -o " + name).out == id + "  " + name + "\n");
    CHECK(site.run("verify " + name + " --expect " + id).out == id + "  " + name + "\n");
    CHECK(site.run("verify -", "cat " + name + " | ").out == id + "  -\n");
    CHECK(site.run("extract " + name + " --quiet").out == id + "  data_pack\n");
    CHECK(support::tree_of(site.scratch / "data_pack") ==
          support::tree_of(site.scratch.path() / "E" / "data_pack"));
    CHECK(contains(site.run("list " + name).out, "audio/train/video_1.wav\n"));
  }
}

TEST_CASE("a damaged pack is exit 1, names the file and the remedy, and prints no id") {
  const Site site;
  REQUIRE(site.build().code == 0);
  REQUIRE(site.run("archive E/data_pack -o x.tgz").code == 0);
  support::put(site.scratch / "E/data_pack/images" / support::image_name(1), std::string("changed"));
  for (const std::string command : {"verify E/data_pack", "archive E/data_pack -o y.tar"}) {
    const Outcome outcome = site.run(command);
    CHECK(outcome.code == 1);
    CHECK(outcome.out.empty());
    CHECK(contains(outcome.err, "images/" + support::image_name(1)));
  }
  CHECK(contains(site.run("verify E/data_pack").err, "safe-packer extract"));
  CHECK_FALSE(fs::exists(site.scratch / "y.tar"));
  const Outcome json = site.run("verify E/data_pack --json");
  CHECK(json.code == 1);
  CHECK(contains(json.out, "\"rule\": \"F6\""));
  CHECK(contains(json.out, "\"verified\": false"));
  CHECK(site.run("extract x.tgz --dest E/data_pack").code == 0);
  CHECK(site.run("verify E/data_pack").code == 0);
}

TEST_CASE("a quick look never says that a pack is verified") {
  const Site site;
  REQUIRE(site.build().code == 0);
  const Outcome quick = site.run("verify --quick E/data_pack");
  CHECK(quick.code == 0);
  CHECK(quick.out.empty());
  CHECK(contains(quick.err, "NOT VERIFIED"));
  CHECK(contains(site.run("verify --quick --json E/data_pack").out, "\"verified\": false"));
}

TEST_CASE("a folder that is not there is named, before anything is read") {
  const Site site;
  REQUIRE(site.build().code == 0);
  for (const std::string command : {"archive E/data_pack -o nofolder/x.tar", "keygen -o nofolder/x.pem"}) {
    const Outcome outcome = site.run(command);
    CAPTURE(outcome.err);
    CHECK(outcome.code == 3);
    CHECK(contains(outcome.err, "there is no folder nofolder; create it"));
  }
}

TEST_CASE("build warns where no retention manifest is packed, and nothing else does") {
  const Site site;
  CHECK_FALSE(contains(site.build().err, "warning:"));
  fs::remove(site.scratch / "E/retention_manifest.json");
  CHECK(contains(site.build("--quiet").err, "no run on this pack can use soft_retention or full_safe"));
}

TEST_CASE("an empty value never switches a check off") {
  const Site site;
  REQUIRE(site.build().code == 0);
  REQUIRE(site.run("archive E/data_pack -o x.tar").code == 0);
  for (const std::string flag : {"--expect", "--trust", "--pack-id", "--require-signature"})
    for (const std::string empty : {" ''", "=", "=''"})
      for (const std::string verb : {"verify", "extract"}) {
        const Outcome outcome = site.run(verb + " x.tar " + flag + empty);
        CAPTURE(outcome.err);
        CHECK(outcome.code == 2);
        CHECK(contains(outcome.err, "the value is empty"));
      }
  CHECK(site.run("verify --pack x.tar --pack-id " + std::string(64, '0')).code == 1);
}

TEST_CASE("a pack of a manifest with a seed beyond 64 bits is built, verified, shown and made again") {
  const Site site;
  manifest::SubsetManifest subset = manifest::read_subset(site.scratch / "E/subset_manifest.json");
  subset.seed = common::Seed::parse("-100000000000000000000").value();
  support::put(site.scratch / "E/subset_manifest.json", manifest::write_subset(subset));
  const Outcome built = site.build();
  REQUIRE(built.code == 0);
  CHECK(site.run("verify E/data_pack").out == built.out);
  CHECK(contains(site.run("show E/data_pack").out, "\"seed\": -100000000000000000000,"));
  CHECK(site.run("export E/data_pack --format recipe -o recipe").code == 0);
  CHECK(site.run("build --from-recipe recipe --source-root audiocaps --dest-root again/data_pack")
            .out.substr(0, 64) == built.out.substr(0, 64));
}

TEST_CASE("every verb prints its result as JSON where it is asked to, before the verb or behind it") {
  const Site site;
  REQUIRE(site.build().code == 0);
  const std::string id = site.run("verify E/data_pack").out.substr(0, 64);
  CHECK(site.run("--json archive E/data_pack -o x.tar").out ==
        "{\"id\": \"" + id + "\", \"path\": \"x.tar\"}\n");
  CHECK(site.run("extract x.tar --dest out --json").out == "{\"id\": \"" + id + "\", \"path\": \"out\"}\n");
}

TEST_CASE("the exit code says who has to act") {
  const Site site;
  REQUIRE(site.build().code == 0);
  fs::create_directory(site.scratch / "nothing");
  const std::string other(64, '0');
  const struct {
    std::string arguments;
    int code;
  } cases[] = {
      {"--help", 0},
      {"verify --help", 0},
      {"--version", 0},
      {"", 2},
      {"frobnicate", 2},
      {"verify", 2},
      {"verify E/data_pack --frob", 2},
      {"verify E/data_pack --threads many", 2},
      {"verify E/data_pack --expect abc", 2},
      {"verify E/val_manifest.json", 2},
      {"archive E/data_pack -o x.rar", 2},
      {"archive E/data_pack -o E/data_pack/x.tar", 2},
      {"extract E/data_pack", 2},
      {"verify nothing", 1},
      {"verify E/data_pack --expect " + other, 1},
      {"verify not_there", 3},
      {"verify not_there.tar", 3},
      {"list not_there", 3},
      {"build --manifest not_there.json", 3},
      {"build --manifest E/val_manifest.json --val-manifest E/val_manifest.json --dest-root new", 3},
      {"build --manifest E/subset_manifest.json --val-manifest E/val_manifest.json --source-root audiocaps "
       "--retention-manifest not_there.json --dest-root new",
       3},
      {"build --manifest E/subset_manifest.json --val-manifest E/val_manifest.json --source-root vqa "
       "--dest-root new",
       1},
      {"build --manifest E/subset_manifest.json --val-manifest E/val_manifest.json --source-root audiocaps "
       "--dest-root audiocaps",
       2},
  };
  for (const auto& row : cases) {
    CAPTURE(row.arguments);
    const Outcome outcome = site.run(row.arguments);
    CHECK(outcome.code == row.code);
    if (row.code != 0) {
      CHECK(outcome.out.empty());
      CHECK_FALSE(outcome.err.empty());
    }
  }
  CHECK_FALSE(fs::exists(site.scratch / "new"));
  CHECK(contains(site.run("verify --help").out, "Exit codes"));
}
