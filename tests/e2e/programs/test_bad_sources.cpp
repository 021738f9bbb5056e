// Sources as people have them: each fault with a sentence of its own that names the file, says what is wrong
// and what to do; nothing is left behind. And what only looks odd, and is packed.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "manifest/format/write.hpp"
#include "tests/support/pictures.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/sounds.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using common::Bytes;
using support::Finished;

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A sound that cannot be used, and what is said of it.
struct BadSound {
  std::string stem, suffix;
  Bytes bytes;
  std::string said;
};
struct BadPicture {
  int image_id = 0;
  Bytes bytes;
  std::string said;
};

Bytes first_bytes(Bytes bytes, std::size_t keep) {
  bytes.resize(keep);
  return bytes;
}
Bytes with_le(Bytes bytes, std::size_t at, std::uint64_t value, int count) {
  common::store_le(value, count, bytes.data() + at);
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

std::vector<BadSound> bad_sounds() {
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

std::vector<BadPicture> bad_pictures() {
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

// What looks odd and is a picture all the same.
std::vector<BadPicture> odd_pictures() {
  return {{201, support::png_file(2, 1, 16, support::k_grey, std::string("\x12\x34\xfe\xdc", 4)), ""},
          {202, support::ink_jpeg(8, 8, Bytes(256, 99), JCS_CMYK, support::AdobeMark::written), ""},
          {203, support::ink_jpeg(8, 8, Bytes(256, 99), JCS_YCCK, support::AdobeMark::written), ""}};
}

// Sources of a small pack, and how it is built.
struct Site {
  support::Scratch scratch;
  std::vector<manifest::ClipEntry> clips = {support::clip_entry(1, "train"), support::clip_entry(2, "train")};
  std::vector<manifest::QuestionEntry> questions = {support::question(10, 1)};

  Site() { (void)support::small_sources(scratch.path()); }

  void add(const BadSound& sound) {
    clips.push_back(support::clip_entry(100 + static_cast<int>(clips.size()), "train"));
    clips.back().clip_id = sound.stem;
    clips.back().audio_relpath = "audio/train/" + sound.stem + ".wav";
    support::put(scratch / ("audiocaps/audio/train/" + sound.stem + sound.suffix), sound.bytes);
  }
  void add(const BadPicture& picture) {
    questions.push_back(support::question(1000 + picture.image_id, picture.image_id));
    support::put(scratch / ("vqa/images/val2014/" + support::image_name(picture.image_id)), picture.bytes);
  }
  [[nodiscard]] std::vector<std::string> build_arguments(const std::string& more = "--quiet") const {
    support::put(scratch / "E/subset_manifest.json",
                 manifest::write_subset(support::subset_of("train", clips)));
    support::put(scratch / "E/val_manifest.json",
                 manifest::write_vqa(support::vqa_of("small_val", questions)));
    return {SAFE_BIN "/safe-packer",
            "build",
            "--manifest",
            "E/subset_manifest.json",
            "--val-manifest",
            "E/val_manifest.json",
            "--source-root",
            "audiocaps",
            "--dest-root",
            "E/data_pack",
            more};
  }
  [[nodiscard]] Finished build(const std::string& more = "--quiet") const {
    return support::run_process(build_arguments(more), scratch.path());
  }
  // The names in the pack's folder, with what is hidden.
  [[nodiscard]] std::vector<std::string> written() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(scratch / "E")) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
};

// The line of `text` that names `file`.
std::string line_about(const std::string& text, const std::string& file) {
  const std::size_t at = text.find(file);
  if (at == std::string::npos) return "nothing about " + file + " in: " + text;
  const std::size_t begin = text.rfind('\n', at) + 1;
  return text.substr(begin, text.find('\n', at) - begin);
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

TEST_CASE("every source that cannot be used is listed with a sentence of its own, and nothing is left") {
  Site site;
  const auto sounds = bad_sounds();
  const auto pictures = bad_pictures();
  for (const BadSound& sound : sounds) site.add(sound);
  for (const BadPicture& picture : pictures) site.add(picture);
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
  for (const BadSound& sound : sounds) check("/" + sound.stem + sound.suffix, sound.said);
  for (const BadPicture& picture : pictures) check(support::image_name(picture.image_id), picture.said);
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
  for (const BadSound& sound : sounds) CHECK_FALSE(pack.contains("audio/train/" + sound.stem + sound.suffix));
  for (const BadPicture& picture : pictures)
    CHECK_FALSE(pack.contains("images/" + support::image_name(picture.image_id)));
}

TEST_CASE(
    "sounds of every form, and those that were written to a pipe, are packed as WAV, and nothing is said") {
  Site site;
  const common::Waveform wave = support::tone(80000, 0.7);
  const auto made = [&](int format) { return support::encode_sound(wave, format); };
  Bytes flac = common::encode_flac16(wave);
  flac[21] &= 0xf0;
  std::fill_n(flac.begin() + 22, 4, std::uint8_t{0});
  Bytes mp3 = support::encode_mp3(wave, support::BitRate::variable);
  // mpg123 has much to say of what stands between two frames.
  if (!mp3.empty()) mp3.insert(mp3.end(), 900, std::uint8_t{0xff});
  const std::vector<BadSound> sounds = {
      {"rifx", ".wav", made(SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG), ""},
      {"rf64", ".wav", made(SF_FORMAT_RF64 | SF_FORMAT_PCM_16), ""},
      {"w64", ".wav", made(SF_FORMAT_W64 | SF_FORMAT_PCM_16), ""},
      {"piped", ".wav", with_le(common::encode_wav16(wave), 40, 0xffffffff, 4), ""},
      {"piped_flac", ".flac", flac, ""},
      {"vorbis", ".mp3", made(SF_FORMAT_OGG | SF_FORMAT_VORBIS), ""},
      {"opus", ".wav", made(SF_FORMAT_OGG | SF_FORMAT_OPUS), ""},
      {"mp3", ".mp3", mp3, ""}};
  for (const BadSound& sound : sounds)
    if (!sound.bytes.empty()) site.add(sound);
  const Finished built = site.build();
  CHECK_MESSAGE(built.code == 0, built.err);
  CHECK_MESSAGE(!holds(built.err, "mpg123"), built.err);
  const support::Tree pack = support::tree_of(site.scratch / "E/data_pack");
  for (const BadSound& sound : sounds) {
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
  for (const BadSound& sound : sounds)
    fs::remove(site.scratch / ("E/data_pack/audio/train/" + sound.stem + ".wav"));
  CHECK(support::run_process(
            {SAFE_BIN "/safe-packer", "repair", "--quiet", "E/data_pack", "--from", "audiocaps"},
            site.scratch.path())
            .code == 0);
  CHECK(support::tree_of(site.scratch / "E/data_pack") == pack);
}

TEST_CASE(
    "an m4a is packed as ffmpeg decodes it, pack.json says so, and without ffmpeg it is called what it is") {
  Site site;
  const fs::path sound = site.scratch / "sound.wav";
  support::put(sound, common::encode_wav16(support::tone(80000, 0.7)));
  if (std::system(("command -v ffmpeg > /dev/null && ffmpeg -loglevel error -i " + sound.string() + " " +
                   (site.scratch / "sound.m4a").string())
                      .c_str()) != 0) {
    MESSAGE("skipped: no ffmpeg is installed");
    return;
  }
  site.add(BadSound{"m4a", ".wav", common::read_file(site.scratch / "sound.m4a", 1 << 20), ""});
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
  Site site;
  for (const BadPicture& picture : odd_pictures()) site.add(picture);
  const Finished built = site.build();
  CHECK_MESSAGE(built.code == 0, built.err);
  for (const BadPicture& picture : odd_pictures())
    CHECK(support::get(site.scratch / ("E/data_pack/images/" + support::image_name(picture.image_id))) ==
          common::text_of(picture.bytes));
}

TEST_CASE("what sources are is said, or guessed and said, and a recipe needs no guess") {
  Site site;
  site.clips = {support::clip_entry(1, "train")};
  for (const char* stem : {"pre_cut", "silent", "twin"})
    site.add(BadSound{stem, ".wav", common::encode_wav16(support::tone(100000, 0.7)), ""});
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
  Site site;
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

TEST_CASE("a question whose picture is not there is listed, with where it was looked for") {
  Site site;
  site.questions.push_back(support::question(50, 50));
  const Finished refused = site.build();
  CHECK(refused.code == 1);
  CHECK(
      refused.err.starts_with("safe-packer: 1 source file is missing:\n  " + support::image_name(50) + "\n"));
  CHECK(holds(refused.err, "or pack without them with --allow-missing"));
  CHECK(site.written().size() == 4);
}
