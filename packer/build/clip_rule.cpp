#include "packer/build/clip_rule.hpp"

#include <algorithm>
#include <cmath>

namespace packer {
namespace {

constexpr std::uint64_t k_full_video_s = 60;  // a source that is longer was not cut by anybody
constexpr std::uint64_t k_least_s = 1;        // of a clip at the end of a full video
constexpr std::uint64_t k_shortest_ms = 1;

// Whoever reads the clip must not meet a header that lies.
Making making_of_whole(const common::AudioFacts& source) {
  const bool keeps_bytes =
      source.stated_length == common::StatedLength::right &&
      (source.container == common::AudioContainer::wav || source.container == common::AudioContainer::flac);
  return keeps_bytes ? Making::copied : Making::decoded;
}

std::optional<ClipCut> cut_video(const common::AudioFacts& source, double start_s,
                                 std::uint64_t clip_frames) {
  // Beyond 2^53 frames a double is no frame number; no sound is as long.
  const double first_exact = std::round(start_s * source.rate_hz);
  if (!(first_exact >= 0 && first_exact < 9e15)) return std::nullopt;
  const auto first = static_cast<std::uint64_t>(first_exact);
  if (source.frames < first + k_least_s * static_cast<std::uint64_t>(source.rate_hz)) return std::nullopt;
  return ClipCut{Making::cut, first, std::min(clip_frames, source.frames - first)};
}

}  // namespace

std::optional<ClipCut> decide_cut(const common::AudioFacts& source, double start_s, const ClipRule& rule) {
  const ClipCut whole{making_of_whole(source), 0, source.frames};
  if (!rule.clip_s) return whole;
  const auto rate = static_cast<std::uint64_t>(source.rate_hz);
  const std::uint64_t clip_frames = rate * *rule.clip_s;
  // A tenth more, in whole numbers.
  const bool is_clip_long = source.frames * 10 <= clip_frames * 10 + rate;
  const ClipCut beginning{Making::cut, 0, clip_frames};
  if (rule.sources == SourceKind::clips) return is_clip_long ? whole : beginning;
  if (rule.sources == SourceKind::videos) {
    auto cut = cut_video(source, start_s, clip_frames);
    return cut && cut->first == 0 && cut->count == source.frames ? whole : cut;
  }
  if (is_clip_long) return whole;
  auto cut = source.frames <= clip_frames + rate ? beginning : cut_video(source, start_s, clip_frames);
  const bool starts_inside = start_s > 0 && start_s < source.duration_s();
  if (cut && starts_inside && source.frames <= rate * k_full_video_s) cut->kind = ClipCut::Kind::guessed;
  return cut;
}

bool is_too_short(std::uint64_t frames, int rate_hz) {
  return frames * 1000 < static_cast<std::uint64_t>(rate_hz) * k_shortest_ms;
}

}  // namespace packer
