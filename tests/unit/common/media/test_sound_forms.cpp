// The forms of sound that are taken, each whole, cut short, and without a length; and those that are not.
#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/media/audio.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/sounds.hpp"

#include <doctest/doctest.h>

using namespace common;
using support::encode_sound;

namespace {

// No whole number of any encoder's frames, and no even number of bytes in 24 bits.
constexpr std::uint64_t k_frames = 50001;

Waveform noise(std::uint64_t frames = k_frames, int channels = 1, int rate_hz = 24000) {
  Waveform wave{rate_hz, channels, {}};
  std::uint32_t state = 7;
  for (std::uint64_t i = 0; i < frames * static_cast<std::uint64_t>(channels); ++i) {
    state = state * 1664525 + 1013904223;
    wave.samples.push_back(static_cast<float>(state >> 8) / 33554432.0F - 0.25F);
  }
  return wave;
}

struct Form {
  std::string name;
  Bytes bytes;
  AudioContainer container = AudioContainer::other;
  std::uint64_t more = 0;  // frames that a lossy encoder may add
};

std::vector<Form> forms() {
  const Waveform wave = noise();
  std::vector<Form> all = {
      {"RIFF", encode_wav16(wave), AudioContainer::wav},
      {"RIFF, 24 bits", encode_sound(wave, SF_FORMAT_WAV | SF_FORMAT_PCM_24), AudioContainer::wav},
      {"RIFF, mu-law", encode_sound(wave, SF_FORMAT_WAV | SF_FORMAT_ULAW), AudioContainer::wav},
      {"RIFF, ADPCM", encode_sound(wave, SF_FORMAT_WAV | SF_FORMAT_MS_ADPCM), AudioContainer::wav, 2000},
      {"WAVE_FORMAT_EXTENSIBLE", encode_sound(wave, SF_FORMAT_WAVEX | SF_FORMAT_FLOAT), AudioContainer::wav},
      {"RIFX", encode_sound(wave, SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG)},
      {"RIFX, float", encode_sound(wave, SF_FORMAT_WAV | SF_FORMAT_FLOAT | SF_ENDIAN_BIG)},
      {"RF64", encode_sound(wave, SF_FORMAT_RF64 | SF_FORMAT_PCM_16)},
      {"RF64, 24 bits", encode_sound(wave, SF_FORMAT_RF64 | SF_FORMAT_PCM_24)},
      {"W64", encode_sound(wave, SF_FORMAT_W64 | SF_FORMAT_PCM_16)},
      {"W64, float", encode_sound(wave, SF_FORMAT_W64 | SF_FORMAT_FLOAT)},
      {"FLAC", encode_flac16(wave), AudioContainer::flac},
      {"FLAC, 24 bits", encode_sound(wave, SF_FORMAT_FLAC | SF_FORMAT_PCM_24), AudioContainer::flac},
      {"Ogg Vorbis", encode_sound(wave, SF_FORMAT_OGG | SF_FORMAT_VORBIS)},
      {"Ogg Opus", encode_sound(wave, SF_FORMAT_OGG | SF_FORMAT_OPUS)},
      {"MP3", support::encode_mp3(wave, support::BitRate::constant), AudioContainer::mp3, 2400},
      {"MP3, VBR", support::encode_mp3(wave, support::BitRate::variable), AudioContainer::mp3, 2400},
      {"MP3 without Xing", support::without_xing(support::encode_mp3(wave, support::BitRate::constant)),
       AudioContainer::mp3, 2400},
      {"MP3, VBR without Xing", support::without_xing(support::encode_mp3(wave, support::BitRate::variable)),
       AudioContainer::mp3, 2400}};
  // A libsndfile without LAME writes no MP3.
  std::erase_if(all, [](const Form& form) { return form.bytes.empty(); });
  return all;
}

std::string refusal(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    CHECK((error.kind() == ErrorKind::mismatch));
    return error.what();
  }
  return "";
}
std::string probed(const Bytes& bytes) {
  return refusal([&] { (void)probe_audio(bytes, "sound"); });
}
using support::holds;

