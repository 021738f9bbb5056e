// Sources of a pack of very many small files.
#pragma once

#include <filesystem>

#include "manifest/format/write.hpp"
#include "tests/support/small_pack.hpp"

namespace bench {

inline manifest::QuestionEntry long_question(int number) {
  manifest::QuestionEntry entry = support::question(number, number);
  entry.question = "What is the colour of the thing that stands on the table in this picture?";
  entry.answers = std::vector<std::string>(10, "dark red");
  entry.majority_answer = "dark red";
  return entry;
}

// Half clips, half images; each row as long as those of AudioCaps and VQA v2 are.
inline void write_sources(const std::filesystem::path& root, int count) {
  const common::Bytes sound = common::encode_wav16(support::tone(20, 0.3));
  const common::Bytes image = support::picture(11);
  std::vector<manifest::ClipEntry> clips;
  std::vector<manifest::QuestionEntry> questions;
  for (int i = 1; i <= count / 2; ++i) {
    clips.push_back(support::clip_entry(100000 + i, "train"));
    clips.back().caption =
        "A man speaks while water runs and a small dog barks in the distance, number " + std::to_string(i);
    questions.push_back(long_question(i));
  }
  for (const manifest::ClipEntry& clip : clips) support::put(root / "audiocaps" / clip.audio_relpath, sound);
  for (const manifest::QuestionEntry& entry : questions)
    support::put(root / "vqa" / "images" / entry.image_filename, image);
  support::put(root / "E" / "subset_manifest.json",
               manifest::write_subset(support::subset_of("train", std::move(clips))));
  support::put(root / "E" / "val_manifest.json",
               manifest::write_vqa(support::vqa_of("many", std::move(questions))));
}

}  // namespace bench
