// A data set that the Python original does not have, from its tables to scores: Clotho, in sources made by
// code.
#include <array>
#include <filesystem>

#include "common/json.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Finished;

const std::vector<std::string> k_names = {"Rain (heavy) [night].wav",
                                          "rain (heavy) [night].wav",
                                          "\xe9\x9b\xa8.wav",
                                          "it's \"loud\", isn't it.wav",
                                          "a.b. wav.wav",
                                          "M\xc3\xbcll.wav"};
constexpr std::array k_licences = {"http://creativecommons.org/publicdomain/zero/1.0/",
                                   "http://creativecommons.org/licenses/by/3.0/"};

std::string quoted(const std::string& field) {
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}

// Clips of 15 and 16 seconds, as the archives on Zenodo unpack.
class World {
 public:
  World() {
    fs::create_directories(scratch_ / "experiments/overfitting");
    put_split("development", k_names, 0.1);
    put_split("validation", {"held out 1.wav", "held out 2.wav", "held out 3.wav"}, 0.2);
    ok(run("safe-packer", {"synthesize", "--quiet", "--out", "synth", "--clips", "4", "--questions", "80",
                           "--train-questions", "40"}));
    fs::rename(scratch_ / "synth/vqa", scratch_ / "data/vqa");
  }
  [[nodiscard]] Finished run(const std::string& program, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), SAFE_BIN "/" + program);
    return support::run_process(arguments, scratch_.path());
  }
  static void ok(const Finished& finished) { REQUIRE_MESSAGE(finished.code == 0, finished.err); }
  [[nodiscard]] fs::path at(const std::string& name) const { return scratch_ / name; }

 private:
  void put_split(const std::string& split, const std::vector<std::string>& names, double pitch) const {
    std::string captions = "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n";
    std::string credits = "file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license\n";
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::uint64_t seconds = 15 + i % 2;
      support::put(
          scratch_ / ("data/clotho/" + split + "/" + names[i]),
          common::encode_wav16(support::tone(seconds * 2000, pitch + 0.01 * static_cast<double>(i), 2000)));
      captions += quoted(names[i]);
      for (const char* way : {"one", "two", "three", "four", "five"})
        captions += ",Tone " + std::to_string(i) + " sounds in way " + way;
      captions += "\n";
      credits += quoted(names[i]) + ",tone," + std::to_string(100 + i) + ",https://example.org/" +
                 std::to_string(100 + i) + ",\"[0, 1]\",maker " + std::to_string(i) + "," +
                 k_licences[i % 2] + "\n";
    }
    support::put(scratch_ / ("data/clotho/clotho_captions_" + split + ".csv"), captions);
    support::put(scratch_ / ("data/clotho/clotho_metadata_" + split + ".csv"), credits);
  }

  support::Scratch scratch_;
};

common::Json json_of(const fs::path& path) { return common::read_json(path, 1 << 24); }

void build(const World& world) {
  world.ok(world.run("safe-manifest", {"audio", "--data-set", "clotho", "--subset-size", "5"}));
  world.ok(world.run("safe-manifest", {"audio", "--metadata", "data/clotho/clotho_captions_validation.csv",
                                       "--split", "validation", "--subset-size", "2"}));
  world.ok(world.run("safe-manifest", {"val", "--subset-size", "10"}));
  world.ok(world.run("safe-manifest", {"retention", "--subset-size", "20"}));
  world.ok(world.run("safe-manifest", {"base", "--subset-size", "30"}));
  const Finished checked =
      world.run("safe-manifest", {"check", "experiments/overfitting/subset_manifest.json",
                                  "experiments/overfitting/audio_val_manifest.json"});
  CHECK(checked.out == "ok: 2 manifests, nothing found\n");
  world.ok(
      world.run("safe-packer", {"build", "--quiet", "--source-root", "data/clotho", "--dest-root", "pack"}));
}

}  // namespace

