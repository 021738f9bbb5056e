#include "packer/format/clip_remarks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace packer {
namespace {

constexpr std::size_t k_named_limit = 5;  // clips of a kind in a line, and names of one sound
constexpr std::string_view k_equals = " = ";

double duration_s(const ClipFacts& clip) { return static_cast<double>(clip.frames) / clip.rate_hz; }

std::vector<std::string> equal_clips(const PackInfo& info, const std::vector<common::SumsLine>& sums) {
  std::map<common::Digest, std::string> paths;
  std::map<common::Digest, int> counts;
  for (const common::SumsLine& line : sums)
    if (const FileInfo* file = find_file(info, line.path); file != nullptr && file->clip) {
      std::string& all = paths[line.digest];
      if (!all.empty()) all += k_equals;
      all += line.path.text();
      ++counts[line.digest];
    }
  std::vector<std::string> equal;
  for (auto& [digest, all] : paths)
    if (counts[digest] > 1) equal.push_back(std::move(all));
  std::sort(equal.begin(), equal.end());
  return equal;
}

// Of a sound with thousands of names the first ones.
std::string shortened(const std::string& clip) {
  std::size_t cut = std::string::npos, names = 1;
  for (std::size_t at = clip.find(k_equals); at != std::string::npos; at = clip.find(k_equals, at + 1))
    if (++names == k_named_limit + 1) cut = at;
  return cut == std::string::npos
             ? clip
             : fmt::format("{} and {} names more", clip.substr(0, cut), names - k_named_limit);
}

void add(const char* kind, std::string said_of_one, std::string said, std::vector<std::string> clips,
         ClipRemarks& remarks) {
  if (!clips.empty()) remarks.push_back({kind, std::move(said_of_one), std::move(said), std::move(clips)});
}

}  // namespace

ClipRemarks remark_on_clips(const PackInfo& info, const std::vector<common::SumsLine>& sums) {
  std::vector<std::string> too_short, silent;
  for (const FileInfo& file : info.files) {
    if (!file.clip) continue;
    if (file.clip->frames < std::uint64_t{k_clip_s} * static_cast<std::uint64_t>(file.clip->rate_hz))
      too_short.push_back(fmt::format("{} ({:.3g} s)", file.path.text(), duration_s(*file.clip)));
    if (file.clip->silent) silent.push_back(file.path.text());
  }
  ClipRemarks remarks;
  const std::string than = fmt::format("shorter than {} s", k_clip_s);
  add("short", "clip is " + than, "clips are " + than, std::move(too_short), remarks);
  const std::string flat = "silent (all samples are equal)";
  add("silent", "clip is " + flat, "clips are " + flat, std::move(silent), remarks);
  add("equal", "sound is there under several names", "sounds are there under several names",
      equal_clips(info, sums), remarks);
  return remarks;
}

void remark_on_cuts(const PackInfo& info, ClipRemarks& remarks) {
  std::vector<std::string> cut;
  for (const FileInfo& file : info.files)
    if (file.clip && file.clip->first_frame.value_or(0) > 0)
      cut.push_back(fmt::format("{} (from {:.5g} s)", file.path.text(),
                                static_cast<double>(*file.clip->first_frame) / file.clip->rate_hz));
  const std::string why = "cut at start_time, because of the length of its source";
  add("cut", "clip is " + why, "clips are each " + why, std::move(cut), remarks);
}

void remark_on_guesses(std::vector<std::string> clips, ClipRemarks& remarks) {
  const std::string what = "guessed to be a clip or a full video (say which with --sources clips or videos)";
  add("guessed", "source was " + what, "sources were each " + what, std::move(clips), remarks);
}

bool is_whole(const ClipRemark& remark) {
  return remark.clips.size() <= k_named_limit &&
         std::all_of(remark.clips.begin(), remark.clips.end(),
                     [](const std::string& clip) { return shortened(clip) == clip; });
}

std::vector<std::string> describe(const ClipRemarks& remarks) {
  std::vector<std::string> lines;
  for (const ClipRemark& remark : remarks) {
    const std::size_t count = remark.clips.size();
    std::string line = fmt::format("{} {}: ", count, count == 1 ? remark.said_of_one : remark.said);
    for (std::size_t i = 0; i < std::min(count, k_named_limit); ++i)
      line += (i == 0 ? "" : ", ") + shortened(remark.clips[i]);
    if (count > k_named_limit) line += fmt::format(" and {} more", count - k_named_limit);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace packer
