// How well safe-packer leaks tells copies of a sound from others, on sounds of other people:
//   bench_leak_sounds [--limit=N] FOLDER...      every .wav and .ogg below a folder counts
// Even and odd items, in the order of their names, are counted apart. Pairs that are listed at the end are
// judged by ear: collections hold real copies.
#include <sndfile.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/media/audio.hpp"
#include "common/parallel.hpp"
#include "packer/leaks/sound_match.hpp"
#include "packer/leaks/vision.hpp"

namespace {

namespace fs = std::filesystem;
using common::Waveform;

Waveform louder(Waveform sound, double db) {
  for (float& sample : sound.samples)
    sample = std::clamp(sample * static_cast<float>(std::pow(10, db / 20)), -1.0F, 1.0F);
  return sound;
}

Waveform mono_at(const Waveform& sound, int rate_hz) { return {rate_hz, 1, common::to_mono(sound, rate_hz)}; }

Waveform twice(const Waveform& sound) {
  Waveform stereo{sound.rate_hz, 2, {}};
  for (const float sample : common::to_mono(sound, sound.rate_hz)) {
    stereo.samples.push_back(sample);
    stereo.samples.push_back(0.5F * sample);
  }
  return stereo;
}

Waveform later(Waveform sound, double by_s) {
  const auto count =
      static_cast<std::size_t>(std::abs(by_s) * sound.rate_hz) * static_cast<std::size_t>(sound.channels);
  if (by_s < 0)
    sound.samples.insert(sound.samples.begin(), count, 0.0F);
  else
    sound.samples.erase(sound.samples.begin(), sound.samples.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                           count, sound.samples.size())));
  return sound;
}

Waveform through(const Waveform& sound, int format, double compression) {
  const fs::path path =
      fs::temp_directory_path() / ("bench-" + std::to_string(reinterpret_cast<std::uintptr_t>(&sound)));
  SF_INFO info{};
  info.samplerate = sound.rate_hz;
  info.channels = sound.channels;
  info.format = format;
  SNDFILE* const file = ::sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw common::Error(common::ErrorKind::io, "no encoder");
  ::sf_command(file, SFC_SET_COMPRESSION_LEVEL, &compression, sizeof compression);
  ::sf_writef_float(file, sound.samples.data(), static_cast<sf_count_t>(sound.frames()));
  ::sf_close(file);
  const std::string text = common::read_text(path, 1 << 28);
  fs::remove(path);
  return common::decode_audio(common::view_of(text), path.string());
}

struct Change {
  const char* name;
  std::function<Waveform(const Waveform&)> make;
};
const std::vector<Change>& changes() {
  constexpr int k_mp3 = SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, k_ogg = SF_FORMAT_OGG | SF_FORMAT_VORBIS;
  static const std::vector<Change> k_changes = {
      {"12 dB louder, clipped", [](const Waveform& s) { return louder(s, 12); }},
      {"12 dB quieter", [](const Waveform& s) { return louder(s, -12); }},
      {"16 kHz, mono", [](const Waveform& s) { return mono_at(s, 16000); }},
      {"22.05 kHz, mono", [](const Waveform& s) { return mono_at(s, 22050); }},
      {"48 kHz, mono", [](const Waveform& s) { return mono_at(s, 48000); }},
      {"stereo, one side quieter", twice},
      {"begins 1 s later", [](const Waveform& s) { return later(s, 1); }},
      {"begins 0.51 s later", [](const Waveform& s) { return later(s, 0.51); }},
      {"1 s of silence before", [](const Waveform& s) { return later(s, -1); }},
      {"MP3, middling", [=](const Waveform& s) { return through(mono_at(s, 44100), k_mp3, 0.5); }},
      {"MP3, smallest", [=](const Waveform& s) { return through(mono_at(s, 44100), k_mp3, 0.9); }},
      {"Vorbis", [=](const Waveform& s) { return through(mono_at(s, 44100), k_ogg, 0.7); }},
      {"1 s later, MP3, 12 dB quieter",
       [=](const Waveform& s) { return louder(through(mono_at(later(s, 1), 44100), k_mp3, 0.5), -12); }},
  };
  return k_changes;
}