TEST_CASE("Clotho goes from its tables to a pack that verifies, with every name, caption and licence") {
  const World world;
  build(world);
  const common::Json manifest = json_of(world.at("pack/manifest.json"));
  CHECK(manifest["data_set"] == "clotho");
  REQUIRE(manifest["entries"].size() == 5);
  const common::Json info = json_of(world.at("pack/pack.json"));
  CHECK(info["format_version"] == 2);
  CHECK(info["recipe"]["inputs"][0]["data_set"] == "clotho");
  CHECK(info["recipe"]["inputs"][0]["clip_s"].is_null());
  std::map<std::string, common::Json> files;
  for (const common::Json& file : info["files"]) files[file["path"]] = file;
  for (const common::Json& entry : manifest["entries"]) {
    CHECK(entry["captions"].size() == 4);
    const std::string path = entry["audio_relpath"], name = entry["clip_id"];
    // Nothing is cut.
    CHECK(support::get(world.at("pack/" + path)) ==
          support::get(world.at("data/clotho/development/" + name)));
    const std::int64_t number = files.at(path)["licence"];
    CHECK(files.at(path)["source"] == entry["source"]);
    bool is_listed = false;
    for (const common::Json& licence : info["licences"])
      is_listed = is_listed || (licence.contains("clips") && licence["clips"] == number &&
                                licence["url"] == entry["licence"]);
    CHECK(is_listed);
  }
  const Finished verified = world.run("safe-packer", {"verify", "--quiet", "pack"});
  CHECK(verified.code == 0);
  world.ok(world.run("safe-packer", {"archive", "--quiet", "pack", "-o", "pack.tar.zst"}));
  world.ok(world.run("safe-packer", {"extract", "--quiet", "pack.tar.zst", "--dest", "again"}));
  CHECK(support::tree_of(world.at("again")) == support::tree_of(world.at("pack")));
  world.ok(world.run("safe-packer", {"show", "pack"}));
  world.ok(world.run("safe-packer", {"export", "--quiet", "pack", "--format", "webdataset", "-o", "shards"}));
  world.ok(world.run("safe-packer", {"export", "--quiet", "pack", "--format", "recipe", "-o", "recipe"}));
  const Finished rebuilt =
      world.run("safe-packer", {"build", "--quiet", "--from-recipe", "recipe", "--source-root", "data/clotho",
                                "--image-root", "data/vqa", "--dest-root", "rebuilt/pack"});
  REQUIRE_MESSAGE(rebuilt.code == 0, rebuilt.err);
  CHECK(support::tree_of(world.at("rebuilt/pack")) == support::tree_of(world.at("pack")));
}

TEST_CASE("a clip of Clotho that a block list names by its number at Freesound is not chosen") {
  const World world;
  support::put(world.at("ids.json"), R"({"FreeSound": ["100", "103", "999"], "AudioSet": []})");
  const Finished made = world.run("safe-manifest", {"audio", "--data-set", "clotho", "--subset-size", "0",
                                                    "--exclude-ids", "ids.json", "--json"});
  REQUIRE_MESSAGE(made.code == 0, made.err);
  const common::Json result = common::parse_json(made.out, "stdout");
  CHECK(result["clips"] == 4);
  CHECK(result["excluded_ids"] == 3);
  CHECK(result["excluded_ids_in_no_row"] == 1);
}

TEST_CASE("equal pictures in two splits are left out by the list of them, and the build gets past") {
  const World world;
  world.ok(world.run("safe-manifest", {"audio", "--data-set", "clotho", "--subset-size", "3"}));
  world.ok(world.run("safe-manifest", {"val", "--subset-size", "10"}));
  world.ok(world.run("safe-manifest", {"retention", "--subset-size", "10"}));
  const auto first_picture = [&](const char* name) -> std::string {
    return json_of(world.at(std::string("experiments/overfitting/") + name))["entries"][0]["image_filename"];
  };
  const std::string kept = first_picture("val_manifest.json"),
                    twin = first_picture("retention_manifest.json");
  const fs::path images = world.at("data/vqa/images/val2014");
  support::put(images / twin, support::get(images / kept));
  const std::vector<std::string> build = {"build",       "--quiet",     "--source-root",
                                          "data/clotho", "--dest-root", "pack"};
  const Finished refused = world.run("safe-packer", build);
  CHECK(refused.code == 1);
  CHECK(refused.err.find(twin) != std::string::npos);
  CHECK(refused.err.find(kept) != std::string::npos);
  support::put(world.at("list"), std::string_view());
  const Finished empty = world.run(
      "safe-manifest", {"retention", "--subset-size", "10", "--exclude-bytes", "list", "--replace"});
  world.ok(empty);
  CHECK(empty.err.find("list is empty: it names no file, and nothing is left out by it\n") !=
        std::string::npos);
  support::put(world.at("list"), std::string(64, 'a') + "  images/" + twin + "\n");
  world.ok(world.run("safe-manifest",
                     {"retention", "--subset-size", "10", "--exclude-bytes", "list", "--replace"}));
  CHECK(support::get(world.at("experiments/overfitting/retention_manifest.json")).find(twin) ==
        std::string::npos);
  world.ok(world.run("safe-packer", build));
}

