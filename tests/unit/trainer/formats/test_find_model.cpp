#include "trainer/formats/find_model.hpp"

#include <cstdlib>

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using trainer::find_model;

namespace {

// A cache as huggingface_hub lays it out, with one model of one revision.
struct Cache {
  support::Scratch scratch;
  fs::path hub = scratch / "hub", repository = hub / "models--llava-hf--llava-1.5-13b-hf";
  explicit Cache(const std::string& revision = "abc123") {
    add(revision);
    fs::create_directories(repository / "refs");
    support::put_file(repository / "refs/main", revision);
  }
  void add(const std::string& revision) const {
    fs::create_directories(repository / "snapshots" / revision);
    support::put_file(repository / "snapshots" / revision / "config.json", "{}");
  }
};

std::string refusal(const fs::path& named, const std::vector<fs::path>& caches) {
  try {
    (void)find_model(named, caches);
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::io);
    return error.what();
  }
  FAIL("it was found");
  return {};
}

}  // namespace

TEST_CASE("an id is the snapshot that main is at, in the first cache that has the model") {
  const Cache cache, other("def456");
  cache.add("older");
  CHECK(find_model("llava-hf/llava-1.5-13b-hf", {cache.hub}) == cache.repository / "snapshots/abc123");
  CHECK(find_model("llava-hf/llava-1.5-13b-hf", {cache.scratch / "nowhere", other.hub, cache.hub}) ==
        other.repository / "snapshots/def456");
}

TEST_CASE("a repository of the cache may be named itself, with a slash behind it or not") {
  const Cache cache;
  CHECK(find_model(cache.repository, {}) == cache.repository / "snapshots/abc123");
  CHECK(find_model(cache.repository.string() + "/", {}) == cache.repository / "snapshots/abc123");
  CHECK(find_model(cache.repository / "snapshots/abc123", {}) == cache.repository / "snapshots/abc123");
}

TEST_CASE("a snapshot's folder says whose it is, and no other folder does") {
  const Cache cache;
  for (const char* end : {"", "/"})
    CHECK(trainer::hub_id_of(cache.repository.string() + "/snapshots/abc123" + end) ==
          "llava-hf/llava-1.5-13b-hf");
  CHECK(trainer::hub_id_of(cache.repository).empty());
  CHECK(trainer::hub_id_of("snapshots/abc123").empty());
  CHECK(trainer::hub_id_of("base/vl").empty());
}

TEST_CASE("an id that is in no cache is refused with the command that downloads it, and nothing is fetched") {
  const Cache cache;
  const std::string text = refusal("laion/clap-htsat-unfused", {cache.hub});
  CHECK(text.find("hf download laion/clap-htsat-unfused") != std::string::npos);
  CHECK(text.find(cache.hub.string()) != std::string::npos);
}

TEST_CASE("without refs/main the only snapshot counts, of several none is guessed, and none at all is said") {
  const Cache cache;
  fs::remove(cache.repository / "refs/main");
  CHECK(find_model("llava-hf/llava-1.5-13b-hf", {cache.hub}) == cache.repository / "snapshots/abc123");
  cache.add("def456");
  CHECK(refusal("llava-hf/llava-1.5-13b-hf", {cache.hub}).find("2 snapshots") != std::string::npos);
  fs::remove_all(cache.repository / "snapshots");
  fs::create_directory(cache.repository / "snapshots");
  CHECK(refusal(cache.repository, {}).find("hf download llava-hf/llava-1.5-13b-hf") != std::string::npos);
}

TEST_CASE("a refs/main that leads out of the snapshots is refused") {
  const Cache cache;
  for (const char* revision : {"../../../elsewhere", "/etc", ""}) {
    CAPTURE(revision);
    support::put_file(cache.repository / "refs/main", revision);
    CHECK(refusal(cache.repository, {}).find("names no revision") != std::string::npos);
  }
}

TEST_CASE("a folder that is there counts before any cache, and paths are no ids") {
  const Cache cache;
  for (const char* path : {"/a/b", "./b", "../b", "a/b/c", "a", "~/b", "a b/c"}) {
    CAPTURE(path);
    CHECK(find_model(path, {cache.hub}) == path);
  }
  CHECK(find_model(cache.scratch.path(), {cache.hub}) == cache.scratch.path());
}

TEST_CASE("the caches are those of huggingface_hub's variables, the most particular first") {
  const char* names[] = {"HF_HUB_CACHE", "HF_HOME", "HOME"};
  std::vector<std::string> before;
  for (const char* name : names) before.emplace_back(std::getenv(name) == nullptr ? "" : std::getenv(name));
  ::setenv("HF_HUB_CACHE", "/one", 1);
  ::setenv("HF_HOME", "/two", 1);
  ::setenv("HOME", "/three", 1);
  CHECK(trainer::hub_caches() == std::vector<fs::path>{"/one", "/two/hub", "/three/.cache/huggingface/hub"});
  ::unsetenv("HF_HUB_CACHE");
  ::setenv("HF_HOME", "", 1);
  CHECK(trainer::hub_caches() == std::vector<fs::path>{"/three/.cache/huggingface/hub"});
  for (std::size_t i = 0; i < before.size(); ++i)
    before[i].empty() ? ::unsetenv(names[i]) : ::setenv(names[i], before[i].c_str(), 1);
}
