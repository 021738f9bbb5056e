#include "packer/synthesize/caption.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "common/error.hpp"

namespace packer {
namespace {

using common::Random;
using Words = std::vector<std::string>;

struct KindWords {
  std::string_view noun;
  std::array<std::string_view, 2> verbs;
};

constexpr std::array<KindWords, k_sound_kinds> k_kind_words{{
    {"bell", {"rings", "chimes"}},
    {"whistle", {"blows", "blows"}},
    {"drum", {"beats", "thumps"}},
    {"dog", {"barks", "barks"}},
    {"bird", {"chirps", "sings"}},
    {"horn", {"honks", "blares"}},
    {"alarm", {"beeps", "beeps"}},
    {"hammer", {"taps", "knocks"}},
    {"cat", {"meows", "meows"}},
    {"frog", {"croaks", "croaks"}},
    {"siren", {"wails", "howls"}},
    {"engine", {"runs", "idles"}},
    {"clock", {"ticks", "ticks"}},
    {"saw", {"buzzes", "whirs"}},
}};

enum class LoudnessPlace { after_verb, before_verb, before_noun };

void append(Words& words, std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void append(Words& words, const Words& more) { words.insert(words.end(), more.begin(), more.end()); }

std::string_view repeat_words(const SoundEvent& event, Random& random) {
  switch (event.repeats) {
    case 1:
      return "once";
    case 2:
      return "twice";
    case 3:
      return "three times";
    default:
      break;
  }
  if (random.below(3) != 0) return "";
  return is_countable(event.kind) ? "many times" : "steadily";
}

// "a low bell softly rings twice"
Words write_clause(const SoundEvent& event, Random& random) {
  const KindWords& kind = k_kind_words[static_cast<std::size_t>(event.kind)];
  const auto place = static_cast<LoudnessPlace>(random.below(3));
  const bool is_loud = event.loudness == Loudness::loud;
  const bool is_said = event.loudness != Loudness::ordinary;
  Words words;
  if (is_said && place == LoudnessPlace::before_noun) append(words, is_loud ? "loud" : "soft");
  if (event.pitch != Pitch::ordinary) append(words, event.pitch == Pitch::low ? "low" : "high");
  append(words, kind.noun);
  const bool is_vowel = std::string_view("aeiou").find(words.front().front()) != std::string_view::npos;
  words.insert(words.begin(), is_vowel ? "an" : "a");
  if (is_said && place == LoudnessPlace::before_verb) append(words, is_loud ? "loudly" : "softly");
  append(words, kind.verbs[random.below(2)]);
  if (is_said && place == LoudnessPlace::after_verb) append(words, is_loud ? "loudly" : "softly");
  append(words, repeat_words(event, random));
  return words;
}

std::string_view background_words(Background background, Random& random) {
  const std::uint64_t form = random.below(4);
  switch (background) {
    case Background::quiet:
      return form == 0 ? "in a quiet room" : "";
    case Background::rain:
      return form < 2 ? "in the rain" : "in rain";
    case Background::wind:
      return form < 2 ? "in the wind" : "in wind";
    case Background::hum:
      return form < 2 ? "over a hum" : "near a fan";
    case Background::stream:
      return form < 2 ? "by a stream" : "near a stream";
  }
  return "";
}

Words join(const SoundScene& scene, Random& random) {
  const Words first = write_clause(scene.first, random);
  if (scene.relation == Relation::alone) return first;
  const Words second = write_clause(*scene.second, random);
  const std::uint64_t form = random.below(4);
  std::string_view link;
  bool is_turned = false;
  if (scene.relation == Relation::then) {
    constexpr std::array<std::string_view, 4> k_links{"then", "and then", "before", "after"};
    link = k_links[form];
    is_turned = link == "after";
  } else {
    link = form < 2 ? "while" : "as";
    is_turned = form % 2 == 1;
  }
  Words words = is_turned ? second : first;
  append(words, link);
  append(words, is_turned ? first : second);
  return words;
}

Words write_words(const SoundScene& scene, Random& random) {
  Words words = join(scene, random);
  const std::string_view background = background_words(scene.background, random);
  const bool is_leading = random.below(4) == 0;
  Words place;
  append(place, background);
  if (is_leading) {
    append(place, words);
    return place;
  }
  append(words, place);
  return words;
}

// The words of the shortest wording.
std::size_t least_words(const SoundEvent& event) {
  constexpr std::array<std::size_t, 4> k_repeat_words{0, 1, 1, 2};
  return 3 + (event.loudness != Loudness::ordinary) + (event.pitch != Pitch::ordinary) +
         k_repeat_words[static_cast<std::size_t>(event.repeats)];
}

std::size_t least_words(const SoundScene& scene) {
  constexpr std::array<std::size_t, 5> k_background_words{0, 2, 2, 3, 3};
  return least_words(scene.first) + (scene.second ? 1 + least_words(*scene.second) : 0) +
         k_background_words[static_cast<std::size_t>(scene.background)];
}

template <typename Level>
Level draw_level(Random& random) {
  const std::uint64_t draw = random.below(4);
  return draw < 2 ? static_cast<Level>(1) : static_cast<Level>(draw == 2 ? 0 : 2);
}

SoundEvent draw_event(Random& random) {
  SoundEvent event;
  event.kind = static_cast<SoundKind>(random.below(k_sound_kinds));
  event.loudness = draw_level<Loudness>(random);
  event.pitch = draw_level<Pitch>(random);
  const int repeats = static_cast<int>(random.below(4));
  event.repeats = is_countable(event.kind) ? repeats : 0;
  return event;
}

Background draw_background(Random& random) {
  const std::uint64_t draw = random.below(12);
  return draw < 4 ? Background::quiet : static_cast<Background>(1 + draw % 4);
}

}  // namespace

SoundScene draw_sound_scene(Random& random) {
  const std::uint64_t draw = random.below(20);
  const Relation relation = draw < 9 ? Relation::alone : draw < 15 ? Relation::then : Relation::meanwhile;
  for (;;) {
    SoundScene scene{draw_event(random), std::nullopt, relation, draw_background(random)};
    if (relation != Relation::alone) {
      scene.second = draw_event(random);
      if (scene.second->kind == scene.first.kind) continue;
      if (relation == Relation::meanwhile && scene.second->kind < scene.first.kind)
        std::swap(scene.first, *scene.second);
    }
    const std::size_t least = least_words(scene);
    if (least >= k_caption_words_least && least <= k_caption_words_most) return scene;
  }
}

std::string write_caption(const SoundScene& scene, Random& random) {
  for (;;) {
    const Words words = write_words(scene, random);
    if (words.size() > k_caption_words_most) continue;
    ENSURE(words.size() >= k_caption_words_least);
    std::string caption = words.front();
    for (std::size_t i = 1; i < words.size(); ++i) caption += " " + words[i];
    return caption;
  }
}

std::vector<std::string> write_captions(const SoundScene& scene, std::size_t most, Random& random) {
  constexpr int k_tries = 60;
  std::vector<std::string> captions;
  for (int i = 0; i < k_tries && captions.size() < most; ++i) {
    std::string caption = write_caption(scene, random);
    if (std::find(captions.begin(), captions.end(), caption) == captions.end())
      captions.push_back(std::move(caption));
  }
  return captions;
}

}  // namespace packer
