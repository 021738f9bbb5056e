// Folders of models as people have them, and as nobody should: what a run makes of them.
#include <fstream>
#include <functional>

#include "common/digest.hpp"
#include "tests/support/small_world.hpp"

#include <doctest/doctest.h>

using namespace support::small_world;
using support::Finished;
using support::put_file;
using support::text_of_file;

namespace {

// A copy of the world's models, as `BASE/vl` and `BASE/audio`.
struct Models {
  support::Scratch scratch;
  fs::path vl = scratch / "vl", audio = scratch / "audio";
  Models() { fs::copy(world().base, scratch.path(), fs::copy_options::recursive); }

  [[nodiscard]] Finished run(const std::string& out) const {
    return trainer(
        world().run("no_retention", out,
                    {"--base", vl.string(), "--audio-encoder", audio.string(), "--num-epochs", "1"}));
  }
};

void change_json(const fs::path& file, const std::function<void(common::Json&)>& change) {
  common::Json json = json_of(file);
  change(json);
  put_file(file, json.dump());
}

// Every file into blobs/, a link to it in its place: what the hub's cache looks like.
void make_snapshot(const fs::path& folder) {
  const fs::path blobs = folder.parent_path() / (folder.filename().string() + "_blobs");
  fs::create_directories(blobs);
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  for (const fs::path& file : files) {
    const std::string blob = common::digest_of(file.filename().string()).hex();
    fs::rename(file, blobs / blob);
    fs::create_symlink("../" + blobs.filename().string() + "/" + blob, file);
  }
}

void set_header_bytes(const fs::path& file, std::uint64_t bytes) {
  std::string length(8, '\0');
  for (int i = 0; i < 8; ++i) length[static_cast<std::size_t>(i)] = static_cast<char>(bytes >> (8 * i));
  std::fstream(file, std::ios::in | std::ios::out | std::ios::binary) << length;
}

void replace_once(const fs::path& file, const std::string& from, const std::string& to) {
  std::string text = text_of_file(file);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  REQUIRE(from.size() == to.size());
  put_file(file, text.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("a snapshot of the hub's cache, all links, is the model that it leads to") {
  const Models models;
  World::ok(models.run("plain_folder"));
  make_snapshot(models.vl);
  make_snapshot(models.audio);
  World::ok(models.run("linked_folder"));
  const auto plain = json_of(world().only_run("plain_folder") / "config.json"),
             linked = json_of(world().only_run("linked_folder") / "config.json");
  CHECK(plain.at("config_digest") == linked.at("config_digest"));
  CHECK(plain.at("base_digest") == linked.at("base_digest"));
}

TEST_CASE("folders that transformers 5 saved have processor_config.json alone") {
  const Models models;
  const auto move = [](const fs::path& folder, const char* member) {
    const common::Json own = json_of(folder / "preprocessor_config.json");
    fs::remove(folder / "preprocessor_config.json");
    put_file(folder / "processor_config.json", common::Json{{"processor_class", "X"}, {member, own}}.dump());
  };
  move(models.vl, "image_processor");
  move(models.audio, "feature_extractor");
  World::ok(models.run("transformers_5"));
}

TEST_CASE("what is wrong with a model's folder is said in a sentence before anything is encoded") {
  struct Case {
    const char* what;
    std::function<void(const Models&)> damage;
    int code;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases = {
      {"a tokenizer without <image>",
       [](const Models& m) {
         change_json(m.vl / "tokenizer.json", [](common::Json& json) {
           auto& added = json["added_tokens"];
           for (std::size_t i = 0; i < added.size(); ++i)
             if (added[i]["content"] == "<image>") added.erase(i--);
         });
       },
       1,
       {"tokenizer.json has no token <image>", "config.json", "belong to different models"}},
      {"another id for <image>",
       [](const Models& m) {
         change_json(m.vl / "config.json", [](common::Json& json) { json["image_token_index"] = 5; });
       },
       1,
       {"gives <image> the id", "config.json is 5", "belong to different models"}},
      {"a pointer of Git LFS as weights",
       [](const Models& m) {
         put_file(m.vl / "model.safetensors",
                  "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
       },
       3,
       {"model.safetensors is a Git LFS pointer", "git lfs pull"}},
      {"a pointer of Git LFS as tokenizer",
       [](const Models& m) {
         put_file(m.vl / "tokenizer.json",
                  "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n");
       },
       3,
       {"tokenizer.json is a Git LFS pointer", "git lfs pull"}},
      {"a link that leads nowhere",
       [](const Models& m) {
         fs::remove(m.vl / "config.json");
         fs::create_symlink("../../blobs/0", m.vl / "config.json");
       },
       3,
       {"config.json is a symlink that leads nowhere", "hf download"}},
      {"image_std 0",
       [](const Models& m) {
         change_json(m.vl / "preprocessor_config.json", [](common::Json& json) {
           json["image_std"] = {0, 1, 1};
         });
       },
       3,
       {"preprocessor_config.json: image_std 0"}},
      {"whole numbers as weights",
       [](const Models& m) { replace_once(m.vl / "model.safetensors", "\"F32\"", "\"I32\""); },
       1,
       {"has dtype I32", "quantised"}},
      {"a header longer than the file",
       [](const Models& m) { set_header_bytes(m.vl / "model.safetensors", 1ULL << 40); },
       3,
       {"model.safetensors", "its header claims"}},
      {"a billion layers",
       [](const Models& m) {
         change_json(m.vl / "config.json",
                     [](common::Json& json) { json["text_config"]["num_hidden_layers"] = 1'000'000'000; });
       },
       3,
       {"config.json: text_config: num_hidden_layers is 1000000000"}},
      {"pixels of another size",
       [](const Models& m) {
         change_json(m.vl / "preprocessor_config.json", [](common::Json& json) {
           json["size"]["shortest_edge"] = 64;
           json["crop_size"] = {{"height", 64}, {"width", 64}};
         });
       },
       1,
       {"cuts pictures of 64 pixels", "belong to different models"}},
      {"spectrograms of another size",
       [](const Models& m) {
         change_json(m.audio / "preprocessor_config.json",
                     [](common::Json& json) { json["feature_size"] = 32; });
       },
       1,
       {"frames of 32 mel bins", "belong to different models"}},
      {"no preprocessing",
       [](const Models& m) { fs::remove(m.audio / "preprocessor_config.json"); },
       3,
       {"has no preprocessor_config.json", "no processor_config.json"}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    const Models models;
    one.damage(models);
    const std::string out = "refused_folder";
    fs::remove_all(world().root + "/" + out);
    const Finished finished = models.run(out);
    CAPTURE(finished.err);
    CHECK(finished.code == one.code);
    for (const std::string& part : one.parts) {
      CAPTURE(part);
      CHECK(finished.err.find(part) != std::string::npos);
    }
    CHECK(finished.err.find("please report") == std::string::npos);
    CHECK(has_no_file(world().root + "/" + out));
  }
}
