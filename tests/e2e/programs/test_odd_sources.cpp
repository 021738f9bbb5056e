// Sources that only look odd, and are packed.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
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

// What looks odd and is a picture all the same.
std::vector<OddPicture> odd_pictures() {
  return {{201, support::png_file(2, 1, 16, support::k_grey, std::string("\x12\x34\xfe\xdc", 4)), ""},
          {202, support::ink_jpeg(8, 8, Bytes(256, 99), JCS_CMYK, support::AdobeMark::written), ""},
          {203, support::ink_jpeg(8, 8, Bytes(256, 99), JCS_YCCK, support::AdobeMark::written), ""}};
}

// The largest resident set of a program that must succeed, in MiB.
long peak_mib(const std::vector<std::string>& arguments, const fs::path& folder) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    if (::chdir(folder.c_str()) == 0 && ::dup2(::open("/dev/null", O_WRONLY), STDOUT_FILENO) >= 0)
      ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage{};
  REQUIRE(::wait4(child, &status, 0, &usage) == child);
  REQUIRE(status == 0);
  return usage.ru_maxrss / 1024;
}

}  // namespace

TEST_CASE(
    "sounds of every form, and those that were written to a pipe, are packed as WAV, and nothing is said") {
  OddSite site;
  const common::Waveform wave = support::tone(80000, 0.7);
  const auto made = [&](int format) { return support::encode_sound(wave, format); };
  Bytes flac = common::encode_flac16(wave);
  flac[21] &= 0xf0;
  std::fill_n(flac.begin() + 22, 4, std::uint8_t{0});
  Bytes mp3 = support::encode_mp3(wave, support::BitRate::variable);
  // mpg123 has much to say of what stands between two frames.
  if (!mp3.empty()) mp3.insert(mp3.end(), 900, std::uint8_t{0xff});
  const std::vector<OddSound> sounds = {
      {"rifx", ".wav", made(SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG), ""},
      {"rf64", ".wav", made(SF_FORMAT_RF64 | SF_FORMAT_PCM_16), ""},
      {"w64", ".wav", made(SF_FORMAT_W64 | SF_FORMAT_PCM_16), ""},
      {"piped", ".wav", with_le(common::encode_wav16(wave), 40, 0xffffffff, 4), ""},
      {"piped_flac", ".flac", flac, ""},
      {"vorbis", ".mp3", made(SF_FORMAT_OGG | SF_FORMAT_VORBIS), ""},
      {"opus", ".wav", made(SF_FORMAT_OGG | SF_FORMAT_OPUS), ""},
      {"mp3", ".mp3", mp3, ""}};
  for (const OddSound& sound : sounds)
    if (!sound.bytes.empty()) site.add(sound);
  const Finished built = site.build();
  CHECK_MESSAGE(built.code == 0, built.err);
  CHECK_MESSAGE(!holds(built.err, "mpg123"), built.err);
  const support::Tree pack = support::tree_of(site.scratch / "E/data_pack");
  for (const OddSound& sound : sounds) {
    if (sound.bytes.empty()) continue;
    CAPTURE(sound.stem);
    const std::string path = "audio/train/" + sound.stem + ".wav";
    REQUIRE(pack.contains(path));
    // 44 bytes, and 16 bits a sample.
    CHECK(pack.at(path).starts_with("RIFF"));
    CHECK(pack.at(path).size() >= 44 + 2 * 80000);
    CHECK(holds(pack.at("pack.json"),
                path + "\", \"role\": \"clip\", \"bytes\": " + std::to_string(pack.at(path).size())));
  }
  // Each is made again from its source.
  for (const OddSound& sound : sounds)
    fs::remove(site.scratch / ("E/data_pack/audio/train/" + sound.stem + ".wav"));
  CHECK(support::run_process(
            {SAFE_BIN "/safe-packer", "repair", "--quiet", "E/data_pack", "--from", "audiocaps"},
            site.scratch.path())
            .code == 0);
  CHECK(support::tree_of(site.scratch / "E/data_pack") == pack);
}

TEST_CASE(
    "an m4a is packed as ffmpeg decodes it, pack.json says so, and without ffmpeg it is called what it is") {
  OddSite site;
  const fs::path sound = site.scratch / "sound.wav";
  support::put(sound, common::encode_wav16(support::tone(80000, 0.7)));
  if (std::system(("command -v ffmpeg > /dev/null && ffmpeg -loglevel error -i " + sound.string() + " " +
                   (site.scratch / "sound.m4a").string())
                      .c_str()) != 0) {
    MESSAGE("skipped: no ffmpeg is installed");
    return;
  }
  site.add(OddSound{"m4a", ".wav", common::read_file(site.scratch / "sound.m4a", 1 << 20), ""});
  const Finished built = site.build();
  CHECK_MESSAGE(built.code == 0, built.err);
  const support::Tree pack = support::tree_of(site.scratch / "E/data_pack");
  REQUIRE(pack.contains("audio/train/m4a.wav"));
  CHECK(pack.at("audio/train/m4a.wav").size() >= 44 + 2 * 80000);
  CHECK(holds(pack.at("pack.json"), "\"decoder\": \"ffmpeg\""));
  CHECK(holds(pack.at("pack.json"), "\"format_version\": 2"));
  fs::remove(site.scratch / "E/data_pack/audio/train/m4a.wav");
  CHECK(support::run_process(
            {SAFE_BIN "/safe-packer", "repair", "--quiet", "E/data_pack", "--from", "audiocaps"},
            site.scratch.path())
            .code == 0);
  CHECK(support::tree_of(site.scratch / "E/data_pack") == pack);

  std::vector<std::string> without = {"/usr/bin/env", "PATH=/nowhere"};
  for (const std::string& word : site.build_arguments()) without.push_back(word);
  const Finished refused = support::run_process(without, site.scratch.path());
  CHECK(refused.code == 1);
  CHECK_MESSAGE(
      holds(refused.err,
            "it is MP4 (m4a, mov, 3gp), which ffmpeg decodes, and no ffmpeg is installed; install it"),
      refused.err);
}

