#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <numbers>

#include "common/error.hpp"
#include "common/media/audio.hpp"

#include "common/sealed/draft_file.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

using namespace common;

namespace {

Waveform tone(int rate_hz, int channels, std::size_t frames, double hz) {
  Waveform wave{rate_hz, channels, {}};
  for (std::size_t i = 0; i < frames; ++i)
    for (int c = 0; c < channels; ++c)
      wave.samples.push_back(static_cast<float>(
          0.5 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate_hz + c)));
  return wave;
}

ErrorKind kind_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.kind();
  }
  return ErrorKind::usage;  // nothing here is one
}

}  // namespace

TEST_CASE("a WAV of ours has 44 bytes of header and gives its samples back within half a step") {
  const Waveform wave = tone(8000, 2, 100, 440);
  const Bytes wav = encode_wav16(wave);
  CHECK(wav.size() == 44 + 100 * 2 * 2);
  const Waveform back = decode_audio(wav, "clip.wav");
  CHECK(back.rate_hz == 8000);
  CHECK(back.channels == 2);
  REQUIRE(back.samples.size() == wave.samples.size());
  for (std::size_t i = 0; i < wave.samples.size(); ++i)
    CHECK(std::abs(back.samples[i] - wave.samples[i]) < 1.0 / 32000);
}

TEST_CASE("a cut is exactly the samples asked for, from WAV and from FLAC") {
  const Waveform wave = tone(8000, 2, 5000, 440);
  const Bytes whole = encode_wav16(wave);
  const Bytes expected(whole.begin() + 44 + 4 * 1234, whole.begin() + 44 + 4 * (1234 + 777));
  for (const Bytes& source : {whole, encode_flac16(wave)}) {
    const Bytes cut = cut_to_wav(source, 1234, 777, "clip");
    REQUIRE(cut.size() == 44 + expected.size());
    CHECK(std::memcmp(cut.data() + 44, expected.data(), expected.size()) == 0);
    CHECK(probe_audio(cut, "cut").frames == 777);
  }
}

TEST_CASE("a cut of float samples keeps them bit for bit") {
  Bytes wav(44 + 4 * 50);
  const Bytes header = encode_wav16({8000, 1, std::vector<float>(100)});  // as long, in 16 bit
  std::copy_n(header.begin(), 44, wav.begin());
  wav[20] = 3;  // float
  wav[32] = 4;
  wav[34] = 32;
  for (int i = 0; i < 50; ++i) {
    const float value = 1.5F / static_cast<float>(i + 1);
    std::memcpy(wav.data() + 44 + 4 * i, &value, 4);
  }
  const Bytes cut = cut_to_wav(wav, 10, 20, "clip.wav");
  REQUIRE(cut.size() == 44 + 80);
  CHECK(std::memcmp(cut.data() + 44, wav.data() + 44 + 40, 80) == 0);
  const float nan = std::nanf("");
  std::memcpy(wav.data() + 44 + 4 * 30, &nan, 4);
  CHECK(kind_of([&] { (void)probe_audio(wav, "nan.wav"); }) == ErrorKind::mismatch);
}

TEST_CASE("what is no sound, is cut short or has no sample is refused") {
  const Bytes wav = encode_wav16(tone(8000, 1, 500, 440));
  const Bytes flac = encode_flac16(tone(8000, 1, 5000, 440));
  CHECK(probe_audio(wav, "wav").frames == 500);
  CHECK(probe_audio(flac, "flac").container == AudioContainer::flac);
  for (const std::size_t keep : {std::size_t{0}, std::size_t{11}, std::size_t{44}, wav.size() - 1})
    CHECK(kind_of([&] { (void)probe_audio(ByteView(wav).first(keep), "short.wav"); }) == ErrorKind::mismatch);
  CHECK(kind_of([&] { (void)probe_audio(ByteView(flac).first(flac.size() / 2), "short.flac"); }) ==
        ErrorKind::mismatch);
  CHECK(kind_of([&] {
          (void)probe_audio(view_of("not a sound at all, but long enough to be one"), "text");
        }) == ErrorKind::mismatch);
  CHECK(kind_of([&] { (void)probe_audio(encode_wav16({8000, 1, {}}), "empty.wav"); }) == ErrorKind::mismatch);
}

TEST_CASE("a sound that stays in its file is the same sound") {
  const support::Scratch scratch;
  const Waveform wave = tone(8000, 2, 200000, 440);
  for (const Bytes& bytes : {encode_wav16(wave), encode_flac16(wave)}) {
    const std::filesystem::path path = scratch / "sound";
    write_file(path, bytes);
    const File file = open_to_read(path);
    const SoundBytes source(file, path);
    CHECK(source.size() == bytes.size());
    CHECK(probe_audio(source, "sound").frames == 200000);
    CHECK(cut_to_wav(source, 123456, 1000, "sound") == cut_to_wav(bytes, 123456, 1000, "sound"));
    // Cut short while it is open.
    std::filesystem::resize_file(path, bytes.size() / 2);
    CHECK(kind_of([&] { (void)probe_audio(source, "sound"); }) == ErrorKind::mismatch);
  }
}

TEST_CASE("a header that promises hours does not size what is held") {
  Bytes flac = encode_flac16(tone(8000, 1, 5000, 440));
  // RFC 9639, STREAMINFO: 36 bits of samples; here 518,400,000.
  for (const auto& [at, value] : {std::pair{22, 0x1e}, {23, 0xe6}, {24, 0x28}, {25, 0x00}})
    flac[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
  CHECK(kind_of([&] { (void)decode_audio(flac, "hours.flac"); }) == ErrorKind::mismatch);
}

TEST_CASE("a sound of any length lasts as long at another rate") {
  for (const std::size_t frames : {1U, 2U, 441U, 8191U, 8192U, 8193U, 16384U, 24576U, 100000U})
    for (const int rate_hz : {48000, 16000}) {
      const std::vector<float> made = to_mono(tone(44100, 1, frames, 1000), rate_hz);
      const double expected = static_cast<double>(frames) * rate_hz / 44100;
      CAPTURE(frames);
      CHECK(std::abs(static_cast<double>(made.size()) - expected) <= 1);
    }
}

TEST_CASE("resampling keeps a tone that both rates can hold, and averages channels") {
  const Waveform wave = tone(44100, 1, 44100, 1000);
  const std::vector<float> up = to_mono(wave, 48000);
  CHECK(std::abs(static_cast<int>(up.size()) - 48000) <= 1);
  double worst = 0;
  for (std::size_t i = 2000; i + 2000 < up.size(); ++i)
    worst = std::max(worst, std::abs(up[i] - 0.5 * std::sin(2 * std::numbers::pi * 1000 *
                                                            static_cast<double>(i) / 48000)));
  CHECK(worst < 1e-4);
  const std::vector<float> mono = to_mono({8000, 2, {0.5F, -0.5F, 1.0F, 0.0F}}, 8000);
  CHECK(mono == std::vector<float>{0.0F, 0.5F});
}
