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

TEST_CASE(
    "a model of the hub's cache is found by its id, and one that is not there is said to be downloaded") {
  const Models models;
  const fs::path hub = models.scratch / "hub", repository = hub / "models--org--tiny";
  fs::create_directories(repository / "snapshots");
  fs::create_directories(repository / "refs");
  fs::copy(models.vl, repository / "snapshots/abc", fs::copy_options::recursive);
  put_file(repository / "refs/main", "abc");
  ::setenv("HF_HUB_CACHE", hub.c_str(), 1);
  const auto run = [](const std::string& base) {
    return trainer(world().run("no_retention", "by_id", {"--base", base, "--num-epochs", "1"}));
  };
  World::ok(run("org/tiny"));
  World::ok(run(repository.string()));
  World::ok(trainer({"inspect", "org/tiny", "--text", "What colour is it?"}));
  const Finished absent = run("llava-hf/llava-1.5-13b-hf");
  ::unsetenv("HF_HUB_CACHE");
  CHECK(absent.code == 3);
  CHECK(absent.err.find("hf download llava-hf/llava-1.5-13b-hf") != std::string::npos);
}

TEST_CASE(
    "heads follow the base unless they are given, and what does not fit is said with the flag that helps") {
  const auto run = [](const std::string& out, const std::vector<std::string>& more) {
    return trainer(world().run("no_retention", out, more));
  };
  const std::string out = "shape";
  World::ok(run(out, {"--num-epochs", "1", "--model-config", "full", "--fusion-layers", "0,2",
                      "--audio-tokens", "3", "--bottleneck", "20", "--lora-rank", "2", "--prompt", "llava"}));
  const auto config = json_of(world().only_run(out) / "config.json");
  const auto base = json_of(fs::path(world().base) / "vl/config.json");
  CHECK(config["fusion"]["heads"] == base["text_config"]["num_attention_heads"]);
  CHECK(config["fusion"]["layers"] == common::Json{0, 2});
  CHECK(config["fusion"]["rank"] == 2);
  CHECK(config["projector"]["tokens"] == 3);
  CHECK(config["projector"]["bottleneck"] == 20);
  CHECK(config["prompt"] == "llava");
  const auto refused = [&](const std::vector<std::string>& more, const std::string& says) {
    const Finished finished = run("no_shape", more);
    CAPTURE(finished.err);
    CHECK(finished.code == 2);
    CHECK(finished.err.find(says) != std::string::npos);
    CHECK(has_no_file(world().root + "/no_shape"));
  };
  refused({"--model-config", "full"}, "--fusion-layers");
  refused({"--fusion-heads", "7"}, "--fusion-heads");
  refused({"--fusion-layers", "1000"}, "--fusion-layers");
}

TEST_CASE("a run with another prompt is evaluated with it, and its seal holds") {
  const std::string out = "prompted";
  World::ok(trainer(world().run("no_retention", out, {"--num-epochs", "1", "--prompt", "llava"})));
  const fs::path run = world().only_run(out);
  World::ok(trainer({"verify-run", run.string()}));
  World::ok(trainer({"evaluate", run.string(), "--pack-root", world().pack, "--base", world().base + "/vl",
                     "--audio-encoder", world().base + "/audio", "--output-root",
                     world().root + "/prompted_again"}));
  CHECK(text_of_file(run / "predictions.jsonl") ==
        text_of_file(world().only_run("prompted_again") / "predictions.jsonl"));
}

TEST_CASE("inspect shows tokens, stages and an answer, and says which input a model takes") {
  const std::string vl = world().base + "/vl", audio = world().base + "/audio";
  const auto json = [](std::vector<std::string> words) {
    words.insert(words.begin(), {"inspect", "--json"});
    const Finished finished = trainer(words);
    CAPTURE(finished.err);
    REQUIRE(finished.code == 0);
    return common::parse_json(finished.out, "inspect");
  };
  fs::path picture, clip;
  for (const auto& entry : fs::recursive_directory_iterator(world().pack)) {
    if (entry.path().extension() == ".jpg") picture = entry.path();
    if (entry.path().extension() == ".wav") clip = entry.path();
  }
  const auto tokens = json({vl, "--text", "What colour is it?"});
  CHECK(tokens["texts"][0]["decoded"] == "What colour is it?");
  CHECK(tokens["texts"][0]["ids"].size() == tokens["texts"][0]["pieces"].size());
  CHECK_FALSE(tokens.contains("stages"));
  const auto seen =
      json({vl, "--text", "What colour is it?", "--image", picture.string(), "--answer", "red"});
  CHECK(seen["prompt"]["text"] ==
        "USER: <image>\nAnswer in one word or a number. Question: What colour is it? ASSISTANT:");
  CHECK(seen["stages"][0]["stage"] == "pixels");
  CHECK(seen["stages"].back()["stage"] == "logits");
  CHECK(seen["answer"]["nll"].get<double>() > 0);
  CHECK(seen["top"].size() == 5);
  const auto heard = json({audio, "--clip", clip.string()});
  CHECK(heard["stages"][0]["stage"] == "log-mel");
  CHECK(heard["embedding"].size() == heard["stages"].back()["shape"][0].get<std::size_t>());
  CHECK(trainer({"inspect", vl, "--text", "x", "--image", picture.string()}).out.find("it says:") !=
        std::string::npos);
  CHECK(trainer({"inspect", audio, "--text", "x"}).code == 2);
  CHECK(trainer({"inspect", vl, "--clip", clip.string()}).code == 2);
  CHECK(trainer({"inspect", world().root}).code == 3);
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
      {"a shard that is not there",
       [](const Models& m) {
         fs::rename(m.vl / "model.safetensors", m.vl / "one.safetensors");
         put_file(m.vl / "model.safetensors.index.json", R"({"weight_map": {"a": "two.safetensors"}})");
       },
       3,
       {"lists two.safetensors, which is not there", "download"}},
      {"weights that are pickled",
       [](const Models& m) { fs::rename(m.vl / "model.safetensors", m.vl / "pytorch_model.bin"); },
       3,
       {"pytorch_model.bin", "save_torch_state_dict"}},
      {"a quantised model",
       [](const Models& m) {
         change_json(m.vl / "config.json", [](common::Json& json) {
           json["quantization_config"] = {{"quant_method", "bitsandbytes"}};
         });
       },
       3,
       {"quantised (bitsandbytes)", "hf download"}},
      {"an audio encoder as the base",
       [](const Models& m) {
         fs::remove_all(m.vl);
         fs::copy(m.audio, m.vl);
       },
       2,
       {"is an audio encoder and no language model", "--base"}},
      {"a model of another type",
       [](const Models& m) {
         change_json(m.vl / "config.json", [](common::Json& json) { json["model_type"] = "blip-2"; });
       },
       3,
       {"model_type blip-2 is not supported", "llava and clap"}},
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
