#include "trainer/samples/samples.hpp"

#include "manifest/datasets/data_sets.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

using namespace trainer;

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
