// Captions say what can be heard, and what can be heard is what they say.
#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "common/random.hpp"
#include "packer/synthesize/caption.hpp"
#include "packer/synthesize/sound.hpp"

#include <doctest/doctest.h>

namespace {

using namespace packer;
using common::Random;

using Words = std::vector<std::string>;

Words split(const std::string& text) {
  std::istringstream stream(text);
  Words words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

bool take(Words& words, const std::string& phrase) {
  const Words wanted = split(phrase);
  const auto at = std::search(words.begin(), words.end(), wanted.begin(), wanted.end());
  if (at == words.end()) return false;
  words.erase(at, at + static_cast<std::ptrdiff_t>(wanted.size()));
  return true;
}

bool take_any(Words& words, const std::vector<std::string>& phrases) {
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](const std::string& phrase) { return take(words, phrase); });
}

// The reader of captions: written from the words alone, it shares no table with the writer.
SoundEvent read_clause(Words words) {
  static const std::map<std::string, SoundKind> k_kinds{
      {"bell", SoundKind::bell},   {"whistle", SoundKind::whistle}, {"drum", SoundKind::drum},
      {"dog", SoundKind::dog},     {"bird", SoundKind::bird},       {"horn", SoundKind::horn},
      {"alarm", SoundKind::alarm}, {"hammer", SoundKind::hammer},   {"cat", SoundKind::cat},
      {"frog", SoundKind::frog},   {"siren", SoundKind::siren},     {"engine", SoundKind::engine},
      {"clock", SoundKind::clock}, {"saw", SoundKind::saw}};
  SoundEvent event;
  REQUIRE(words.size() >= 3);
  CHECK(words[0] == (std::string("aeiou").find(words[1].front()) == std::string::npos ? "a" : "an"));
  if (take(words, "once")) event.repeats = 1;
  if (take(words, "twice")) event.repeats = 2;
  if (take(words, "three times")) event.repeats = 3;
  take_any(words, {"many times", "steadily"});
  if (take_any(words, {"loudly", "loud"})) event.loudness = Loudness::loud;
  if (take_any(words, {"softly", "soft"})) event.loudness = Loudness::soft;
  if (take(words, "low")) event.pitch = Pitch::low;
  if (take(words, "high")) event.pitch = Pitch::high;
  // What is left is an article, a noun and a verb.
  REQUIRE(words.size() == 3);
  REQUIRE(k_kinds.count(words[1]) == 1);
  event.kind = k_kinds.at(words[1]);
  return event;
}

SoundScene read_caption(const std::string& caption) {
  Words words = split(caption);
  SoundScene scene;
  take(words, "in a quiet room");
  if (take_any(words, {"in the rain", "in rain"})) scene.background = Background::rain;
  if (take_any(words, {"in the wind", "in wind"})) scene.background = Background::wind;
  if (take_any(words, {"over a hum", "near a fan"})) scene.background = Background::hum;
  if (take_any(words, {"by a stream", "near a stream"})) scene.background = Background::stream;
  const std::set<std::string> links{"then", "before", "after", "while", "as"};
  const auto link =
      std::find_if(words.begin(), words.end(), [&](const auto& word) { return links.count(word) != 0; });
  if (link == words.end()) {
    scene.first = read_clause(words);
    return scene;
  }
  Words first(words.begin(), link);
  if (first.back() == "and") first.pop_back();
  scene.first = read_clause(first);
  scene.second = read_clause(Words(link + 1, words.end()));
  scene.relation = *link == "while" || *link == "as" ? Relation::meanwhile : Relation::then;
  const bool is_turned =
      *link == "after" || (scene.relation == Relation::meanwhile && scene.second->kind < scene.first.kind);
  if (is_turned) std::swap(scene.first, *scene.second);
  return scene;
}

SoundScene scene_of(SoundEvent event) { return {event, std::nullopt, Relation::alone, Background::quiet}; }

std::vector<float> hear(const SoundScene& scene, const SoundForm& form = {}) {
  Random random(11);
  return render_sound(scene, form, random).samples;
}