Bytes shortened(const Bytes& bytes, std::size_t keep) {
  return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(keep)};
}
Bytes with(Bytes bytes, std::size_t at, const Bytes& value) {
  std::copy(value.begin(), value.end(), bytes.begin() + static_cast<std::ptrdiff_t>(at));
  return bytes;
}
Bytes number(std::uint64_t value, int count, bool big_endian = false) {
  Bytes made(static_cast<std::size_t>(count));
  store_le(value, count, made.data());
  if (big_endian) std::reverse(made.begin(), made.end());
  return made;
}
Bytes joined(Bytes first, std::string_view text) {
  const ByteView second = view_of(text);
  first.insert(first.end(), second.begin(), second.end());
  return first;
}
Bytes joined(Bytes first, const Bytes& second) { return joined(std::move(first), text_of(second)); }

}  // namespace

TEST_CASE("of every form that is taken all frames are counted and decoded") {
  for (const Form& form : forms()) {
    CAPTURE(form.name);
    const AudioFacts facts = probe_audio(form.bytes, form.name);
    CHECK((facts.container == form.container));
    CHECK(facts.rate_hz == 24000);
    CHECK(facts.frames >= k_frames);
    CHECK(facts.frames <= k_frames + form.more);
    CHECK(decode_audio(form.bytes, form.name).frames() == facts.frames);
    CHECK(cut_to_wav(form.bytes, facts.frames - 1, 1, form.name).size() > 44);
    CHECK(
        holds(refusal([&] { (void)cut_to_wav(form.bytes, facts.frames, 1, form.name); }), "does not decode"));
  }
}

TEST_CASE("no form that was cut short is taken") {
  for (const Form& form : forms()) {
    const std::size_t size = form.bytes.size();
    std::vector<std::size_t> kept = {size - 1,        size - 2, size * 99 / 100,
                                     size * 60 / 100, size / 2, size / 10};
    // Behind an odd number of bytes stands a zero that is no sample.
    if (form.bytes.back() == 0 && size % 2 == 0 && form.container != AudioContainer::mp3) kept[0] = size - 2;
    // Without a stated length an end between two frames is an end.
    if (holds(form.name, "without Xing")) kept = {size - 1, size - 2};
    for (const std::size_t keep : kept) {
      CAPTURE(form.name);
      CAPTURE(keep);
      const std::string said = probed(shortened(form.bytes, keep));
      CAPTURE(said);
      CHECK(holds(said, "truncated"));
    }
  }
}

TEST_CASE("a WAV whose size was never filled in is what follows to the end of the file") {
  const Waveform wave = noise(1001, 2);
  struct Unknown {
    std::string name;
    Bytes bytes;
  };
  std::vector<Unknown> all;
  for (const std::uint64_t size :
       {0xffffffffULL, 0x7ffff000ULL, 0x80000000ULL, 0x7fffffffULL, 0xffffffdbULL, 0ULL}) {
    const std::uint64_t whole = size == 0 ? 0 : std::min<std::uint64_t>(size + 36, 0xffffffff);
    const Bytes riff = encode_wav16(wave);
    all.push_back(
        {"RIFF " + std::to_string(size), with(with(riff, 40, number(size, 4)), 4, number(whole, 4))});
    const Bytes rifx = encode_sound(wave, SF_FORMAT_WAV | SF_FORMAT_PCM_16 | SF_ENDIAN_BIG);
    all.push_back({"RIFX " + std::to_string(size),
                   with(with(rifx, support::find_tag(rifx, "data") + 4, number(size, 4, true)), 4,
                        number(whole, 4, true))});
  }
  all.push_back({"RIFF as it is before its first sample",
                 with(with(encode_wav16(wave), 40, number(0, 4)), 4, number(36, 4))});
  const Bytes rf64 = encode_sound(wave, SF_FORMAT_RF64 | SF_FORMAT_PCM_16);
  const std::size_t ds64 = support::find_tag(rf64, "ds64") + 8;
  all.push_back({"RF64", with(with(rf64, ds64, Bytes(24)), support::find_tag(rf64, "data") + 4,
                              number(0xffffffff, 4))});
  const Bytes w64 = encode_sound(wave, SF_FORMAT_W64 | SF_FORMAT_PCM_16);
  for (const std::uint64_t size : {0x7fffffffffffffffULL, 0xffffffffffffffffULL, 0ULL})
    all.push_back(
        {"W64 " + std::to_string(size),
         with(with(w64, 16, number(size, 8)), support::find_tag(w64, "data") + 16, number(size, 8))});
  for (const Unknown& one : all) {
    CAPTURE(one.name);
    CHECK(probed(one.bytes).empty());
    const AudioFacts facts = probe_audio(one.bytes, one.name);
    CHECK(facts.frames == 1001);
    CHECK((facts.stated_length == StatedLength::unknown_or_wrong));
    CHECK(cut_to_wav(one.bytes, 0, 1001, one.name) == encode_wav16(wave));
    CHECK(holds(probed(shortened(one.bytes, one.bytes.size() - 1)), "truncated"));
  }
  // A size of 0 is no sound where the whole file is as large as it says.
  const Bytes empty = joined(encode_wav16({8000, 1, {}}), std::string_view("LIST\4\0\0\0INFO", 12));
  CHECK(holds(probed(with(empty, 4, number(empty.size() - 8, 4))), "it has no samples"));
  // The zero behind an odd number of bytes is no sample.
  const Bytes wide = encode_sound(noise(1001), SF_FORMAT_WAV | SF_FORMAT_PCM_24);
  const Bytes piped = with(wide, support::find_tag(wide, "data") + 4, number(0x7ffff000, 4));
  CHECK(probe_audio(piped, "24 bits").frames == 1001);
}

