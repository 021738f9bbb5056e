// A source tree in the real layouts of AudioCaps and of VQA v2 on COCO pictures, from a seed: real WAV, FLAC
// and JPEG files whose captions and answers follow from the signal and the other way round. It claims to be
// neither data set. The bytes depend on the request's counts and seed (and on the C library's sines), never
// on threads. No two pictures or clips share an id, and from a few hundred questions on no answer that is the
// same for every question scores above 25 % under VQA accuracy.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/progress.hpp"

namespace packer {

struct SynthesizeRequest {
  std::filesystem::path out;  // absent or an empty folder
  int clips = 400;            // of the train split; a quarter as many are held out
  int questions = 2000;       // of val2014
  int train_questions = 0;    // of train2014; 0: four times `questions`
  std::int64_t seed = 7;
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
};

struct SynthesizeSummary {
  std::size_t train_clips = 0;
  std::size_t val_clips = 0;
  std::size_t captions = 0;     // rows of both tables: a held-out clip has up to five
  std::size_t full_videos = 0;  // sources longer than ten seconds
  std::size_t val_pictures = 0;
  std::size_t train_pictures = 0;
  std::size_t val_questions = 0;
  std::size_t train_questions = 0;
  std::uint64_t bytes = 0;
};

// Writes the tree under request.out, whole or not at all: built in a draft folder beside it, then renamed. A
// destination that holds something, or counts that cannot be meant, is a usage error.
SynthesizeSummary synthesize(const SynthesizeRequest& request);

}  // namespace packer
