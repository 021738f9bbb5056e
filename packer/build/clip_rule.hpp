// Which frames of a source are the clip (FORMAT.md, B3). All numbers of that rule stand here; the length of a
// clip is the data set's.
#pragma once

#include <cstdint>
#include <optional>

#include "common/media/audio.hpp"
#include "packer/format/info.hpp"

namespace packer {

// What sources are: clips, cut before by somebody else; full videos, to be cut at start_time; or either, told
// by their lengths.
enum class SourceKind { clips, videos, detect };

struct ClipRule {
  SourceKind sources = SourceKind::detect;
  std::optional<unsigned> clip_s = k_clip_s;  // nothing: no source is cut
};

struct ClipCut {
  Making making = Making::copied;
  std::uint64_t first = 0;  // frames of the source
  std::uint64_t count = 0;
  // Whether the source could as well have been the other kind: then the clip is of another place.
  enum class Kind { known, guessed } kind = Kind::known;
};

// A clip keeps the bytes of its source up to 10.1 s (a tenth more than the data set's clips have), or else
// its first 10 s. What is at most 11 s long (a second more) is detected as a clip. Of a full video it is
// [start_s, start_s + 10 s); nothing where that ends before start_s + 1 s. A guess is what is between 10.1
// and 60 s long, with start_s inside of it.
[[nodiscard]] std::optional<ClipCut> decide_cut(const common::AudioFacts& source, double start_s,
                                                const ClipRule& rule);

// Whether a clip lasts less than a millisecond: no program that makes clips makes such, and nobody hears it.
[[nodiscard]] bool is_too_short(std::uint64_t frames, int rate_hz);

}  // namespace packer