#ifdef SAFE_TRAINER
namespace {

// Beside the cache of features.
fs::path only_run(const fs::path& root) {
  fs::path run;
  for (const auto& entry : fs::directory_iterator(root))
    if (entry.path().filename().string().front() != '.') {
      REQUIRE(run.empty());
      run = entry.path();
    }
  REQUIRE_FALSE(run.empty());
  return run;
}

}  // namespace

TEST_CASE(
    "five captions of a clip of Clotho are five rows to train on, and five references when it is scored") {
  const World world;
  build(world);
  world.ok(world.run("safe-trainer", {"make-base", "--quiet", "--pack", "pack", "--out", "base", "--steps",
                                      "4", "--batch-size", "16"}));
  const std::vector<std::string> models = {"--base", "base/vl", "--audio-encoder", "base/audio"};
  std::vector<std::string> run = {"run",           "--quiet", "--variant",          "no_retention",
                                  "--pack-root",   "pack",    "--num-epochs",       "1",
                                  "--output-root", "runs",    "--train-batch-size", "4"};
  run.insert(run.end(), models.begin(), models.end());
  world.ok(world.run("safe-trainer", run));
  const fs::path made = only_run(world.at("runs"));
  const common::Json config = json_of(made / "config.json");
  CHECK(config["used"]["caption_rows"] == 25);
  const std::string history = support::get(made / "history.jsonl");
  CHECK(std::count(history.begin(), history.end(), '\n') >= 7);  // 25 rows in batches of 4
  const std::string predictions = support::get(made / "predictions.jsonl");
  CHECK(predictions.find("sounds in way five") != std::string::npos);
  const Finished verified = world.run("safe-report", {"verify-run", made.string()});
  CHECK_MESSAGE(verified.code == 0, verified.out, verified.err);
  world.ok(world.run("safe-report", {"report", made.string(), "-o", "report.html"}));

  std::vector<std::string> evaluate = {"evaluate", made.string(),   "--quiet",    "--pack-root",
                                       "pack",     "--output-root", "evaluations"};
  evaluate.insert(evaluate.end(), models.begin(), models.end());
  world.ok(world.run("safe-trainer", evaluate));
  const fs::path again = only_run(world.at("evaluations"));
  CHECK(support::get(again / "predictions.jsonl") == predictions);
  const Finished follows = world.run("safe-report", {"verify-run", again.string(), "--pack", "pack"});
  CHECK_MESSAGE(follows.code == 0, follows.out, follows.err);

  // From the tables themselves, without a pack of one's own.
  std::vector<std::string> from_tables = {"run",
                                          "--quiet",
                                          "--variant",
                                          "no_retention",
                                          "--train-source",
                                          "clotho",
                                          "--val-source",
                                          "vqa",
                                          "--val-size",
                                          "2",
                                          "--subset-size",
                                          "2",
                                          "--num-epochs",
                                          "1",
                                          "--output-root",
                                          "of_tables"};
  from_tables.insert(from_tables.end(), models.begin(), models.end());
  world.ok(world.run("safe-trainer", from_tables));
  const common::Json direct = json_of(only_run(world.at("of_tables")) / "config.json");
  CHECK(direct["train_source"] == "clotho");
  CHECK(direct["used"]["caption_rows"] == 10);
}
#endif
