// What a reader wants to see and hear: questions whose answer flipped, and clips with what was said about
// them. Texts come from predictions.jsonl of each group's first seed; pictures (made small) and sounds
// (whole) from a verified pack, whose id must be that of the runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "packer/check/open.hpp"
#include "trainer/report/comparison.hpp"

namespace trainer {

struct Said {
  std::size_t group = 0;
  std::string text;
  double score = 0;
};

// A picture or sound on the page.
struct Embedded {
  std::string url;   // data: URL, or empty: there is none
  std::string file;  // the pack's: its path and SHA-256
};

struct FlipExample {
  std::string id, question;
  std::vector<std::string> references;
  Said base;  // group is without meaning
  std::vector<Said> answers;
  std::string distractor;  // youtube_id of the clip that was heard
  Embedded image;
};

struct ClipExample {
  std::string id, group;  // of k_audio_groups
  std::vector<std::string> references;
  Said base;
  std::vector<Said> captions;
  Embedded sound;
};

struct Examples {
  std::vector<FlipExample> flips;
  std::vector<ClipExample> clips;
  std::size_t flips_in_all = 0, clips_in_all = 0;
  bool has_media = false;
  std::size_t left_out = 0;  // of those shown, how many have no picture or sound, for want of room
};

// By the id of a question or clip.
struct EmbeddedMedia {
  std::map<std::string, Embedded> images, sounds;
};

// With `pack`: a mismatch error where its id is not that of every run. Null: without pictures and sounds.
[[nodiscard]] Examples choose_examples(const Comparison& comparison, const packer::VerifiedPack* pack);
// With those that a page has already, whatever pack they came from.
[[nodiscard]] Examples choose_examples(const Comparison& comparison, const EmbeddedMedia& media);

}  // namespace trainer
