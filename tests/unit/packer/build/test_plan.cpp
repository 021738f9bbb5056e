#include "packer/build/plan.hpp"

#include <string>

#include "common/error.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

packer::Tables tables() {
  packer::Tables made;
  made.manifests.subset =
      support::subset_of("train", {support::clip_entry(1, "train"), support::clip_entry(2, "train")});
  made.manifests.val = support::vqa_of("val", {support::question(1, 1)});
  return made;
}

// The message with which planning is refused; empty where it is not.
std::string refusal(packer::Tables made) {
  try {
    (void)packer::plan("pack", std::move(made));
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::mismatch);
    return error.what();
  }
  return {};
}

using support::holds;

}  // namespace

TEST_CASE("a plan has one clip for each row and one image for each picture") {
  packer::Tables made = tables();
  made.manifests.val->entries.push_back(support::question(2, 1));
  const packer::Plan plan = packer::plan("pack", std::move(made));
  CHECK(plan.clips.size() == 2);
  CHECK(plan.images.size() == 1);
  CHECK(plan.clips[0].stem == "audio/train/video_1");
}

TEST_CASE("two rows never get one file") {
  packer::Tables made = tables();
  made.manifests.subset->entries[1].audio_relpath = "audio/train/video_1.flac";
  CHECK(holds(refusal(made), "N7 audio/train/video_1.flac"));
}

TEST_CASE("a path that only a .wav suffix would keep legal is refused: its source may be a FLAC") {
  packer::Tables made = tables();
  const std::string stem = "audio/train/" + std::string(84, 'x');
  made.manifests.subset->entries[0].audio_relpath = stem + ".wav";
  REQUIRE(made.manifests.subset->entries[0].audio_relpath.size() == common::PackPath::k_limit_bytes);
  CHECK(holds(refusal(made), "N1 " + stem + ".wav"));
}

TEST_CASE("a name that leaves the pack is refused before any file is looked at") {
  for (const char* bad : {"../x.wav", "/etc/passwd", "audio/../../x.wav", "audio/train/.x.wav", "audio/x.wav",
                          "x", "audio/train/a b.wav"}) {
    packer::Tables made = tables();
    made.manifests.subset->entries[0].audio_relpath = bad;
    CHECK_FALSE(refusal(made).empty());
  }
  packer::Tables made = tables();
  made.manifests.val->entries[0].image_filename = "../../x.jpg";
  CHECK(holds(refusal(made), "N1"));
}

TEST_CASE("splits that share an id are refused, and all shared ids are named") {
  packer::Tables made = tables();
  made.manifests.retention = support::vqa_of("retention", {support::question(1, 7), support::question(9, 1)});
  made.manifests.audio_val = support::subset_of("val", {support::clip_entry(2, "val")});
  const std::string message = refusal(made);
  CHECK(holds(message, "retention_manifest.json: shares question_id 1 with val_manifest.json"));
  CHECK(holds(message, "retention_manifest.json: shares image_id 1 with val_manifest.json"));
  CHECK(holds(message, "audio_val_manifest.json: shares the clip video_2 with manifest.json"));
}

TEST_CASE("a caption that a base learns from must not be of a clip of the pack") {
  packer::Tables made = tables();
  made.manifests.base = support::vqa_of("base", {support::question(50, 50)});
  made.manifests.base->captions = {support::clip_entry(1, "train")};
  CHECK(holds(refusal(made), "base_manifest.json: shares the clip video_1 with manifest.json"));
}
