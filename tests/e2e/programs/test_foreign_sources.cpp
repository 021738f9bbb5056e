#include "tests/support/foreign.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Finished;
using support::Scratch;

namespace {

Finished build(const Scratch& scratch, const std::string& sounds, const std::string& images) {
  return support::run_process(
      {std::string(SAFE_BIN) + "/safe-packer", "build", "--manifest", "E/subset_manifest.json",
       "--val-manifest", "E/val_manifest.json", "--source-root", sounds, "--image-root", images,
       "--dest-root", "data_pack", "--quiet"},
      scratch.path());
}

}  // namespace

TEST_CASE("safe-packer builds from a tar of sounds and a zip of images, and verifies the result") {
  const Scratch scratch;
  (void)support::small_sources(scratch.path());
  support::write_foreign(scratch / "sounds.tar.zst", support::members_of(scratch / "audiocaps"));
  support::write_foreign(scratch / "val2014.zip", support::members_of(scratch / "vqa/images"));
  const Finished built = build(scratch, "sounds.tar.zst", "val2014.zip");
  // The clips of small packs last a second, which is said.
  CHECK(built.err.starts_with("remark: "));
  CHECK(built.err.find('\n') == built.err.size() - 1);
  REQUIRE(built.code == 0);
  const Finished verified =
      support::run_process({std::string(SAFE_BIN) + "/safe-packer", "verify", "data_pack"}, scratch.path());
  CHECK(verified.code == 0);
  CHECK(verified.out == built.out);
}

TEST_CASE("a damaged archive ends the build with 3 and one sentence, and leaves nothing") {
  const Scratch scratch;
  (void)support::small_sources(scratch.path());
  support::write_foreign(scratch / "sounds.tar.gz", support::members_of(scratch / "audiocaps"));
  support::write_foreign(scratch / "val2014.zip", support::members_of(scratch / "vqa/images"),
                         "zip:compression=store");
  const auto expect_refusal = [&](const std::string& damaged) {
    CAPTURE(damaged);
    const support::Tree before = support::tree_of(scratch.path());
    const Finished finished = build(scratch, "sounds.tar.gz", "val2014.zip");
    CHECK(finished.code == 3);
    CHECK(finished.out == "");
    CHECK(finished.err.find(damaged) != std::string::npos);
    CHECK(std::count(finished.err.begin(), finished.err.end(), '\n') == 1);
    CHECK(support::tree_of(scratch.path()) == before);
    CHECK_FALSE(fs::exists(scratch / "data_pack"));
    CHECK_FALSE(fs::exists(scratch / ".data_pack.draft"));
  };
  // Found while the listing is read: the archive is cut short.
  const std::string sounds = support::get(scratch / "sounds.tar.gz");
  support::put(scratch / "sounds.tar.gz", sounds.substr(0, sounds.size() - 20));
  expect_refusal("sounds.tar.gz");
  support::put(scratch / "sounds.tar.gz", sounds);
  // Found when an entry is taken: one byte of a picture.
  std::string images = support::get(scratch / "val2014.zip");
  const std::string picture = support::get(scratch / "vqa/images/val2014" / support::image_name(2));
  const std::size_t at = images.find(picture);
  REQUIRE(at != std::string::npos);
  images[at + picture.size() / 2] = static_cast<char>(images[at + picture.size() / 2] ^ 0x10);
  support::put(scratch / "val2014.zip", images);
  expect_refusal("val2014.zip");
}
