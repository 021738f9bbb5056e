#include <cmath>
#include <numbers>

#include "common/error.hpp"
#include "trainer/data/pixels.hpp"
#include "trainer/model/log_mel.hpp"
#include "trainer/model/tensor.hpp"

#include <doctest/doctest.h>

using trainer::LogMel;
using trainer::LogMelConfig;

namespace {

LogMelConfig small_config() {
  LogMelConfig c;
  c.rate_hz = 8000;
  c.clip_samples = 8000;
  c.fft_samples = 256;
  c.hop_samples = 80;
  c.mel_bins = 16;
  c.lowest_hz = 50;
  c.highest_hz = 4000;
  return c;
}

std::vector<float> tone(double hz, std::size_t count) {
  std::vector<float> wave(count);
  for (std::size_t i = 0; i < count; ++i)
    wave[i] = static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / 8000));
  return wave;
}

common::Picture plain(int width, int height, std::uint8_t level) {
  return {width, height, std::vector<std::uint8_t>(static_cast<std::size_t>(width * height * 3), level)};
}

}  // namespace

TEST_CASE("a spectrogram has one frame per hop and one more, and silence is the floor of -100 dB") {
  const LogMel log_mel(small_config());
  const auto silence = log_mel.compute(std::vector<float>(8000, 0.0F));
  CHECK(silence.sizes() == std::vector<std::int64_t>{1, 101, 16});
  CHECK(silence.eq(-100).all().item<bool>());
}

TEST_CASE(
    "a tone is loudest in the bin whose triangle holds its frequency, and twice the amplitude is 6.02 dB "
    "more") {
  const LogMel log_mel(small_config());
  const auto low = log_mel.compute(tone(300, 8000)), high = log_mel.compute(tone(3000, 8000));
  const auto loudest = [](const torch::Tensor& mel) { return mel[0][50].argmax().item<std::int64_t>(); };
  CHECK(loudest(low) < loudest(high));
  auto louder = tone(300, 8000);
  for (auto& sample : louder) sample *= 2;
  const auto difference = (log_mel.compute(louder) - low)[0][50][loudest(low)].item<double>();
  CHECK(difference == doctest::Approx(20 * std::log10(2.0)).epsilon(1e-4));
}

TEST_CASE(
    "with fusion a short clip is four times the same, and a long one its whole and a piece of each third") {
  auto config = small_config();
  config.truncation = trainer::ClipTruncation::fusion;
  const LogMel log_mel(config);
  const auto short_clip = log_mel.compute(tone(300, 3000));
  REQUIRE(short_clip.sizes() == std::vector<std::int64_t>{4, 101, 16});
  for (std::int64_t i = 1; i < 4; ++i) CHECK(short_clip[i].equal(short_clip[0]));
  // Loud in its second second of three: the pieces that begin at 0 s, .67 s and 1.34 s hear more and more of
  // it.
  std::vector<float> wave(24000, 0.0F);
  const auto loud = tone(300, 8000);
  std::copy(loud.begin(), loud.end(), wave.begin() + 8000);
  const auto long_clip = log_mel.compute(wave);
  REQUIRE(long_clip.sizes() == short_clip.sizes());
  const auto loud_frames = [](const torch::Tensor& mel) {
    return (mel.amax(-1) > -20).sum().item<std::int64_t>();
  };
  CHECK(loud_frames(long_clip[0]) == doctest::Approx(101.0 / 3).epsilon(0.1));
  CHECK(loud_frames(long_clip[1]) <= 2);
  CHECK(loud_frames(long_clip[2]) == doctest::Approx(67).epsilon(0.1));
  CHECK(loud_frames(long_clip[3]) == doctest::Approx(67).epsilon(0.1));
  CHECK(log_mel.compute(wave).equal(long_clip));
  wave.resize(8080);  // 102 frames, two pieces for three places
  CHECK(log_mel.compute(wave).sizes() == short_clip.sizes());
  wave.resize(8040);  // longer than a clip by less than a hop
  const auto barely = log_mel.compute(wave);
  CHECK(barely[3].equal(barely[0]));
}

