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

std::optional<packer::ClipCut> detected(const common::AudioFacts& source, double start_s) {
  return packer::decide_cut(source, start_s, {});
}
using packer::SourceKind;

}  // namespace

TEST_CASE("a sound of at most 10.1 s keeps its bytes, an MP3 of that length is decoded whole") {
  for (const std::uint64_t frames : {1ULL, 10000ULL, 10100ULL}) {
    const auto cut = detected(facts(frames), 30);
    REQUIRE(cut);
    CHECK(cut->making == Making::copied);
    CHECK(cut->count == frames);
  }
  CHECK(detected(facts(10100, common::AudioContainer::flac), 0)->making == Making::copied);
  CHECK(detected(facts(10100, common::AudioContainer::mp3), 0)->making == Making::decoded);
}

TEST_CASE("a sound whose header does not state its length is not copied: readers would believe the header") {
  for (const auto container : {common::AudioContainer::wav, common::AudioContainer::flac}) {
    common::AudioFacts piped = facts(10000, container);
    piped.stated_length = common::StatedLength::unknown_or_wrong;
    CHECK(detected(piped, 0)->making == Making::decoded);
  }
}

TEST_CASE("a sound of at most 11 s is cut to its first ten seconds, wherever its clip began in the video") {
  for (const std::uint64_t frames : {10101ULL, 11000ULL}) {
    const auto cut = detected(facts(frames), 30);
    REQUIRE(cut);
    CHECK(cut->making == Making::cut);
    CHECK(cut->first == 0);
    CHECK(cut->count == 10000);
  }
}

TEST_CASE("of a full video the ten seconds from start_s are taken, sample by sample") {
  CHECK(detected(facts(60000), 30)->first == 30000);
  CHECK(detected(facts(60000), 30)->count == 10000);
  CHECK(detected(facts(60000), 0.0004)->first == 0);
  CHECK(detected(facts(35000), 30)->count == 5000);
  CHECK(detected(facts(31000), 30)->count == 1000);
}

TEST_CASE("a full video that ends before the clip's first second is refused") {
  CHECK_FALSE(detected(facts(30999), 30));
  CHECK_FALSE(detected(facts(60000), 1e300));
  CHECK_FALSE(detected(facts(60000), std::nan("")));
}

TEST_CASE("of what is said to be a clip the first ten seconds are kept, wherever it began in its video") {
  const packer::ClipRule clips{SourceKind::clips, 10};
  for (const std::uint64_t frames : {12500ULL, 35000ULL, 100000ULL}) {
    const auto cut = packer::decide_cut(facts(frames), 10, clips);
    REQUIRE(cut);
    CHECK(cut->making == Making::cut);
    CHECK(cut->first == 0);
    CHECK(cut->count == 10000);
    CHECK((cut->kind == packer::ClipCut::Kind::known));
  }
  CHECK(packer::decide_cut(facts(10100), 10, clips)->making == Making::copied);
}

TEST_CASE("what is said to be a full video is cut at start_s, however short it is") {
  const packer::ClipRule videos{SourceKind::videos, 10};
  const auto cut = packer::decide_cut(facts(9000), 3, videos);
  REQUIRE(cut);
  CHECK(cut->first == 3000);
  CHECK(cut->count == 6000);
  CHECK(packer::decide_cut(facts(10100), 0, videos)->count == 10000);
  // All of it is it.
  CHECK(packer::decide_cut(facts(9000), 0, videos)->making == Making::copied);
  CHECK_FALSE(packer::decide_cut(facts(9000), 8.5, videos));
}

TEST_CASE(
    "a guess is a source between 10.1 and 60 s with the start inside of it, and only where it was guessed") {
  const auto is_guessed = [](std::uint64_t frames, double start_s, SourceKind kind) {
    const auto cut = packer::decide_cut(facts(frames), start_s, {kind, 10});
    return cut && cut->kind == packer::ClipCut::Kind::guessed;
  };
  for (const std::uint64_t frames : {10101ULL, 11000ULL, 12500ULL, 60000ULL})
    CHECK(is_guessed(frames, 5, SourceKind::detect));
  CHECK_FALSE(is_guessed(10100, 5, SourceKind::detect));
  CHECK_FALSE(is_guessed(60001, 5, SourceKind::detect));
  CHECK_FALSE(is_guessed(10500, 30, SourceKind::detect));
  CHECK_FALSE(is_guessed(12500, 0, SourceKind::detect));
  for (const SourceKind kind : {SourceKind::clips, SourceKind::videos})
    CHECK_FALSE(is_guessed(12500, 5, kind));
}

TEST_CASE("the length of a clip is its data set's, and where it has none no source is cut") {
  const packer::ClipRule thirty{SourceKind::detect, 30};
  CHECK(packer::decide_cut(facts(30100), 7, thirty)->making == Making::copied);
  CHECK(packer::decide_cut(facts(31000), 7, thirty)->count == 30000);
  CHECK(packer::decide_cut(facts(60000), 7, thirty)->first == 7000);
  for (const SourceKind kind : {SourceKind::clips, SourceKind::videos, SourceKind::detect}) {
    const auto whole = packer::decide_cut(facts(300000), 7, {kind, std::nullopt});
    REQUIRE(whole);
    CHECK(whole->making == Making::copied);
    CHECK(whole->count == 300000);
  }
}

TEST_CASE("what lasts less than a millisecond is no clip") {
  CHECK(packer::is_too_short(1, 48000));
  CHECK(packer::is_too_short(47, 48000));
  CHECK_FALSE(packer::is_too_short(48, 48000));
  CHECK_FALSE(packer::is_too_short(1, 1));
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
