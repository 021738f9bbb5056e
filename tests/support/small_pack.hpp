// Sources of a pack of a few kilobytes, made by code, and what tests do to packs: take a picture of a tree,
// change a file, seal again what was changed.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "common/file.hpp"
#include "common/media/audio.hpp"
#include "common/media/image.hpp"
#include "common/sealed/sums.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/format/write.hpp"
#include "packer/build/build.hpp"
#include "packer/check/examine.hpp"
#include "packer/format/info.hpp"
#include "packer/format/names.hpp"
#include "packer/format/parse_info.hpp"

namespace support {

namespace fs = std::filesystem;
using Tree = std::map<std::string, std::string>;  // path -> bytes, of every regular file

// One thread, and nothing said.
inline packer::ExamineRequest quiet_examination() {
  packer::ExamineRequest request;
  request.threads = 1;
  request.verbosity = common::Verbosity::quiet;
  return request;
}

inline void put(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}
inline void put(const fs::path& path, const common::Bytes& bytes) { put(path, common::text_of(bytes)); }
inline std::string get(const fs::path& path) { return common::read_text(path, std::uint64_t{1} << 30); }

inline Tree tree_of(const fs::path& root) {
  Tree tree;
  for (const auto& entry : fs::recursive_directory_iterator(root))
    if (entry.is_regular_file())
      tree[entry.path().lexically_relative(root).generic_string()] = get(entry.path());
  return tree;
}

inline common::Waveform tone(std::uint64_t frames, double pitch, int rate_hz = 8000) {
  common::Waveform sound{rate_hz, 1, {}};
  for (std::uint64_t i = 0; i < frames; ++i)
    sound.samples.push_back(static_cast<float>(0.5 * std::sin(pitch * static_cast<double>(i + 1))));
  return sound;
}

inline common::Bytes picture(int shade) {
  common::Picture image{8, 8, {}};
  for (int i = 0; i < 8 * 8 * 3; ++i) image.pixels.push_back(static_cast<std::uint8_t>((i * shade) % 256));
  return common::encode_jpeg(image, 60);
}

inline manifest::ClipEntry clip_entry(int number, const std::string& split,
                                      const std::string& suffix = ".wav") {
  manifest::ClipEntry entry;
  entry.caption_id = std::to_string(number);
  entry.clip_id = "video_" + std::to_string(number);
  entry.start_time_s = 30.0;
  entry.caption = "a tone number " + std::to_string(number);
  entry.audio_relpath = "audio/" + split + "/" + entry.clip_id + suffix;
  return entry;
}

inline std::string image_name(int image_id) {
  const std::string digits = std::to_string(image_id);
  return "COCO_val2014_" + std::string(12 - digits.size(), '0') + digits + ".jpg";
}

inline manifest::QuestionEntry question(int number, int image_id) {
  manifest::QuestionEntry entry;
  entry.question_id = number;
  entry.image_id = image_id;
  entry.image_filename = image_name(image_id);
  entry.question = "What is it?";
  entry.answers = {"red", "red", "blue"};
  entry.majority_answer = "red";
  return entry;
}

inline manifest::SubsetManifest subset_of(const std::string& split,
                                          std::vector<manifest::ClipEntry> entries) {
  return {"small_" + split, "made by a test", 42, "tones", "audio/" + split, std::move(entries)};
}
inline manifest::VqaManifest vqa_of(const std::string& name, std::vector<manifest::QuestionEntry> entries) {
  return {name, "made by a test", 123, "squares", std::move(entries), {}};
}

// Writes sources and manifests below `root`; gives the request that builds `root`/data_pack from them.
inline packer::BuildRequest small_sources(const fs::path& root) {
  const fs::path audio = root / "audiocaps" / "audio";
  put(audio / "train" / "video_1.wav", common::encode_wav16(tone(20, 0.3)));
  put(audio / "train" / "video_2.flac", common::encode_flac16(tone(40, 0.7)));
  put(audio / "val" / "video_3.wav", common::encode_wav16(tone(24, 0.9)));
  for (int image_id = 1; image_id <= 3; ++image_id)
    put(root / "vqa" / "images" / "val2014" / image_name(image_id), picture(image_id * 11));
  put(root / "E" / "subset_manifest.json",
      manifest::write_subset(subset_of("train", {clip_entry(1, "train"), clip_entry(2, "train")})));
  put(root / "E" / "audio_val_manifest.json",
      manifest::write_subset(subset_of("val", {clip_entry(3, "val")})));
  put(root / "E" / "val_manifest.json",
      manifest::write_vqa(vqa_of("small_val", {question(10, 1), question(11, 1), question(20, 2)})));
  put(root / "E" / "retention_manifest.json",
      manifest::write_vqa(vqa_of("small_retention", {question(30, 3)})));
  packer::BuildRequest request;
  request.manifest = root / "E" / "subset_manifest.json";
  request.val_manifest = root / "E" / "val_manifest.json";
  request.source_root = root / "audiocaps";
  request.dest_root = root / "data_pack";
  request.threads = 2;
  request.verbosity = common::Verbosity::quiet;
  return packer::with_defaults(request);
}

// Writes the seal anew over what lies in the folder.
inline void reseal(const fs::path& pack) {
  std::vector<common::SumsLine> lines;
  for (const auto& [path, bytes] : tree_of(pack))
    if (path != common::k_seal_name && path != common::k_signature_name &&
        common::why_not_a_pack_path(path).empty())
      lines.push_back({common::PackPath(path), common::digest_of(bytes)});
  std::sort(lines.begin(), lines.end());
  put(pack / common::k_seal_name, common::write_sums(lines));
}

// Changes pack.json through `edit` and seals again.
template <typename Edit>
void edit_info(const fs::path& pack, const Edit& edit) {
  common::Findings none;
  packer::PackInfo info = *packer::parse_info(get(pack / packer::k_info_name), none);
  edit(info);
  put(pack / packer::k_info_name, packer::write_info(info));
  reseal(pack);
}

// Replaces a file, and tells pack.json and the seal: what is wrong then is the content alone.
inline void replace_file(const fs::path& pack, const std::string& path, const std::string& bytes) {
  put(pack / path, bytes);
  edit_info(pack, [&](packer::PackInfo& info) {
    for (packer::FileInfo& file : info.files)
      if (file.path.text() == path) file.bytes = bytes.size();
  });
}

}  // namespace support
