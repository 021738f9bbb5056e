// Licences, recipes and exports as a user meets them: exit codes, what is printed, what lies on disk.
#include "common/json.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Finished;

namespace {

using support::holds;

// The sources of a small pack, and safe-packer in their folder.
class Sources {
 public:
  Sources() { (void)support::small_sources(scratch_.path()); }
  [[nodiscard]] Finished run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), SAFE_BIN "/safe-packer");
    return support::run_process(arguments, scratch_.path());
  }
  [[nodiscard]] Finished build(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"build", "--quiet", "--manifest", "E/subset_manifest.json", "--val-manifest",
                               "E/val_manifest.json", "--source-root", "audiocaps", "--dest-root", "p"});
    return run(more);
  }
  [[nodiscard]] fs::path at(const std::string& name) const { return scratch_ / name; }

 private:
  support::Scratch scratch_;
};

std::string instances() {
  common::Json root{{"licenses",
                     {{{"id", 4}, {"name", "Attribution License"}, {"url", "http://l/4"}},
                      {{"id", 5}, {"name", "Nobody's"}, {"url", "http://l/5"}}}},
                    {"images", common::Json::array()}};
  for (const int image_id : {1, 3})
    root["images"].push_back({{"license", 4},
                              {"file_name", support::image_name(image_id)},
                              {"flickr_url", "http://f/" + std::to_string(image_id)},
                              {"id", image_id}});
  return common::dump_line(root);
}

}  // namespace

TEST_CASE("pictures get the licence and source that COCO's file gives them, and the pack verifies") {
  const Sources sources;
  support::put(sources.at("instances.json"), instances());
  const Finished built = sources.build({"--instances", "instances.json"});
  CAPTURE(built.err);
  REQUIRE(built.code == 0);
  CHECK(sources.run({"verify", "p"}).code == 0);
  const common::Json info = common::read_json(sources.at("p/pack.json"), 1 << 20);
  CHECK(common::dump_line(info["licences"].back()) ==
        R"({"images": 4, "name": "Attribution License", "url": "http://l/4"})");
  for (const auto& file : info["files"]) {
    if (file["role"] != "image") continue;
    const bool is_listed = !file["path"].get<std::string>().ends_with("2.jpg");
    CHECK(file.contains("licence") == is_listed);
    CHECK(file.contains("source") == is_listed);
  }
  CHECK(holds(sources.run({"show", "p"}).out, "Attribution License"));
  CHECK(sources.build({"--instances", "absent.json"}).code == 3);
  CHECK(sources.build({"--instances", "E/val_manifest.json"}).code == 3);
}

TEST_CASE("a pack goes on as a recipe and comes back with the same id") {
  const Sources sources;
  const std::string id = sources.build().out.substr(0, 64);
  CHECK(sources.run({"export", "p", "--format", "recipe", "-o", "recipe"}).code == 0);
  const Finished again = sources.run({"build", "--from-recipe", "recipe", "--source-root", "audiocaps",
                                      "--image-root", "vqa", "--dest-root", "q", "--expect", id});
  CAPTURE(again.err);
  CHECK(again.code == 0);
  CHECK(again.out == id + "  q\n");
  CHECK(sources.run({"diff", "p", "q"}).code == 0);
  CHECK(sources.build({"--from-recipe", "recipe"}).code == 2);
  CHECK(sources.build({"--expect", id}).code == 2);
}

TEST_CASE("a damaged pack is not exported, and a flag that is missing is asked for") {
  const Sources sources;
  REQUIRE(sources.build().code == 0);
  CHECK(sources.run({"export", "p", "-o", "x"}).code == 2);
  CHECK(sources.run({"export", "p", "--format", "parquet", "-o", "x"}).code == 2);
  CHECK(sources.run({"export", "p", "--format", "croissant", "-o", "."}).code == 2);
  CHECK(sources.run({"export", "p", "--format", "webdataset", "-o", "ok"}).code == 0);
  CHECK(
      support::run_process({"sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"}, sources.at("ok")).code ==
      0);
  support::put(sources.at("p/audio/train/video_1.wav"), "rotten");
  const Finished refused = sources.run({"export", "p", "--format", "webdataset", "-o", "x"});
  CHECK(refused.code == 1);
  CHECK(holds(refused.err, "audio/train/video_1.wav"));
  CHECK(!fs::exists(sources.at("x")));
}