TEST_CASE("a FLAC without a length is as long as its frames, and its last frame must be whole") {
  const Waveform wave = noise();
  for (const int bits : {SF_FORMAT_PCM_16, SF_FORMAT_PCM_24}) {
    const Bytes stated = encode_sound(wave, SF_FORMAT_FLAC | bits);
    Bytes flac = stated;
    flac[21] &= 0xf0;
    std::fill_n(flac.begin() + 22, 4, std::uint8_t{0});
    const AudioFacts facts = probe_audio(flac, "piped");
    CHECK(facts.frames == k_frames);
    CHECK((facts.stated_length == StatedLength::unknown_or_wrong));
    CHECK(cut_to_wav(flac, 777, 5000, "piped") == cut_to_wav(stated, 777, 5000, "whole"));
    for (const std::size_t less : {std::size_t{1}, std::size_t{9}, std::size_t{1000}, flac.size() / 2})
      CHECK(holds(probed(shortened(flac, flac.size() - less)), "truncated"));
    CHECK(probe_audio(joined(flac, "TAG" + std::string(125, 'x')), "tagged").frames == k_frames);
  }
}

TEST_CASE("a header that states less than there is is not believed") {
  const Waveform wave = noise();
  Bytes flac = encode_flac16(wave);
  const Bytes half = number(k_frames / 2, 4, true);
  flac = with(flac, 22, half);
  CHECK(probe_audio(flac, "flac").frames == k_frames);
  CHECK((probe_audio(flac, "flac").stated_length == StatedLength::unknown_or_wrong));
  const Bytes mp3 = support::encode_mp3(wave, support::BitRate::variable);
  if (mp3.empty()) {
    MESSAGE("skipped: this libsndfile writes no MP3");
    return;
  }
  const std::size_t tag = support::find_tag(mp3, "Xing");
  CHECK(probe_audio(with(mp3, tag + 8, number(10, 4, true)), "mp3").frames >= k_frames);
  CHECK(probe_audio(with(mp3, tag + 8, number(0, 4, true)), "mp3").frames >= k_frames);
  CHECK(holds(probed(with(mp3, tag + 8, number(1000, 4, true))),
              "truncated: its header declares 1000 MP3 frames"));
  // Two files, one behind the other, are as long as both.
  CHECK(probe_audio(joined(mp3, mp3), "two").frames >= 2 * k_frames);
  const Bytes bare = support::without_xing(mp3);
  CHECK(probe_audio(joined(bare, bare), "two").frames >= 2 * k_frames);
}

TEST_CASE("tags, padding and chunks before and behind the sound are none of it") {
  const Waveform wave = noise();
  const std::string id3("ID3\4\0\0\0\0\2\0", 10), tag = "TAG" + std::string(125, 'x');
  const std::string before = id3 + std::string(256, '\0');
  for (const Form& form : forms()) {
    CAPTURE(form.name);
    const std::uint64_t frames = probe_audio(form.bytes, form.name).frames;
    CHECK(probe_audio(joined(joined(Bytes(), before), form.bytes), form.name).frames == frames);
    CHECK(probe_audio(joined(form.bytes, tag), form.name).frames == frames);
    CHECK(probe_audio(joined(form.bytes, std::string(1000, '\0')), form.name).frames == frames);
  }
  CHECK(probe_audio(joined(encode_wav16(wave), std::string_view("LIST\4\0\0\0INFO", 12)), "list").frames ==
        k_frames);
}

