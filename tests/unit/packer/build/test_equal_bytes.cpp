#include <string>

#include "common/error.hpp"
#include "packer/build/build.hpp"
#include "packer/check/verify.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

// Two ids, one content: what no comparison of ids finds (M6).

namespace {

namespace fs = std::filesystem;

// The retention picture is a validation picture under another id, and the held-out clip a clip.
packer::BuildRequest sources_with_equal_bytes(const fs::path& root) {
  packer::BuildRequest request = support::small_sources(root);
  const fs::path images = root / "vqa" / "images" / "val2014";
  support::put(images / support::image_name(3), support::get(images / support::image_name(2)));
  support::put(root / "vqa" / "images" / "val2014" / support::image_name(4), support::picture(77));
  support::put(root / "E" / "retention_manifest.json",
               manifest::write_vqa(
                   support::vqa_of("small_retention", {support::question(30, 3), support::question(40, 4)})));
  const fs::path audio = root / "audiocaps" / "audio";
  support::put(audio / "val" / "video_3.wav", support::get(audio / "train" / "video_1.wav"));
  support::put(audio / "val" / "video_4.wav", common::encode_wav16(support::tone(24, 0.4)));
  support::put(root / "E" / "audio_val_manifest.json",
               manifest::write_subset(support::subset_of(
                   "val", {support::clip_entry(3, "val"), support::clip_entry(4, "val")})));
  return request;
}

std::string refusal(const packer::BuildRequest& request) {
  try {
    (void)packer::build_pack(request);
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::mismatch);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("equal bytes in two splits are named with both files and the way out") {
  const support::Scratch scratch;
  const std::string said = refusal(sources_with_equal_bytes(scratch.path()));
  CAPTURE(said);
  const auto says = [&](const std::string& part) { return said.find(part) != std::string::npos; };
  const std::string image = "images/" + support::image_name(3);
  CHECK(says("M6 retention_manifest.json: the image " + image + " has the same bytes as images/" +
             support::image_name(2) + " of val_manifest.json (SHA-256 "));
  CHECK(
      says("M6 audio_val_manifest.json: the clip audio/val/video_3.wav has the same bytes as "
           "audio/train/video_1.wav of manifest.json (SHA-256 "));
  CHECK(says("--exclude-bytes"));
  CHECK(says("--allow-missing"));
}

TEST_CASE("--allow-missing leaves out the later of two equal files, and the pack accounts for its rows") {
  const support::Scratch scratch;
  packer::BuildRequest request = sources_with_equal_bytes(scratch.path());
  request.missing = packer::Missing::allow;
  const packer::BuildSummary built = packer::build_pack(request);
  REQUIRE(built.missing.size() == 2);
  CHECK(built.missing[0].role == packer::Role::audio_val_manifest);
  CHECK(built.missing[0].file == "audio/val/video_3.wav");
  CHECK(built.missing[1].role == packer::Role::retention_manifest);
  CHECK(built.missing[1].id == "30");
  for (const packer::MissingItem& item : built.missing)
    CHECK(item.reason == "the same bytes as a file of another split");
  CHECK_FALSE(fs::exists(built.location / "images" / support::image_name(3)));
  CHECK(fs::exists(built.location / "images" / support::image_name(2)));
  CHECK_FALSE(fs::exists(built.location / "audio" / "val" / "video_3.wav"));
  CHECK(packer::verify(built.location, support::quiet_examination()).findings.empty());
}

TEST_CASE("a split of which every file stands in another one is left out as a whole") {
  const support::Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  const fs::path images = scratch.path() / "vqa" / "images" / "val2014";
  support::put(images / support::image_name(3), support::get(images / support::image_name(2)));
  request.missing = packer::Missing::allow;
  const packer::BuildSummary built = packer::build_pack(request);
  CHECK(built.missing.size() == 1);
  CHECK_FALSE(fs::exists(built.location / "retention_manifest.json"));
  CHECK(packer::verify(built.location, support::quiet_examination()).findings.empty());
}

TEST_CASE("equal bytes within one split leak nothing") {
  const support::Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  const fs::path images = scratch.path() / "vqa" / "images" / "val2014";
  support::put(images / support::image_name(1), support::get(images / support::image_name(2)));
  CHECK(packer::build_pack(request).missing.empty());
}
