// Sources as people have them: each fault with a sentence of its own that names the file, says what is wrong
// and what to do; nothing is left behind.
#include <algorithm>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "tests/support/holds.hpp"
#include "tests/support/odd_sources.hpp"
#include "tests/support/pictures.hpp"
#include "tests/support/sounds.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using common::Bytes;
using support::Finished;
using support::OddPicture;
using support::OddSite;
using support::OddSound;
using support::with_le;

using support::holds;

Bytes first_bytes(Bytes bytes, std::size_t keep) {
  bytes.resize(keep);
  return bytes;
}
// 32-bit float samples behind a header of ours.
Bytes float_wav(const std::vector<float>& samples) {
  Bytes wav = common::encode_wav16({8000, 1, std::vector<float>(2 * samples.size())});
  wav = with_le(with_le(with_le(std::move(wav), 20, 3, 2), 32, 4, 2), 34, 32, 2);
  std::memcpy(wav.data() + 44, samples.data(), 4 * samples.size());
  return wav;
}

// RFC 9639, STREAMINFO: the last 36 of its bits before the MD5 are the number of samples.
Bytes endless_flac() {
  Bytes flac = common::encode_flac16(support::tone(8000, 0.7));
  flac[21] |= 0x0f;
  std::fill_n(flac.begin() + 22, 4, std::uint8_t{0xff});
  return flac;
}

// A JPEG whose frame header (ITU-T T.81, B.2.2) says something else: bits, and height and width.
Bytes with_frame(int bits, int side) {
  Bytes jpeg = support::picture(7);
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) {
      jpeg[i + 4] = static_cast<std::uint8_t>(bits);
      for (const std::size_t at : {i + 5, i + 7}) {
        jpeg[at] = static_cast<std::uint8_t>(side >> 8);
        jpeg[at + 1] = static_cast<std::uint8_t>(side & 0xff);
      }
      break;
    }
  return jpeg;
}