TEST_CASE("a long clip is its first seconds, and a short one is repeated whole and then padded with zeros") {
  auto config = small_config();
  const LogMel repeat_pad(config);
  auto wave = tone(440, 8000);
  auto longer = wave;
  longer.resize(20000, 0.3F);
  CHECK(repeat_pad.compute(longer).equal(repeat_pad.compute(wave)));
  const std::vector<float> part(wave.begin(), wave.begin() + 3000);
  std::vector<float> twice(part);
  twice.insert(twice.end(), part.begin(), part.end());
  std::vector<float> twice_padded(twice);
  twice_padded.resize(8000, 0.0F);
  CHECK(repeat_pad.compute(part).equal(repeat_pad.compute(twice_padded)));
  auto thrice = twice;
  thrice.insert(thrice.end(), part.begin(), part.begin() + 2000);
  config.padding = trainer::ClipPadding::repeat;
  CHECK(LogMel(config).compute(part).equal(repeat_pad.compute(thrice)));
  config.padding = trainer::ClipPadding::zeros;
  auto padded = part;
  padded.resize(8000, 0.0F);
  CHECK(LogMel(config).compute(part).equal(repeat_pad.compute(padded)));
}

TEST_CASE(
    "preprocessor_config.json survives writing and reading, and fusion is the default as in transformers") {
  const auto config = small_config();
  const auto back = trainer::parse_log_mel_config(trainer::format_log_mel_config(config), "x");
  CHECK(trainer::format_log_mel_config(back) == trainer::format_log_mel_config(config));
  CHECK(trainer::parse_log_mel_config(common::parse_json("{}", "x"), "x").truncation ==
        trainer::ClipTruncation::fusion);
  trainer::PixelsConfig pixels;
  pixels.resize_side = 30;
  pixels.crop_side = 28;
  const auto same = trainer::parse_pixels_config(trainer::format_pixels_config(pixels), "x");
  CHECK(trainer::format_pixels_config(same) == trainer::format_pixels_config(pixels));
}

TEST_CASE("preprocessing steps that are switched off or of another kind are refused") {
  for (const auto* text : {R"({"do_resize":false})", R"({"resample":2})", R"({"crop_size":300,"size":224})",
                           R"({"size":{"height":224,"width":224}})", R"({"image_mean":[0.5]})"})
    CHECK_THROWS_AS((void)trainer::parse_pixels_config(common::parse_json(text, "x"), "x"), common::Error);
}

TEST_CASE("resizing keeps a plain picture plain and a picture of the right size untouched") {
  const auto resized = trainer::resize_bicubic(plain(37, 23, 200), 11, 50);
  CHECK(resized.width == 11);
  CHECK(resized.height == 50);
  CHECK(resized.pixels == plain(11, 50, 200).pixels);
  auto ramp = plain(8, 8, 0);
  for (std::size_t i = 0; i < ramp.pixels.size(); ++i) ramp.pixels[i] = static_cast<std::uint8_t>(i);
  CHECK(trainer::resize_bicubic(ramp, 8, 8).pixels == ramp.pixels);
}

TEST_CASE("cropping cuts the middle, padding keeps everything on the mean colour") {
  trainer::PixelsConfig config;
  config.resize_side = config.crop_side = 4;
  auto wide = plain(12, 4, 0);  // black, white, black thirds
  for (std::size_t row = 0; row < 4; ++row)
    for (std::size_t i = 12; i < 24; ++i) wide.pixels[row * 36 + i] = 255;
  const auto cropped = trainer::pixels_of(wide, config);
  CHECK(cropped.sizes() == std::vector<std::int64_t>{3, 4, 4});
  CHECK(cropped[0].allclose(torch::full({4, 4}, (1 - config.mean[0]) / config.deviation[0]), 1e-5, 1e-5));
  config.aspect = trainer::Aspect::pad;
  config.resize_side = config.crop_side = 12;
  const auto padded = trainer::pixels_of(wide, config);
  CHECK(padded[0][0].abs().max().item<double>() < 0.02);  // 122 is the mean, but for rounding
  CHECK(padded[0][5][0].item<double>() ==
        doctest::Approx(-config.mean[0] / config.deviation[0]).epsilon(1e-5));
}
