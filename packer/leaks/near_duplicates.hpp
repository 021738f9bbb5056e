// Media of different splits that are one picture or one sound, though their bytes and ids differ: what M6
// cannot see. Whether that is a fault is for people to say; so these are findings with both names and a
// distance, in one fixed order.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "common/progress.hpp"
#include "packer/check/open.hpp"
#include "packer/format/names.hpp"

namespace packer {

struct LeakItem {
  std::size_t pack = 0;         // of those that are compared
  Role split = Role::manifest;  // the manifest that names it
  std::string path;
  std::string id;  // clip_id or image_id
  common::Digest digest;
  [[nodiscard]] bool is_picture() const { return *role_of(path) == Role::image; }
};

struct Leak {
  LeakItem a, b;  // in the order of the packs, then of the splits
  bool same_bytes = false;
  double distance = 0;  // 0: the same; what it counts depends on the kind
  double shift_s = 0;   // of a sound: what is at t in `a` is at t + shift_s in `b`
};

// Not compared: a flat picture, a silent or steady sound, or what does not decode.
struct NothingToCompare {
  LeakItem item;
  std::string why;
};

struct LeakReport {
  std::vector<Leak> leaks;
  std::vector<NothingToCompare> not_compared;
  std::size_t pictures = 0, sounds = 0;  // that were compared
};

// "picture: distance 0.012: A of val_manifest.json (1) and B of base_manifest.json (2)"; each with its pack
// where `packs` are many.
[[nodiscard]] std::string describe(const LeakItem& item, const std::vector<std::string>& packs);
[[nodiscard]] std::string describe(const Leak& leak, const std::vector<std::string>& packs);

struct LeakRequest {
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
};

// Every media file that a manifest of the pack names, once.
[[nodiscard]] std::vector<LeakItem> media_of(const VerifiedPack& pack, std::size_t number);

// Items of one pack and one split are not compared with each other. `read` gives an item's bytes, from many
// threads.
[[nodiscard]] LeakReport find_near_duplicates(std::vector<LeakItem> items,
                                              const std::function<common::Bytes(const LeakItem&)>& read,
                                              const LeakRequest& request);

}  // namespace packer
