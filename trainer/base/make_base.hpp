// A small frozen base for experiments that need no download: a LLaVA and a CLAP folder of tiny numbers, in
// Hugging Face's layout, trained from a verified pack's base_manifest.json rows alone, which no other split
// shares.
//
// The LLaVA learns the pack's base questions; its language model also learns the words of captions, or no
// adapter could make it say them. The CLAP's audio tower is drawn by seed and calibrated on sounds that this
// program makes itself (tones, sweeps, noises): it has heard nothing of the pack.
#pragma once

#include <filesystem>

#include "common/progress.hpp"
#include "packer/check/open.hpp"

namespace trainer {

inline constexpr std::int64_t k_base_width = 96;
inline constexpr std::int64_t k_base_width_step = 8;  // four heads, each of an even width

struct MakeBaseRequest {
  std::filesystem::path pack;
  std::filesystem::path out;          // becomes vl/, audio/, base.json and SHA256SUMS
  std::int64_t width = k_base_width;  // of the language model; more leaves a null space more room
  std::int64_t steps = 3600;
  std::int64_t batch_size = 96;
  double learning_rate = 1e-3;
  std::int64_t seed = 7;
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
};

struct MakeBaseSummary {
  common::Digest vl_digest, audio_digest;
  std::int64_t questions = 0, captions = 0;
  double loss = 0;  // of the last hundred steps, nats a token
  bool already_there = false;
};

// A base that was made from the same pack with the same request is left as it is; another base is replaced
// in one step, at the very end. A folder with anything else in it is a usage error before any work.
MakeBaseSummary make_base(const MakeBaseRequest& request);

}  // namespace trainer