std::vector<OddSound> bad_sounds() {
  const Bytes wav = common::encode_wav16(support::tone(8000, 0.7));
  const Bytes flac = common::encode_flac16(support::tone(80000, 0.7));
  const Bytes rf64 = support::encode_sound(support::tone(8000, 0.7), SF_FORMAT_RF64 | SF_FORMAT_PCM_16);
  std::vector<float> odd(100, 0.5F);
  odd[30] = std::numeric_limits<float>::quiet_NaN();
  const Bytes nan = float_wav(odd);
  odd[30] = -std::numeric_limits<float>::infinity();
  const Bytes infinite = float_wav(odd);
  return {{"empty", ".wav", {}, "it is empty"},
          {"zero_seconds", ".wav", common::encode_wav16({8000, 1, {}}), "it has no samples"},
          {"flac_cut_short", ".flac", first_bytes(flac, flac.size() / 2),
           "truncated: its header declares 80000 frames, the file has 36864"},
          {"wav_cut_short", ".wav", first_bytes(wav, 1044),
           "truncated: its header declares 16000 bytes of samples, the file has 1000"},
          {"rf64_cut_short", ".wav", first_bytes(rf64, 1104),
           "truncated: its header declares 16000 bytes of samples, the file has 1000"},
          {"aiff", ".wav", support::encode_sound(support::tone(8000, 0.7), SF_FORMAT_AIFF | SF_FORMAT_PCM_16),
           "it is AIFF (Apple/SGI), and WAV, FLAC, MP3, Ogg Vorbis and Ogg Opus are supported"},
          {"no_rate", ".wav", with_le(wav, 24, 0, 4), "its header gives 0 Hz and 1 channels"},
          {"two_gigahertz", ".wav", with_le(wav, 24, 2'000'000'000, 4), "has a sample rate of 2000000000 Hz"},
          {"no_channel", ".wav", with_le(wav, 22, 0, 2), "its header gives 8000 Hz and 0 channels"},
          {"many_channels", ".wav", with_le(wav, 22, 1000, 2), "its header gives 8000 Hz and 1000 channels"},
          {"wide_frames", ".wav", with_le(wav, 32, 3, 2), "has 8000 frames, its header declares 5333"},
          {"no_data_chunk", ".wav", with_le(wav, 36, 0x58585858, 4), "it has no data chunk"},
          {"endless", ".flac", endless_flac(),
           "its header declares 68719476735 frames of 1 channels, more than the limit of 1036800000 samples"},
          {"nan", ".wav", nan, "its sample 30 is NaN, not a number"},
          {"infinite", ".wav", infinite, "its sample 30 is infinite"},
          {"one_frame", ".wav", common::encode_wav16({8000, 1, {0.5F}}),
           "has 1 frames at 8000 Hz, which is less than a millisecond"},
          {"loud", ".wav", float_wav(std::vector<float>(8000, 3e38F)),
           "its sample 0 is so large that mixed channels are infinite"},
          {"web_page", ".wav", Bytes(300, '<'),
           "it is not a WAV, FLAC, MP3, Ogg Vorbis or Ogg Opus file, or its header is damaged"},
          {"too_short", ".wav", common::encode_wav16(support::tone(8000 * 12, 0.7)),
           "lasts 12.0 s, too short for a clip that begins at 30 s"}};
}

std::vector<OddPicture> bad_pictures() {
  const Bytes jpeg = support::picture(7);
  Bytes png = support::png_file(8, 8, 8, support::k_grey, std::string(64, 'x'));
  for (const std::size_t at : {std::size_t{17}, std::size_t{21}}) png[at] = 0x0d;  // 13 * 65536 + 8, each
  return {{101, {}, "is empty, not a picture; download it again"},
          {102, Bytes(300, '<'), "is a text, not a picture; download it again"},
          {103, first_bytes(jpeg, jpeg.size() - 10), "it is truncated"},
          {104, with_frame(8, 65535),
           "its header declares 65535 x 65535 pixels, more than the limit of 67108864"},
          {105, png, "its header declares 851976 x 851976 pixels, more than the limit of 67108864"},
          {106, with_frame(12, 8), "Unsupported JPEG data precision 12"}};
}

// The line of `text` that names `file`.
std::string line_about(const std::string& text, const std::string& file) {
  const std::size_t at = text.find(file);
  if (at == std::string::npos) return "nothing about " + file + " in: " + text;
  const std::size_t begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
}

}  // namespace

TEST_CASE("every source that cannot be used is listed with a sentence of its own, and nothing is left") {
  OddSite site;
  const auto sounds = bad_sounds();
  const auto pictures = bad_pictures();
  for (const OddSound& sound : sounds) site.add(sound);
  for (const OddPicture& picture : pictures) site.add(picture);
  const Finished refused = site.build();
  CHECK(refused.code == 1);
  CHECK(refused.out.empty());
  CHECK(refused.err.starts_with("safe-packer: " + std::to_string(sounds.size() + pictures.size()) +
                                " source files cannot be used:\n"));
  const auto check = [&](const std::string& file, const std::string& said) {
    const std::string line = line_about(refused.err, file);
    CHECK_MESSAGE(holds(line, said), line);
    CHECK_MESSAGE(line.ends_with("the manifest"), line);
  };
  for (const OddSound& sound : sounds) check("/" + sound.stem + sound.suffix, sound.said);
  for (const OddPicture& picture : pictures) check(support::image_name(picture.image_id), picture.said);
  CHECK(refused.err.ends_with("or pack without them with --allow-missing\n"));
  CHECK(site.written() == std::vector<std::string>{"audio_val_manifest.json", "retention_manifest.json",
                                                   "subset_manifest.json", "val_manifest.json"});

  const Finished without = site.build("--allow-missing");
  CHECK(without.code == 0);
  CHECK(holds(without.err, "missing: subset_manifest nan (audio/train/nan.wav): the source does not decode"));
  CHECK(holds(without.err,
              "missing: subset_manifest too_short (audio/train/too_short.wav): the source ends "
              "before the clip begins"));
  CHECK(
      support::run_process({SAFE_BIN "/safe-packer", "verify", "--quiet", "E/data_pack"}, site.scratch.path())
          .code == 0);
  const support::Tree pack = support::tree_of(site.scratch / "E/data_pack");
  CHECK(pack.contains("audio/train/video_1.wav"));
  for (const OddSound& sound : sounds) CHECK_FALSE(pack.contains("audio/train/" + sound.stem + sound.suffix));
  for (const OddPicture& picture : pictures)
    CHECK_FALSE(pack.contains("images/" + support::image_name(picture.image_id)));
}

TEST_CASE("a question whose picture is not there is listed, with where it was looked for") {
  OddSite site;
  site.questions.push_back(support::question(50, 50));
  const Finished refused = site.build();
  CHECK(refused.code == 1);
  CHECK(
      refused.err.starts_with("safe-packer: 1 source file is missing:\n  " + support::image_name(50) + "\n"));
  CHECK(holds(refused.err, "or pack without them with --allow-missing"));
  CHECK(site.written().size() == 4);
}
