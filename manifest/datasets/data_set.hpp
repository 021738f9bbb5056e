// A data set as this project knows it: all that differs between one and another stands in its description,
// in a file of its own in this folder, and in no other place. data_sets.hpp lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "manifest/datasets/places.hpp"
#include "manifest/datasets/scorer.hpp"
#include "manifest/format/manifest.hpp"

namespace manifest {

// Columns of a table of clips, by their names in its header.
struct ClipColumns {
  std::string_view clip;
  std::string_view caption_id;             // of the row, a number; empty: a row is called as its clip
  std::string_view start;                  // where the clip begins in its video; empty: nowhere
  std::vector<std::string_view> captions;  // each must say something
};

// Keys of the rows that data sets and converters make of a table as JSON: the first that says something.
struct ClipKeys {
  std::vector<std::string_view> clip, captions;
  std::string_view row_prefix;  // of a row's "id" that ends with its number
};

// Columns of a second table about the same clips.
struct CreditColumns {
  std::string_view clip, other_id, source, author, licence;
};

// A data set of sounds with captions.
struct SoundSet {
  std::string_view name;   // on the command line, in manifests, and of its folder in data/: "audiocaps"
  std::string_view title;  // in sentences: "AudioCaps"
  std::string_view train_split, held_out_split;
  std::optional<unsigned> clip_s;  // seconds cut out of a longer source; nothing: no source is cut
  std::string_view prompt;         // what a model is asked about a clip
  Scorer scorer;
  std::string_view terms;  // where the publisher states the licence of the captions
  ClipColumns columns;
  std::optional<ClipKeys> keys;  // nothing: there are no tables in JSON
  std::optional<CreditColumns> credits;
  // Tables of a split, best first.
  std::vector<std::string> (*tables)(const std::string& split);
  // The file name of the credits that belong to a table; null where there are none.
  std::string (*credits_beside)(const std::string& table);
  // Empty where the id can name a clip; otherwise the reason.
  std::string (*why_not_a_clip)(const std::string& clip_id);
  // A clip's name in a pack below audio/<split>/, without suffix. Two clips never have the same.
  std::string (*pack_stem)(const std::string& clip_id);
  // Of a clip's source; names without suffix.
  Places (*sources)(const ClipEntry& clip);
};

// A data set of questions about pictures.
struct QuestionSet {
  std::string_view name, title;  // as those of SoundSet
  // Beside the folder of sounds, where its pictures are looked for, best first.
  std::vector<std::string_view> image_roots;
  Scorer scorer;
  std::string_view terms;
  // Tables of a part such as "val2014", best first.
  std::vector<std::string> (*questions)(const std::string& part);
  std::vector<std::string> (*annotations)(const std::string& part);
  std::string (*image_filename)(const std::string& part, std::int64_t image_id);
  // The picture's number, where its name is one that the data set gives; -1 where it only looks like one.
  std::optional<std::int64_t> (*image_id)(std::string_view image_filename);
  // Of a picture; all names mean the same one.
  Places (*sources)(const std::string& image_filename);
};

}  // namespace manifest