double level_of(const std::vector<float>& samples) {
  double sum = 0;
  for (const float sample : samples) sum += static_cast<double>(sample) * sample;
  return std::sqrt(sum / static_cast<double>(samples.size()));
}

// Mean frequency, weighted by energy: the level of the slope over the level.
double brightness_of(const std::vector<float>& samples) {
  std::vector<float> slope(samples.size() - 1);
  for (std::size_t i = 0; i + 1 < samples.size(); ++i) slope[i] = samples[i + 1] - samples[i];
  return level_of(slope) / level_of(samples);
}

// Stretches of sound with at least a quarter of a second of quiet between them.
int count_sounds(const std::vector<float>& samples, int rate_hz) {
  const auto frame = static_cast<std::size_t>(rate_hz / 50);
  std::vector<double> levels;
  for (std::size_t at = 0; at + frame <= samples.size(); at += frame)
    levels.push_back(level_of({samples.begin() + static_cast<std::ptrdiff_t>(at),
                               samples.begin() + static_cast<std::ptrdiff_t>(at + frame)}));
  const double threshold = 0.08 * *std::max_element(levels.begin(), levels.end());
  int sounds = 0;
  int quiet_frames = 100;
  for (const double level : levels) {
    if (level > threshold && quiet_frames >= 12) ++sounds;
    quiet_frames = level > threshold ? 0 : quiet_frames + 1;
  }
  return sounds;
}

std::vector<float> seconds_of(const std::vector<float>& samples, int rate_hz, double from_s, double to_s) {
  return {samples.begin() + static_cast<std::ptrdiff_t>(from_s * rate_hz),
          samples.begin() + static_cast<std::ptrdiff_t>(to_s * rate_hz)};
}

}  // namespace

TEST_CASE("every parameter of a scene can be read back from its caption") {
  for (int i = 0; i < 3000; ++i) {
    Random random(5, "scene/" + std::to_string(i));
    const SoundScene scene = draw_sound_scene(random);
    for (const std::string& caption : write_captions(scene, 5, random)) {
      CAPTURE(caption);
      CHECK(read_caption(caption) == scene);
    }
  }
}

TEST_CASE("captions have 4 to 10 plain words out of at most 70, and are nearly all different") {
  std::set<std::string> captions, vocabulary;
  for (int i = 0; i < 400; ++i) {
    Random random(6, "scene/" + std::to_string(i));
    const std::string caption = write_caption(draw_sound_scene(random), random);
    CHECK(caption.find_first_not_of("abcdefghijklmnopqrstuvwxyz ") == std::string::npos);
    const Words words = split(caption);
    CHECK(words.size() >= 4);
    CHECK(words.size() <= 10);
    captions.insert(caption);
    vocabulary.insert(words.begin(), words.end());
  }
  CHECK(captions.size() >= 380);
  CHECK(vocabulary.size() >= 50);
  CHECK(vocabulary.size() <= 70);
}

TEST_CASE("the wordings of one scene differ from each other") {
  Random random(8);
  const SoundScene scene{
      {SoundKind::bell, Loudness::loud, Pitch::ordinary, 2}, std::nullopt, Relation::alone, Background::rain};
  const std::vector<std::string> captions = write_captions(scene, 5, random);
  CHECK(captions.size() == 5);
  CHECK(std::set<std::string>(captions.begin(), captions.end()).size() == 5);
}

TEST_CASE("what is said to be loud is louder, and what is said to be high is higher") {
  for (std::size_t i = 0; i < k_sound_kinds; ++i) {
    CAPTURE(i);
    const auto kind = static_cast<SoundKind>(i);
    const auto heard = [&](Loudness loudness, Pitch pitch) {
      return hear(scene_of({kind, loudness, pitch, 0}));
    };
    const double ordinary = level_of(heard(Loudness::ordinary, Pitch::ordinary));
    CHECK(level_of(heard(Loudness::loud, Pitch::ordinary)) > 2.0 * ordinary);
    CHECK(2.0 * level_of(heard(Loudness::soft, Pitch::ordinary)) < ordinary);
    const double middle = brightness_of(heard(Loudness::loud, Pitch::ordinary));
    CHECK(brightness_of(heard(Loudness::loud, Pitch::high)) > 1.15 * middle);
    CHECK(1.15 * brightness_of(heard(Loudness::loud, Pitch::low)) < middle);
  }
}