struct Item {
  std::string name;
  double seconds = 0;
  packer::SoundMark mark;
  std::vector<packer::SoundMark> changed;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::set<std::string> paths;
  std::size_t limit = 1'000'000;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("--limit=")) {
      limit = std::stoul(word.substr(8));
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(word)) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() && !entry.is_symlink() &&
          (extension == ".wav" || extension == ".ogg" || extension == ".oga"))
        paths.insert(entry.path().string());
    }
  }
  const packer::Vision vision = packer::Vision::load();
  const auto mark_of = [&](const Waveform& sound) {
    return packer::mark_sound(vision.levels(common::to_mono(sound, packer::k_sound_rate_hz)));
  };
  std::vector<std::string> names(paths.begin(), paths.end());
  if (names.size() > limit) {
    std::vector<std::string> spread;
    for (std::size_t i = 0; i < limit; ++i) spread.push_back(names[i * names.size() / limit]);
    names = spread;
  }
  std::vector<Item> items(names.size());
  std::vector<double> times(names.size());
  common::parallel_for(names.size(), 0, [&](std::size_t i) {
    try {
      const std::string text = common::read_text(names[i], 1 << 28);
      const Waveform sound = common::decode_audio(common::view_of(text), names[i]);
      if (static_cast<double>(sound.frames()) / sound.rate_hz > 60) return;
      const auto start = std::chrono::steady_clock::now();
      items[i].mark = mark_of(sound);
      times[i] = seconds_since(start);
      items[i].seconds = static_cast<double>(sound.frames()) / sound.rate_hz;
      if (items[i].mark.is_even()) {
        std::fprintf(stderr, "even: %s\n", names[i].c_str());
        return;
      }
      for (const Change& change : changes()) {
        // Nothing is left of a short sound that begins a second later.
        if (items[i].seconds < 2 && std::string(change.name).find("later") != std::string::npos) {
          items[i].changed.emplace_back();
          continue;
        }
        const Waveform changed = change.make(sound);
        items[i].changed.push_back(changed.samples.empty() ? packer::SoundMark{} : mark_of(changed));
      }
      items[i].name = names[i];
    } catch (const common::Error& error) {
      std::fprintf(stderr, "left out: %s\n", error.what());
    }
  });
  double time = 0, seconds = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    time += times[i];
    seconds += items[i].seconds;
  }
  std::erase_if(items, [](const Item& item) { return item.name.empty(); });
  std::printf("%zu sounds, %.2f ms for ten seconds\n", items.size(), 1e4 * time / seconds);
  for (std::size_t c = 0; c < changes().size(); ++c) {
    std::size_t found[2] = {0, 0}, all[2] = {0, 0}, even = 0;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const Item& item = items[i];
      // What was cut to less than a second is another sound.
      if (std::string(changes()[c].name).find("later") != std::string::npos && item.seconds < 2) continue;
      if (item.changed[c].is_even()) {
        ++even;
        continue;
      }
      const auto like = packer::compare_sounds(item.mark, item.changed[c]);
      ++all[i % 2];
      if (like && like->is_near_duplicate())
        ++found[i % 2];
      else if (std::getenv("MISSES") != nullptr)
        std::printf("  miss: errors %.3f difference %.1f shared %.2f lag %d, %.1f s, sure %zu %zu: %s\n",
                    like ? like->errors : 2, like ? like->difference_db : 0, like ? like->shared : 0,
                    like ? like->lag : 0, item.seconds, item.mark.sure_bits, item.changed[c].sure_bits,
                    item.name.c_str());
    }
    std::printf("%-32s found %zu of %zu, and %zu of %zu; even %zu\n", changes()[c].name, found[0], all[0],
                found[1], all[1], even);
  }
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::vector<std::string>> close(items.size());
  std::vector<std::size_t> looks(items.size());
  common::parallel_for(items.size(), 0, [&](std::size_t i) {
    for (std::size_t j = i + 1; j < items.size(); ++j) {
      const auto like = packer::compare_sounds(items[i].mark, items[j].mark);
      if (!like) continue;
      ++looks[i];
      if (like->errors > 0.3 || like->difference_db > 8 || like->shared < 0.2) continue;
      char line[1000];
      std::snprintf(line, sizeof line, "%s errors %.3f difference %.1f shared %.2f lag %d: %s %s",
                    like->is_near_duplicate() ? "FALSE" : "close", like->errors, like->difference_db,
                    like->shared, like->lag, items[i].name.c_str(), items[j].name.c_str());
      close[i].emplace_back(line);
    }
  });
  std::size_t all = 0;
  for (const std::size_t count : looks) all += count;
  std::printf("%zu pairs in %.2f s, %zu looked at\n", items.size() * (items.size() - 1) / 2,
              seconds_since(start), all);
  for (const auto& lines : close)
    for (const std::string& line : lines) std::printf("%s\n", line.c_str());
}
