// How well safe-packer leaks tells copies of a sound from others, on sounds of other people:
//   bench_leak_sounds [--clips=N] FOLDER...      every .wav, .ogg, .oga and .flac below a folder counts
// A sound of 12 s and more becomes N clips of ten seconds (2, unless said). Each sound is changed in each way
// and looked for; then each pair of different files is looked at. Pairs that are printed are judged by hand:
// collections hold real copies. At the end the index is held against comparing each with each.
#include <sndfile.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/media/audio.hpp"
#include "common/parallel.hpp"
#include "packer/leaks/sound_pairs.hpp"
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
  if (sound.samples.empty()) return sound;
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

// A sound, and a second more of its file where there is one.
struct Part {
  Waveform sound, and_more;
  std::string name;
};

Waveform cut(const Waveform& from, double begin_s, double end_s) {
  const auto channels = static_cast<std::size_t>(from.channels);
  const auto at = [&](double s) {
    return static_cast<std::ptrdiff_t>(
        std::min(from.samples.size(), static_cast<std::size_t>(s * from.rate_hz) * channels));
  };
  return {
      from.rate_hz, from.channels, {from.samples.begin() + at(begin_s), from.samples.begin() + at(end_s)}};
}

std::vector<Part> parts_of(const std::string& path, std::size_t clips) {
  const std::string text = common::read_text(path, 1 << 28);
  const Waveform whole = common::decode_audio(common::view_of(text), path);
  const double length_s = static_cast<double>(whole.frames()) / whole.rate_hz;
  if (length_s < 12) return {{whole, whole, path}};
  std::vector<Part> parts;
  const std::size_t count = std::min(clips, static_cast<std::size_t>(length_s / 12));
  for (std::size_t i = 0; i < count; ++i) {
    const double begin_s = (length_s - 11.1) * (static_cast<double>(i) + 0.5) / static_cast<double>(count);
    parts.push_back({cut(whole, begin_s, begin_s + 10), cut(whole, begin_s, begin_s + 11),
                     path + " at " + std::to_string(begin_s)});
  }
  return parts;
}

struct Item {
  std::string file, name;
  double seconds = 0;
  packer::SoundMark mark;
  std::vector<packer::SoundMark> changed;
};

Item item_of(const packer::Vision& vision, const std::string& file, const Part& part) {
  const auto mark_of = [&](const Waveform& sound) {
    if (sound.samples.empty()) return packer::SoundMark{};
    return packer::mark_sound(vision.levels(common::to_mono(sound, packer::k_sound_rate_hz)));
  };
  Item item{file, part.name, static_cast<double>(part.sound.frames()) / part.sound.rate_hz, {}, {}};
  item.mark = mark_of(part.sound);
  if (item.mark.has_too_little()) return item;
  for (const Change& change : changes()) {
    // What begins later goes on later, too.
    const bool later = std::string(change.name).find("later") != std::string::npos;
    const Waveform changed =
        later ? cut(change.make(part.and_more), 0, item.seconds) : change.make(part.sound);
    item.changed.push_back(mark_of(changed));
  }
  return item;
}

std::vector<Item> items_of(const std::vector<std::string>& paths, std::size_t clips) {
  const packer::Vision vision = packer::Vision::load();
  std::vector<std::vector<Item>> of_path(paths.size());
  common::parallel_for(paths.size(), 0, [&](std::size_t i) {
    try {
      for (const Part& part : parts_of(paths[i], clips))
        of_path[i].push_back(item_of(vision, paths[i], part));
    } catch (const common::Error& error) {
      std::fprintf(stderr, "left out: %s\n", error.what());
    }
  });
  std::vector<Item> items;
  for (std::vector<Item>& some : of_path)
    for (Item& item : some) items.push_back(std::move(item));
  const std::size_t all = items.size();
  std::erase_if(items, [](const Item& item) { return item.mark.has_too_little(); });
  std::printf("%zu sounds, of which %zu have too little to be compared\n", all, all - items.size());
  return items;
}

void print_found(const std::vector<Item>& items) {
  for (std::size_t c = 0; c < changes().size(); ++c) {
    std::size_t found = 0, all = 0, too_little = 0;
    for (const Item& item : items) {
      if (item.changed[c].has_too_little()) {
        ++too_little;
        continue;
      }
      ++all;
      const auto like = packer::compare_sounds(item.mark, item.changed[c]);
      if (like && like->is_near_duplicate())
        ++found;
      else
        std::printf("  missed: errors %.3f of %zu, evidence %.1f, difference %.1f dB, %.1f s: %s\n",
                    like ? like->errors : 1, like ? like->compared : 0, like ? like->evidence : 0,
                    like ? like->difference_db : 0, item.seconds, item.name.c_str());
    }
    std::printf("%-32s found %zu of %zu, too little left to compare %zu\n", changes()[c].name, found, all,
                too_little);
  }
}

// Numbers that are equal for sounds of one file.
std::vector<std::uint32_t> files_of(const std::vector<Item>& items) {
  std::map<std::string, std::uint32_t> numbers;
  std::vector<std::uint32_t> files;
  for (const Item& item : items)
    files.push_back(numbers.emplace(item.file, static_cast<std::uint32_t>(numbers.size())).first->second);
  return files;
}

void print_pairs(const std::vector<Item>& items) {
  std::vector<packer::SoundMark> marks;
  for (const Item& item : items) marks.push_back(item.mark);
  std::set<std::uint32_t> within;
  for (const packer::SoundPair& pair : packer::find_sound_pairs(marks, files_of(items), 0)) {
    within.insert({pair.a, pair.b});
    std::printf("pair: errors %.3f of %zu, difference %.1f dB, lag %d: %s | %s\n", pair.likeness.errors,
                pair.likeness.compared, pair.likeness.difference_db, pair.likeness.lag,
                items[pair.a].name.c_str(), items[pair.b].name.c_str());
  }
  std::printf("%zu of %zu sounds stand in these pairs\n", within.size(), items.size());
}

// Copies among the marks, so that there is something to find.
void print_index(const std::vector<Item>& items) {
  std::vector<packer::SoundMark> marks;
  for (const Item& item : items) {
    marks.push_back(item.mark);
    marks.push_back(item.changed.back());
  }
  std::vector<std::uint32_t> groups(marks.size());
  std::iota(groups.begin(), groups.end(), 0U);
  const std::vector<packer::SoundPair> indexed = packer::find_sound_pairs(marks, groups, 0);
  std::vector<std::size_t> found(marks.size());
  common::parallel_for(marks.size(), 0, [&](std::size_t i) {
    for (std::size_t j = i + 1; j < marks.size(); ++j) {
      const auto like = packer::compare_sounds(marks[i], marks[j]);
      if (like && like->is_near_duplicate()) ++found[i];
    }
  });
  std::printf("the index finds %zu pairs of the %zu that comparing each with each finds\n", indexed.size(),
              std::accumulate(found.begin(), found.end(), std::size_t{0}));
}

}  // namespace

int main(int argc, char** argv) {
  std::set<std::string> paths;
  std::size_t clips = 2;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word.starts_with("--clips=")) {
      clips = std::stoul(word.substr(8));
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(word)) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() &&
          (extension == ".wav" || extension == ".ogg" || extension == ".oga" || extension == ".flac"))
        paths.insert(entry.path().string());
    }
  }
  const std::vector<Item> items = items_of({paths.begin(), paths.end()}, clips);
  print_found(items);
  print_pairs(items);
  print_index(items);
}