TEST_CASE("an Ogg is taken where every page is there, in order and undamaged, and all of one stream") {
  for (const int codec : {SF_FORMAT_VORBIS, SF_FORMAT_OPUS}) {
    const Bytes ogg = encode_sound(noise(), SF_FORMAT_OGG | codec);
    CHECK(probed(ogg).empty());
    Bytes flipped = ogg;
    flipped[ogg.size() / 2] ^= 1;
    CHECK(holds(probed(flipped), "damaged: the checksum of its Ogg page"));
    std::vector<std::size_t> pages;
    for (std::size_t at = 0; (at = text_of(ogg).find("OggS", at)) != std::string_view::npos; ++at)
      pages.push_back(at);
    REQUIRE(pages.size() >= 4);
    Bytes gap = shortened(ogg, pages[pages.size() - 2]);
    gap.insert(gap.end(), ogg.begin() + static_cast<std::ptrdiff_t>(pages.back()), ogg.end());
    CHECK(holds(probed(gap), "damaged: Ogg pages are missing"));
    CHECK(holds(probed(shortened(ogg, pages.back())), "truncated"));
    CHECK(holds(probed(joined(ogg, ogg)), "several Ogg streams"));
  }
}

TEST_CASE("every other form that libsndfile opens is refused by its name") {
  int majors = 0, refused = 0;
  ::sf_command(nullptr, SFC_GET_FORMAT_MAJOR_COUNT, &majors, sizeof(majors));
  for (int i = 0; i < majors; ++i) {
    SF_FORMAT_INFO info{i, nullptr, nullptr};
    ::sf_command(nullptr, SFC_GET_FORMAT_MAJOR, &info, sizeof(info));
    const int major = info.format & SF_FORMAT_TYPEMASK;
    const std::vector<int> taken = {SF_FORMAT_WAV,  SF_FORMAT_WAVEX, SF_FORMAT_RF64, SF_FORMAT_W64,
                                    SF_FORMAT_FLAC, SF_FORMAT_OGG,   SF_FORMAT_MPEG, SF_FORMAT_RAW};
    if (std::find(taken.begin(), taken.end(), major) != taken.end()) continue;
    for (const int coding : {SF_FORMAT_PCM_16, SF_FORMAT_PCM_S8, SF_FORMAT_ALAW, SF_FORMAT_DPCM_16}) {
      const Bytes bytes = encode_sound(noise(8000, 1, 8000), major | coding);
      if (bytes.empty()) continue;
      const std::string said = probed(bytes);
      CAPTURE(info.name);
      CAPTURE(said);
      CHECK(holds(said, "does not decode as sound: it is "));
      // Without a mark of its own a file may be taken for another form; none is taken for a sound.
      refused += holds(said, std::string("it is ") + info.name) ? 1 : 0;
      break;
    }
  }
  CHECK(refused >= 14);
}

TEST_CASE("an MP3 inside of a WAV is called that, for its length is nobody's") {
  const Bytes wav = encode_wav16(noise());
  CHECK(holds(probed(with(wav, 20, number(0x55, 2))), "it is a WAV that holds MP3 frames"));
}

TEST_CASE("a sample beyond the limit is refused, for mixed channels would be infinite") {
  Waveform wave{8000, 2, std::vector<float>(200, 0.5F)};
  wave.samples[30] = 3e38F;
  CHECK(holds(probed(encode_sound(wave, SF_FORMAT_WAV | SF_FORMAT_FLOAT)), "its sample 30 is so large"));
  wave.samples[30] = 1e36F;
  wave.samples[31] = 1e36F;
  const Waveform back = decode_audio(encode_sound(wave, SF_FORMAT_WAV | SF_FORMAT_FLOAT), "loud");
  for (const float value : to_mono(back, 48000)) CHECK(std::isfinite(value));
}
