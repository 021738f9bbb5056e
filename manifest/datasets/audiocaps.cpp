#include "manifest/datasets/audiocaps.hpp"

#include <fmt/format.h>

#include <cmath>

#include "common/json.hpp"
#include "common/path.hpp"

namespace manifest {
namespace {

constexpr unsigned k_clip_s = 10;

std::vector<std::string> tables(const std::string& split) {
  std::vector<std::string> names = {split + ".csv", "metadata/" + split + ".csv"};
  for (const char* suffix : {".jsonl", ".json"}) names.push_back("audiocaps_" + split + suffix);
  for (const char* suffix : {".jsonl", ".json"}) names.push_back(split + suffix);
  // The repositories of both versions as they are cloned, and aac-datasets' folders.
  for (const char* folder : {"dataset/", "dataset2.0/", "csv_files_v1/", "csv_files_v2/"})
    names.push_back(folder + split + ".csv");
  return names;
}

std::string why_not_a_clip(const std::string& clip_id) {
  const std::string why = common::why_not_a_pack_path(clip_id);
  return why.empty() && clip_id.find('/') != std::string::npos ? "it holds a '/'" : why;
}

std::string pack_stem(const std::string& clip_id) { return clip_id; }

// "30", "30_40", "30.000_40.000", "30.0_40.0" and "30000_40000".
std::vector<std::string> spans(double start_s) {
  const double end_s = start_s + k_clip_s;
  std::vector<std::string> names = {
      fmt::format("{:.3f}_{:.3f}", start_s, end_s),
      fmt::format("{}_{}", std::llround(1000 * start_s), std::llround(1000 * end_s)),
      common::python_repr(start_s) + "_" + common::python_repr(end_s)};
  if (std::floor(start_s) == start_s) {
    names.push_back(fmt::format("{:.0f}_{:.0f}", start_s, end_s));
    names.push_back(fmt::format("{:.0f}", start_s));
  }
  return names;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

// audioset-downloaders write Y<id> and a span, in seconds or milliseconds; audiocaps-download writes the
// number of the caption.
Places sources(const ClipEntry& clip) {
  const std::size_t slash = clip.audio_relpath.rfind('/') + 1;
  const std::string folder = clip.audio_relpath.substr(0, slash);
  const std::size_t first = folder.find('/') + 1;
  const std::string split = folder.substr(first);
  Places places{{folder}, {clip.audio_relpath.substr(slash), "Y" + clip.clip_id}};
  for (std::string other :
       {"audio_32000Hz/" + split, "wavs/" + split, split, std::string("audio/"), std::string()})
    if (other != folder) places.folders.push_back(std::move(other));
  if (clip.start_time_s && *clip.start_time_s < 1e9)
    for (const std::string& span : spans(*clip.start_time_s))
      for (const char* prefix : {"", "Y"}) places.names.push_back(prefix + clip.clip_id + "_" + span);
  if (is_number(clip.caption_id)) places.names.push_back(clip.caption_id);
  return places;
}

}  // namespace

const SoundSet& audiocaps() {
  static const SoundSet k_set = {
      "audiocaps",
      "AudioCaps",
      "train",
      "val",
      k_clip_s,
      "Describe the audio.",
      Scorer::captions,
      "https://github.com/cdjkim/audiocaps",
      {"youtube_id", "audiocap_id", "start_time", {"caption"}},
      ClipKeys{{"youtube_id", "ytid"}, {"answers", "answer", "caption", "captions"}, "audiocaps_"},
      std::nullopt,
      tables,
      nullptr,
      why_not_a_clip,
      pack_stem,
      sources};
  return k_set;
}

}  // namespace manifest
