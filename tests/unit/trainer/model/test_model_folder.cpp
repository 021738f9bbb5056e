#include "trainer/formats/model_folder.hpp"

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/model/safetensors.hpp"

#include <doctest/doctest.h>

using trainer::ModelFolder;
using trainer::SafetensorsFolder;
namespace fs = std::filesystem;

namespace {

std::string line_of(const fs::path& file) {
  return common::digest_of(support::text_of_file(file)).hex() + "  " + file.filename().string() + "\n";
}

void put_tensors(const fs::path& file, double value) {
  trainer::write_safetensors(
      file,
      {{{"a", torch::full({5, 3}, value)}, {"b", torch::full({4}, value)}, {"c", torch::empty({0})}}, {}});
}

// What a model does when it is loaded.
torch::Tensor load(const ModelFolder& folder) {
  (void)folder.read_json("config.json", 1000);
  torch::Tensor a;
  SafetensorsFolder(folder).read({"a"}, [&](const std::string&, const torch::Tensor& tensor) { a = tensor; });
  return a;
}

struct Model {
  support::Scratch scratch;
  fs::path config = scratch / "config.json", weights = scratch / "model.safetensors";
  Model() {
    support::put_file(config, "{}");
    put_tensors(weights, 1);
  }
};

}  // namespace

TEST_CASE("a model is named by the files that it was loaded from, as sha256sum lists them") {
  const Model model;
  support::put_file(model.scratch / "README.md", "about it");
  support::put_file(model.scratch / ".cache", "x");
  fs::create_directory(model.scratch / "onnx");
  const ModelFolder folder(model.scratch.path());
  (void)load(folder);
  CHECK(folder.digest() == common::digest_of(line_of(model.config) + line_of(model.weights)));
}

TEST_CASE("a file that is not used changes nothing, and one that is changes the name") {
  const Model model;
  const auto digest = [&] {
    const ModelFolder folder(model.scratch.path());
    (void)load(folder);
    return folder.digest();
  };
  const common::Digest before = digest();
  support::put_file(model.scratch / "README.md", "about it");
  support::put_file(model.scratch / "tokenizer.json", "{}");
  CHECK(digest() == before);
  support::put_file(model.config, "[]");
  CHECK(digest() != before);
  support::put_file(model.config, "{}");
  CHECK(digest() == before);
  put_tensors(model.weights, 2);
  CHECK(digest() != before);
}

TEST_CASE(
    "what is replaced after it was loaded does not count: the digest is of the bytes that were loaded") {
  const Model model;
  const common::Digest loaded = common::digest_of(line_of(model.config) + line_of(model.weights));
  const ModelFolder folder(model.scratch.path());
  const torch::Tensor a = load(folder);
  fs::remove(model.weights);
  put_tensors(model.weights, 2);
  support::put_file(model.config, "[]");
  CHECK(folder.digest() == loaded);
  CHECK(a.equal(torch::ones({5, 3})));
}

TEST_CASE("a folder that is exchanged for another while a model is loaded gives one model or the other") {
  const Model model;
  const support::Scratch elsewhere;
  const ModelFolder folder(model.scratch.path());
  (void)folder.read_json("config.json", 1000);
  fs::rename(model.scratch.path(), elsewhere / "old");
  fs::create_directory(model.scratch.path());
  support::put_file(model.config, "[]");
  put_tensors(model.weights, 2);
  CHECK(load(folder).equal(torch::ones({5, 3})));
}

TEST_CASE("a file that has other bytes when it is read again is refused") {
  const Model model;
  const ModelFolder folder(model.scratch.path());
  (void)folder.read_text("config.json", 1000);
  (void)folder.read_text("config.json", 1000);
  support::put_file(model.config, "[]");
  CHECK_THROWS_WITH_AS((void)folder.read_text("config.json", 1000), doctest::Contains("changed while"),
                       common::Error);
}

TEST_CASE("tensors that nobody wants are hashed too, and shards count as what they are") {
  const Model model;
  fs::rename(model.weights, model.scratch / "one.safetensors");
  trainer::write_safetensors(model.scratch / "two.safetensors", {{{"d", torch::zeros({300000})}}, {}});
  const fs::path index = model.scratch / "model.safetensors.index.json";
  support::put_file(index, R"({"weight_map":{"a":"one.safetensors","d":"two.safetensors"}})");
  const ModelFolder folder(model.scratch.path());
  std::vector<std::string> seen;
  SafetensorsFolder(folder).read({"a"}, [&](const std::string& name, const torch::Tensor& tensor) {
    seen.push_back(name);
    CHECK(tensor.equal(torch::ones({5, 3})));
  });
  CHECK(seen == std::vector<std::string>{"a"});
  CHECK(folder.digest() == common::digest_of(line_of(index) + line_of(model.scratch / "one.safetensors") +
                                             line_of(model.scratch / "two.safetensors")));
}
