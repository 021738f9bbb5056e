#include "trainer/samples/samples.hpp"

#include "common/error.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

using namespace trainer;
namespace fs = std::filesystem;

TEST_CASE("a clip is asked and scored as the data set of its manifest says") {
  const support::Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  // The held-out clips are of another data set than those that are learnt.
  manifest::SubsetManifest held_out = support::subset_of("val", {support::clip_entry(3, "val")});
  held_out.data_set = manifest::find_sound_set("clotho")->name;
  held_out.columns = {"file_name", "caption_1"};
  held_out.entries.front().schema = manifest::RowSchema::named;
  held_out.entries.front().start_time_s.reset();
  support::put(scratch / "E" / "audio_val_manifest.json", manifest::write_subset(held_out));
  (void)packer::build_pack(request);
  const PackSamples samples =
      read_samples(packer::open_pack(request.dest_root, {std::nullopt, 1, common::Verbosity::quiet}));
  const auto check = [](const std::vector<ClipSample>& clips, const char* name) {
    const manifest::SoundSet& data_set = *manifest::find_sound_set(name);
    REQUIRE_FALSE(clips.empty());
    for (const ClipSample& clip : clips) {
      CHECK(clip.question == data_set.prompt);
      CHECK(clip.scorer == data_set.scorer);
    }
  };
  check(samples.clips, "audiocaps");
  check(samples.held_out, "clotho");
  CHECK(samples.base_question == manifest::original_sound_set().prompt);
}

TEST_CASE(
    "questions to ask in other words are a split of their own, and none of retention's may be among them") {
  const auto build = [](const std::string& question, int image_id) {
    const support::Scratch scratch;
    support::put(scratch / "vqa" / "images" / "val2014" / support::image_name(image_id),
                 support::picture(image_id * 13));
    manifest::QuestionEntry entry = support::question(40, image_id);
    entry.question = question;
    fs::create_directories(scratch / "E");
    support::put(scratch / "E" / "unlike_manifest.json",
                 manifest::write_vqa(support::vqa_of("small_unlike", {entry})));
    const packer::BuildRequest request = support::small_sources(scratch.path());
    (void)packer::build_pack(request);
    PackSamples read =
        read_samples(packer::open_pack(request.dest_root, {std::nullopt, 1, common::Verbosity::quiet}));
    require_other_words(read);
    return read;
  };
  const PackSamples samples = build("Which colour has it?", 4);
  REQUIRE(samples.unlike.size() == 1);
  CHECK(samples.unlike.front().question_id == 40);
  const auto refusal = [&](const std::string& question, int image_id) -> std::string {
    try {
      (void)build(question, image_id);
    } catch (const common::Error& error) {
      CHECK(error.kind() == common::ErrorKind::mismatch);
      return error.what();
    }
    return "";
  };
  // As small_sources' retention row asks, but for capitals and punctuation.
  CHECK(refusal("what is  IT", 4)
            .find("question 40 of unlike_manifest.json, \"what is  IT\", is asked in the "
                  "same words") == 0);
  CHECK(refusal("Which colour has it?", 3).find("shares image_id 3 with retention_manifest.json") !=
        std::string::npos);
}
