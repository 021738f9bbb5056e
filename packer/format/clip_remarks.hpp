// What a person should look at before trusting the clips of a pack: nothing here is wrong by itself, and each
// has made somebody train on other sounds than they meant.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/sealed/sums.hpp"
#include "packer/format/info.hpp"

namespace packer {

struct ClipRemark {
  const char* kind = "";           // "short", "silent", "equal", "cut", "guessed"
  std::string said_of_one, said;   // behind a number: "clip is shorter than 10 s"
  std::vector<std::string> clips;  // a path each, with what is odd about it; of equal ones all in one
};
using ClipRemarks = std::vector<ClipRemark>;

// Short, silent and equal clips; a kind that no clip has is left out.
[[nodiscard]] ClipRemarks remark_on_clips(const PackInfo& info, const std::vector<common::SumsLine>& sums);
// Clips that were cut where their sources are taken for full videos; those that only a length of less than a
// minute spoke against are known to the build alone.
void remark_on_cuts(const PackInfo& info, ClipRemarks& remarks);
void remark_on_guesses(std::vector<std::string> clips, ClipRemarks& remarks);

// Whether a line of describe() names them all.
[[nodiscard]] bool is_whole(const ClipRemark& remark);
// A line for each kind: the count, and the first few clips.
[[nodiscard]] std::vector<std::string> describe(const ClipRemarks& remarks);

}  // namespace packer
