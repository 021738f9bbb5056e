// What can be heard in a synthesised clip, and the captions that say it. A caption names every parameter that
// is not ordinary and nothing that is not there, so the scene can be read back from the words alone.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "common/random.hpp"

namespace packer {

// The first ten are single sounds that can be counted; from siren on they go on for as long as they last.
enum class SoundKind {
  bell,
  whistle,
  drum,
  dog,
  bird,
  horn,
  alarm,
  hammer,
  cat,
  frog,
  siren,
  engine,
  clock,
  saw,
};
inline constexpr std::size_t k_sound_kinds = 14;
[[nodiscard]] constexpr bool is_countable(SoundKind kind) { return kind < SoundKind::siren; }

enum class Loudness { soft, ordinary, loud };
enum class Pitch { low, ordinary, high };
enum class Background { quiet, rain, wind, hum, stream };
enum class Relation { alone, then, meanwhile };

struct SoundEvent {
  SoundKind kind = SoundKind::bell;
  Loudness loudness = Loudness::ordinary;
  Pitch pitch = Pitch::ordinary;
  int repeats = 0;  // 1, 2 or 3; 0: again and again, or going on throughout
  auto operator<=>(const SoundEvent&) const = default;
};

// Two events are of different kinds. Those of `then` are in their order; those of `meanwhile` are in the
// order of their kinds, because the words cannot tell which is first.
struct SoundScene {
  SoundEvent first;
  std::optional<SoundEvent> second;
  Relation relation = Relation::alone;
  Background background = Background::quiet;
  auto operator<=>(const SoundScene&) const = default;
};

inline constexpr std::size_t k_caption_words_least = 4;
inline constexpr std::size_t k_caption_words_most = 10;

[[nodiscard]] SoundScene draw_sound_scene(common::Random& random);
// One wording of the scene, in 4 to 10 plain lower-case words.
[[nodiscard]] std::string write_caption(const SoundScene& scene, common::Random& random);
// Up to `most` different wordings of the scene; at least one.
[[nodiscard]] std::vector<std::string> write_captions(const SoundScene& scene, std::size_t most,
                                                      common::Random& random);

}  // namespace packer