TEST_CASE("a sound is heard as often as its caption says") {
  for (int kind = 0; kind < static_cast<int>(SoundKind::siren); ++kind)
    for (int repeats = 1; repeats <= 3; ++repeats) {
      CAPTURE(kind);
      const SoundEvent event{static_cast<SoundKind>(kind), Loudness::loud, Pitch::ordinary, repeats};
      CHECK(count_sounds(hear(scene_of(event)), 48000) == repeats);
    }
}

TEST_CASE("of two sounds, one after the other, the first comes first") {
  const SoundEvent drum{SoundKind::drum, Loudness::ordinary, Pitch::ordinary, 2};
  const SoundEvent bird{SoundKind::bird, Loudness::ordinary, Pitch::ordinary, 2};
  for (const bool is_drum_first : {true, false}) {
    const auto samples =
        hear({is_drum_first ? drum : bird, is_drum_first ? bird : drum, Relation::then, Background::quiet});
    const double early = brightness_of(seconds_of(samples, 48000, 0, 5));
    const double late = brightness_of(seconds_of(samples, 48000, 5, 10));
    CHECK((early < late) == is_drum_first);
  }
}

TEST_CASE("every background can be heard and none drowns a soft sound") {
  const SoundEvent soft{SoundKind::alarm, Loudness::soft, Pitch::ordinary, 1};
  const auto levels_over = [&](Background background) {
    const auto samples = hear({soft, std::nullopt, Relation::alone, background});
    std::vector<double> levels;
    for (int i = 0; i < 100; ++i)
      levels.push_back(level_of(seconds_of(samples, 48000, 0.1 * i, 0.1 * i + 0.1)));
    std::sort(levels.begin(), levels.end());
    return levels;
  };
  const double quiet = levels_over(Background::quiet)[50];
  for (const Background background :
       {Background::rain, Background::wind, Background::hum, Background::stream}) {
    const auto levels = levels_over(background);
    CHECK(levels[50] > 3.0 * quiet);
    CHECK(levels.back() > 1.5 * levels[50]);
  }
}

TEST_CASE("the described seconds of a full video hold the described sounds and the others hold others") {
  const SoundForm form{32000, 1, 30, 12};
  const SoundEvent event{SoundKind::alarm, Loudness::loud, Pitch::ordinary, 3};
  const auto samples = hear(scene_of(event), form);
  REQUIRE(samples.size() == 30U * 32000U);
  const auto described = seconds_of(samples, 32000, 12, 22);
  CHECK(count_sounds(described, 32000) == 3);
  for (const auto& other : {seconds_of(samples, 32000, 0, 12), seconds_of(samples, 32000, 22, 30)}) {
    CHECK(level_of(other) > 0.003);
    CHECK(std::abs(std::log(brightness_of(other) / brightness_of(described))) > 0.05);
  }
}

TEST_CASE("the form of a sound is the form asked for, and its samples stay within their range") {
  for (const SoundForm& form :
       {SoundForm{44100, 1, 10, 0}, SoundForm{48000, 2, 18, 8}, SoundForm{32000, 2, 10, 0}}) {
    Random random(3);
    const SoundEvent loud{SoundKind::siren, Loudness::loud, Pitch::ordinary, 0};
    const SoundEvent louder{SoundKind::saw, Loudness::loud, Pitch::ordinary, 0};
    const common::Waveform sound =
        render_sound({loud, louder, Relation::meanwhile, Background::wind}, form, random);
    CHECK(sound.rate_hz == form.rate_hz);
    CHECK(sound.channels == form.channels);
    CHECK(static_cast<double>(sound.frames()) == form.length_s * form.rate_hz);
    CHECK(
        std::all_of(sound.samples.begin(), sound.samples.end(), [](float s) { return std::abs(s) <= 1.0F; }));
  }
}
