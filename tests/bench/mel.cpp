// From sound files to log-mel spectrograms as the trainer makes them, for tests/bench/mel_speed.py.
//
//   bench_mel make FOLDER COUNT        writes COUNT clips of ten seconds: 44.1 kHz stereo and 32 kHz mono,
//   WAV
//                                      and FLAC, 16 bit
//   bench_mel speed FOLDER THREADS     decodes, mixes, resamples and transforms them all on so many threads,
//                                      again for every line on the standard input; prints the seconds
//   bench_mel parts FOLDER             the seconds of each part, on one thread
//   bench_mel clips FOLDER OUT         their spectrograms, one after the other, as float32
//   bench_mel samples FILE OUT         of a float32 file of mono clips of ten seconds at 48 kHz
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <numbers>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/media/audio.hpp"
#include "common/program.hpp"
#include "common/random.hpp"
#include "common/sealed/draft_file.hpp"
#include "trainer/model/compute.hpp"
#include "trainer/model/log_mel.hpp"

namespace {

namespace fs = std::filesystem;
using trainer::LogMel;

constexpr std::uint64_t k_file_limit_bytes = std::uint64_t{1} << 30;
constexpr int k_clip_s = 10;

// laion/clap-htsat-unfused's preprocessor_config.json.
trainer::LogMelConfig published() {
  trainer::LogMelConfig config;
  config.lowest_hz = 50;
  return config;
}

double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Noise whose level falls with frequency and moves, and a few tones: nothing in it is silent.
common::Waveform make_clip(common::Random& random, int rate_hz, int channels) {
  common::Waveform sound{rate_hz, channels, {}};
  const double hz = random.uniform(100, 4000), swing_hz = random.uniform(0.2, 3);
  std::vector<double> low(static_cast<std::size_t>(channels));
  for (int i = 0; i < k_clip_s * rate_hz; ++i) {
    const double t = static_cast<double>(i) / rate_hz;
    const double swing = 0.6 + 0.4 * std::sin(2 * std::numbers::pi * swing_hz * t);
    for (double& state : low) {
      const double noise = random.uniform(-1, 1);
      state += 0.15 * (noise - state);
      const double tone =
          std::sin(2 * std::numbers::pi * hz * t) + 0.4 * std::sin(7 * std::numbers::pi * hz * t);
      sound.samples.push_back(static_cast<float>(swing * (0.5 * state + 0.05 * noise) + 0.1 * tone));
    }
  }
  return sound;
}

void make(const fs::path& folder, int count) {
  fs::create_directories(folder);
  common::Random random(11);
  for (int i = 0; i < count; ++i) {
    const common::Waveform sound = i % 4 < 2 ? make_clip(random, 44100, 2) : make_clip(random, 32000, 1);
    const bool packed = i % 2 == 1;
    common::write_file(folder / fmt::format("{:04}.{}", i, packed ? "flac" : "wav"),
                       packed ? common::encode_flac16(sound) : common::encode_wav16(sound));
  }
}

std::vector<fs::path> clips_in(const fs::path& folder) {
  std::vector<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().extension() == ".wav" || entry.path().extension() == ".flac") paths.push_back(entry);
  std::sort(paths.begin(), paths.end());
  return paths;
}

common::Waveform decode(const fs::path& path) {
  return common::decode_audio(common::read_file(path, k_file_limit_bytes), path.string());
}

torch::Tensor spectrogram(const fs::path& path, const LogMel& log_mel) {
  return log_mel.compute(common::to_mono(decode(path), log_mel.config().rate_hz));
}

void speed(const fs::path& folder, unsigned threads) {
  const std::vector<fs::path> paths = clips_in(folder);
  const LogMel log_mel(published());
  const trainer::Compute compute(threads, 1, {});
  (void)spectrogram(paths.front(), log_mel);
  for (std::string line; std::getline(std::cin, line);) {
    const double took = seconds_of(
        [&] { compute.prepare(paths.size(), [&](std::size_t i) { (void)spectrogram(paths[i], log_mel); }); });
    std::cout << fmt::format("{:.6f}", took) << std::endl;
  }
}

void parts(const fs::path& folder) {
  const std::vector<fs::path> paths = clips_in(folder);
  const LogMel log_mel(published());
  const trainer::Compute compute(1, 1, {});
  std::vector<common::Waveform> sounds(paths.size());
  std::vector<std::vector<float>> samples(paths.size());
  const auto each = [&](const char* what, const std::function<void(std::size_t)>& work) {
    const double took = seconds_of([&] {
      for (std::size_t i = 0; i < paths.size(); ++i) work(i);
    });
    fmt::print("{:10} {:6.2f} ms a clip\n", what, took * 1e3 / static_cast<double>(paths.size()));
  };
  each("decode", [&](std::size_t i) { sounds[i] = decode(paths[i]); });
  each("resample", [&](std::size_t i) { samples[i] = common::to_mono(sounds[i], log_mel.config().rate_hz); });
  each("log-mel", [&](std::size_t i) { (void)log_mel.compute(samples[i]); });
}

void append(std::ofstream& out, const torch::Tensor& mel) {
  out.write(reinterpret_cast<const char*>(mel.contiguous().data_ptr<float>()),
            static_cast<std::streamsize>(mel.numel() * 4));
}

void clips(const fs::path& folder, const fs::path& out_path) {
  const LogMel log_mel(published());
  std::ofstream out(out_path, std::ios::binary);
  for (const fs::path& path : clips_in(folder)) append(out, spectrogram(path, log_mel));
}

void samples(const fs::path& in, const fs::path& out_path) {
  const LogMel log_mel(published());
  std::ofstream out(out_path, std::ios::binary);
  const common::Bytes bytes = common::read_file(in, k_file_limit_bytes);
  std::vector<float> clip(static_cast<std::size_t>(log_mel.config().clip_samples));
  for (std::size_t at = 0; at + 4 * clip.size() <= bytes.size(); at += 4 * clip.size()) {
    std::memcpy(clip.data(), bytes.data() + at, 4 * clip.size());
    append(out, log_mel.compute(clip));
  }
}

int bench_main(int argc, char** argv) {
  const std::string verb = argc > 2 ? argv[1] : "";
  if (verb == "make" && argc == 4)
    make(argv[2], std::atoi(argv[3]));
  else if (verb == "speed" && argc == 4)
    speed(argv[2], static_cast<unsigned>(std::atoi(argv[3])));
  else if (verb == "parts" && argc == 3)
    parts(argv[2]);
  else if (verb == "clips" && argc == 4)
    clips(argv[2], argv[3]);
  else if (verb == "samples" && argc == 4)
    samples(argv[2], argv[3]);
  else
    throw common::Error(
        common::ErrorKind::usage,
        "bench_mel takes make FOLDER COUNT, speed FOLDER THREADS, parts FOLDER, clips FOLDER OUT or "
        "samples FILE OUT");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return common::run_program("bench_mel", [&] { return bench_main(argc, argv); });
}