TEST_CASE("pictures in four inks and of 16 bits are packed as they are") {
  OddSite site;
  for (const OddPicture& picture : odd_pictures()) site.add(picture);
  const Finished built = site.build();
  CHECK_MESSAGE(built.code == 0, built.err);
  for (const OddPicture& picture : odd_pictures())
    CHECK(support::get(site.scratch / ("E/data_pack/images/" + support::image_name(picture.image_id))) ==
          common::text_of(picture.bytes));
}

TEST_CASE("what sources are is said, or guessed and said, and a recipe needs no guess") {
  OddSite site;
  site.clips = {support::clip_entry(1, "train")};
  for (const char* stem : {"pre_cut", "silent", "twin"})
    site.add(OddSound{stem, ".wav", common::encode_wav16(support::tone(100000, 0.7)), ""});
  for (manifest::ClipEntry& clip : site.clips) clip.start_time_s = 10;
  support::put(site.scratch / "audiocaps/audio/train/silent.wav",
               common::encode_wav16({8000, 1, std::vector<float>(80000)}));
  const auto size_of = [&](const std::string& stem) {
    return fs::file_size(site.scratch / ("E/data_pack/audio/train/" + stem + ".wav"));
  };
  const Finished guessed = site.build();
  CHECK_MESSAGE(guessed.code == 0, guessed.err);
  CHECK(size_of("pre_cut") == 44 + 2 * 20000);
  CHECK(holds(guessed.err, "remark: 4 clips are shorter than 10 s: audio/train/pre_cut.wav (2.5 s), "));
  CHECK(holds(guessed.err, "remark: 1 clip is silent (all samples are equal): audio/train/silent.wav\n"));
  CHECK(holds(guessed.err, "audio/train/pre_cut.wav = audio/train/twin.wav\n"));
  CHECK(holds(guessed.err, "remark: 2 sources were each guessed to be a clip or a full video "));
  const auto show = [&] {
    return support::run_process({SAFE_BIN "/safe-packer", "show", "E/data_pack"}, site.scratch.path()).out;
  };
  CHECK(holds(show(), "4 clips are shorter than 10 s: audio/train/pre_cut.wav (2.5 s), "));
  CHECK(holds(show(), "1 clip is silent (all samples are equal): audio/train/silent.wav\n"));
  CHECK(holds(show(), "2 clips are each cut at start_time, because of the length of its source: "));

  const Finished clips = site.build("--sources=clips");
  CHECK_MESSAGE(clips.code == 0, clips.err);
  CHECK(size_of("pre_cut") == 44 + 2 * 80000);
  CHECK_FALSE(holds(clips.err, "guessed"));
  const support::Tree pack = support::tree_of(site.scratch / "E/data_pack");
  // The recipe says which frames of a source the clip has.
  CHECK(support::run_process(
            {SAFE_BIN "/safe-packer", "export", "E/data_pack", "--format", "recipe", "-o", "recipe"},
            site.scratch.path())
            .code == 0);
  const Finished again =
      support::run_process({SAFE_BIN "/safe-packer", "build", "--quiet", "--from-recipe", "recipe",
                            "--source-root", "audiocaps", "--dest-root", "again/data_pack"},
                           site.scratch.path());
  CHECK_MESSAGE(again.code == 0, again.err);
  CHECK(support::tree_of(site.scratch / "again/data_pack") == pack);
}

TEST_CASE("a clip is cut out of three hours of video in the memory of a block") {
  constexpr std::uint64_t k_rate_hz = 8000, k_hours = 3, k_start_s = 7200;
  OddSite site;
  site.clips = {support::clip_entry(1, "train")};
  site.clips[0].start_time_s = k_start_s;
  // 8 bits, mono; zeros but for the clip, so that it takes no room on the disk.
  const std::uint64_t frames = k_rate_hz * 3600 * k_hours;
  Bytes head = common::encode_wav16({k_rate_hz, 1, {}});
  head = with_le(with_le(with_le(with_le(head, 28, k_rate_hz, 4), 32, 1, 2), 34, 8, 2), 40, frames, 4);
  const fs::path video = site.scratch / "audiocaps/audio/train/video_1.wav";
  support::put(video, head);
  std::string clip;
  for (std::uint64_t i = 0; i < 10 * k_rate_hz; ++i) clip += static_cast<char>(i % 251);
  fs::resize_file(video, 44 + k_start_s * k_rate_hz);
  std::ofstream(video, std::ios::binary | std::ios::app) << clip;
  fs::resize_file(video, 44 + frames);

  const long mib = peak_mib(site.build_arguments(), site.scratch.path());
  CHECK(mib < 40);
  const std::string made = support::get(site.scratch / "E/data_pack/audio/train/video_1.wav");
  REQUIRE(made.size() == 44 + clip.size());
  CHECK(made.substr(44) == clip);

  // What is lost is cut again, in no more.
  fs::remove(site.scratch / "E/data_pack/audio/train/video_1.wav");
  CHECK(peak_mib({SAFE_BIN "/safe-packer", "repair", "--quiet", "E/data_pack", "--from", "audiocaps"},
                 site.scratch.path()) < 40);
  CHECK(support::get(site.scratch / "E/data_pack/audio/train/video_1.wav") == made);
  MESSAGE("three hours of sound: ", mib, " MiB");
}
