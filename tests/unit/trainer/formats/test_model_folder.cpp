#include "trainer/formats/model_folder.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <string>

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "trainer/formats/log_mel_config.hpp"
#include "trainer/formats/pixels_config.hpp"

#include <doctest/doctest.h>

using trainer::ModelFolder;
namespace fs = std::filesystem;

namespace {

// hub/models--ORG--NAME as huggingface_hub lays it out: the files of a snapshot are links to blobs.
struct HubCache {
  support::Scratch scratch;
  fs::path repository = scratch / "hub/models--llava-hf--llava-1.5-7b-hf",
           snapshot = repository / "snapshots/abc";
  HubCache() {
    fs::create_directories(repository / "blobs");
    fs::create_directories(snapshot);
  }
  void put(const std::string& name, const std::string& text) const {
    support::put_file(repository / "blobs" / ("0" + name), text);
    fs::create_symlink("../../blobs/0" + name, snapshot / name);
  }
};

void check_refused(const ModelFolder& folder, const std::string& name,
                   const std::vector<std::string>& parts) {
  try {
    (void)folder.read_text(name, 1000);
    FAIL_CHECK("it was read");
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::io);
    for (const std::string& part : parts) {
      CAPTURE(part);
      CHECK(std::string(error.what()).find(part) != std::string::npos);
    }
  }
}

}  // namespace

TEST_CASE("the links of a hub's cache are followed, and the model is named by what they lead to") {
  const HubCache cache;
  cache.put("config.json", R"({"a": 1})");
  const ModelFolder linked(cache.snapshot);
  CHECK(linked.has("config.json"));
  CHECK(linked.read_json("config.json", 1000).at("a") == 1);
  const support::Scratch plain;
  support::put_file(plain / "config.json", R"({"a": 1})");
  const ModelFolder copied(plain.path());
  (void)copied.read_text("config.json", 1000);
  CHECK(linked.digest() == copied.digest());
}

TEST_CASE("a link that leads nowhere is called that, with the command that fetches a model of the hub") {
  const HubCache cache;
  cache.put("config.json", "{}");
  fs::remove(cache.repository / "blobs/0config.json");
  check_refused(ModelFolder(cache.snapshot), "config.json",
                {"config.json is a symlink that leads nowhere", "hf download llava-hf/llava-1.5-7b-hf"});
  const support::Scratch plain;
  fs::create_symlink("nowhere", plain / "config.json");
  fs::create_symlink("loop", plain / "loop");
  check_refused(ModelFolder(plain.path()), "config.json", {"leads nowhere"});
  check_refused(ModelFolder(plain.path()), "loop", {"leads back to itself"});
}

TEST_CASE("a pointer of Git LFS in place of a file is called that, with the command") {
  const support::Scratch scratch;
  support::put_file(scratch / "tokenizer.json",
                    "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 499723\n");
  check_refused(ModelFolder(scratch.path()), "tokenizer.json",
                {"tokenizer.json is a Git LFS pointer", "git lfs pull --include tokenizer.json"});
}

TEST_CASE("what is no regular file is refused, by way of a link too, and nobody waits for it") {
  const support::Scratch scratch;
  REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  fs::create_directory(scratch / "folder");
  fs::create_symlink("fifo", scratch / "to_fifo");
  fs::create_symlink("folder", scratch / "to_folder");
  fs::create_symlink("/dev/zero", scratch / "to_device");
  const ModelFolder folder(scratch.path());
  for (const char* name : {"fifo", "folder", "to_fifo", "to_folder", "to_device", "missing"})
    check_refused(folder, name, {name});
}

TEST_CASE("preprocessing is read from either file that transformers writes, the older one first") {
  const support::Scratch scratch;
  const ModelFolder folder(scratch.path());
  CHECK_THROWS_WITH_AS((void)trainer::load_pixels_config(folder),
                       doctest::Contains("no processor_config.json"), common::Error);
  support::put_file(scratch / "processor_config.json", R"({"processor_class": "LlavaProcessor"})");
  CHECK_THROWS_WITH_AS((void)trainer::load_pixels_config(folder), doctest::Contains("no image_processor"),
                       common::Error);
  support::put_file(scratch / "processor_config.json",
                    R"({"image_processor": {"size": {"shortest_edge": 30}, "crop_size": 30, "do_pad": null},
                        "feature_extractor": {"truncation": "rand_trunc", "feature_size": 32}})");
  CHECK(trainer::load_pixels_config(ModelFolder(scratch.path())).crop_side == 30);
  CHECK(trainer::load_log_mel_config(ModelFolder(scratch.path())).mel_bins == 32);
  support::put_file(scratch / "preprocessor_config.json",
                    R"({"size": 40, "crop_size": 40, "truncation": "rand_trunc", "feature_size": 16})");
  CHECK(trainer::load_pixels_config(ModelFolder(scratch.path())).crop_side == 40);
  CHECK(trainer::load_log_mel_config(ModelFolder(scratch.path())).mel_bins == 16);
}
