#include <cmath>

#include "common/media/media_header.hpp"
#include "packer/build/copy.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

using packer::Making;

common::AudioFacts facts(std::uint64_t frames,
                         common::AudioContainer container = common::AudioContainer::wav) {
  return {container, common::SampleFormat::pcm_16, 1000, 1, frames, common::StatedLength::right};
}

}  // namespace

TEST_CASE("a sound of at most 10.1 s keeps its bytes, an MP3 of that length is decoded whole") {
  for (const std::uint64_t frames : {1ULL, 10000ULL, 10100ULL}) {
    const auto cut = packer::decide_cut(facts(frames), 30);
    REQUIRE(cut);
    CHECK(cut->making == Making::copied);
    CHECK(cut->count == frames);
  }
  CHECK(packer::decide_cut(facts(10100, common::AudioContainer::flac), 0)->making == Making::copied);
  CHECK(packer::decide_cut(facts(10100, common::AudioContainer::mp3), 0)->making == Making::decoded);
}

TEST_CASE("a sound whose header does not state its length is not copied: readers would believe the header") {
  for (const auto container : {common::AudioContainer::wav, common::AudioContainer::flac}) {
    common::AudioFacts piped = facts(10000, container);
    piped.stated_length = common::StatedLength::unknown_or_wrong;
    CHECK(packer::decide_cut(piped, 0)->making == Making::decoded);
  }
}

TEST_CASE("a sound of at most 11 s is cut to its first ten seconds, wherever its clip began in the video") {
  for (const std::uint64_t frames : {10101ULL, 11000ULL}) {
    const auto cut = packer::decide_cut(facts(frames), 30);
    REQUIRE(cut);
    CHECK(cut->making == Making::cut);
    CHECK(cut->first == 0);
    CHECK(cut->count == 10000);
  }
}

TEST_CASE("of a full video the ten seconds from start_s are taken, sample by sample") {
  CHECK(packer::decide_cut(facts(60000), 30)->first == 30000);
  CHECK(packer::decide_cut(facts(60000), 30)->count == 10000);
  CHECK(packer::decide_cut(facts(60000), 0.0004)->first == 0);
  CHECK(packer::decide_cut(facts(35000), 30)->count == 5000);
  CHECK(packer::decide_cut(facts(31000), 30)->count == 1000);
}

TEST_CASE("a full video that ends before the clip's first second is refused") {
  CHECK_FALSE(packer::decide_cut(facts(30999), 30));
  CHECK_FALSE(packer::decide_cut(facts(60000), 1e300));
  CHECK_FALSE(packer::decide_cut(facts(60000), std::nan("")));
}

TEST_CASE("a header alone gives the facts that decoding gives") {
  for (const common::Bytes& file : {common::encode_wav16(support::tone(100, 0.2)),
                                    common::encode_flac16(support::tone(4097, 0.2, 44100))}) {
    const auto quick = common::sound_header(file);
    const common::AudioFacts whole = common::probe_audio(file, "sound");
    REQUIRE(quick);
    CHECK(quick->frames == whole.frames);
    CHECK(quick->rate_hz == whole.rate_hz);
    CHECK(quick->channels == whole.channels);
    CHECK((quick->container == whole.container));
  }
  const auto size = common::picture_header(support::picture(3));
  REQUIRE(size);
  CHECK(size->width == 8);
  CHECK(size->height == 8);
}

TEST_CASE("a header cut anywhere gives nothing or the same facts, never a crash") {
  const common::Bytes wav = common::encode_wav16(support::tone(10, 0.2));
  const common::Bytes jpeg = support::picture(5);
  for (std::size_t i = 0; i < wav.size(); ++i) {
    const common::Bytes part(wav.begin(), wav.begin() + static_cast<std::ptrdiff_t>(i));
    CHECK_FALSE(common::sound_header(part));
  }
  for (std::size_t i = 0; i < jpeg.size(); ++i) {
    const common::Bytes part(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(i));
    if (const auto facts_found = common::picture_header(part)) CHECK(facts_found->width == 8);
  }
}
