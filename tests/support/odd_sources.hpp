// Sources as people have them, in a small pack's place: whatever is added is in its manifests.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "manifest/format/write.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

namespace support {

// `said`: of one that cannot be used.
struct OddSound {
  std::string stem, suffix;
  common::Bytes bytes;
  std::string said;
};
struct OddPicture {
  int image_id = 0;
  common::Bytes bytes;
  std::string said;
};

inline common::Bytes with_le(common::Bytes bytes, std::size_t at, std::uint64_t value, int count) {
  common::store_le(value, count, bytes.data() + at);
  return bytes;
}

// Sources of a small pack, and how it is built.
struct OddSite {
  Scratch scratch;
  std::vector<manifest::ClipEntry> clips = {clip_entry(1, "train"), clip_entry(2, "train")};
  std::vector<manifest::QuestionEntry> questions = {question(10, 1)};

  OddSite() { (void)small_sources(scratch.path()); }

  void add(const OddSound& sound) {
    clips.push_back(clip_entry(100 + static_cast<int>(clips.size()), "train"));
    clips.back().clip_id = sound.stem;
    clips.back().audio_relpath = "audio/train/" + sound.stem + ".wav";
    put(scratch / ("audiocaps/audio/train/" + sound.stem + sound.suffix), sound.bytes);
  }
  void add(const OddPicture& picture) {
    questions.push_back(question(1000 + picture.image_id, picture.image_id));
    put(scratch / ("vqa/images/val2014/" + image_name(picture.image_id)), picture.bytes);
  }
  [[nodiscard]] std::vector<std::string> build_arguments(const std::string& more = "--quiet") const {
    put(scratch / "E/subset_manifest.json", manifest::write_subset(subset_of("train", clips)));
    put(scratch / "E/val_manifest.json", manifest::write_vqa(vqa_of("small_val", questions)));
    return {SAFE_BIN "/safe-packer",
            "build",
            "--manifest",
            "E/subset_manifest.json",
            "--val-manifest",
            "E/val_manifest.json",
            "--source-root",
            "audiocaps",
            "--dest-root",
            "E/data_pack",
            more};
  }
  [[nodiscard]] Finished build(const std::string& more = "--quiet") const {
    return run_process(build_arguments(more), scratch.path());
  }
  // The names in the pack's folder, with what is hidden.
  [[nodiscard]] std::vector<std::string> written() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(scratch / "E")) names.push_back(entry.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
};

}  // namespace support
