#include "packer/synthesize/audiocaps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string>
#include <vector>

#include "common/media/audio.hpp"
#include "common/parallel.hpp"
#include "common/random.hpp"
#include "packer/synthesize/caption.hpp"
#include "packer/synthesize/sound.hpp"

namespace packer {
namespace {

using common::Random;

enum class Split { train, val };

struct Clip {
  std::string clip_id;
  int start_s = 0;
  std::vector<std::string> captions;
  bool is_full_video = false;
};

std::string name_of(Split split) { return split == Split::train ? "train" : "val"; }

// Eleven characters of A-Z a-z 0-9 - _, no two alike but for their case: some file systems fold it.
std::vector<std::string> draw_youtube_ids(std::size_t count, std::int64_t seed) {
  constexpr std::string_view k_letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  Random random(seed, "youtube ids");
  std::vector<std::string> ids;
  std::set<std::string> folded_ids;
  while (ids.size() < count) {
    std::string id;
    for (int i = 0; i < 11; ++i) id += k_letters[random.below(k_letters.size())];
    // A real list holds some that begin like an option of a command; so does the smallest of ours.
    if (ids.size() % 64 == 1) id[0] = '-';
    std::string folded = id;
    std::transform(id.begin(), id.end(), folded.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    if (folded_ids.insert(folded).second) ids.push_back(id);
  }
  return ids;
}

// Most files are the ten seconds already, cut from a video: start_time then tells where they were, as in
// AudioCaps.
int draw_start_s(Random& random) {
  return random.below(12) == 0 ? 0 : 10 * static_cast<int>(1 + random.below(58));
}

SoundForm draw_form(std::size_t index, Random& random) {
  SoundForm form;
  // Every odd form at a fixed pace, so that a small tree has it as well as a large one.
  if (index % 16 == 9) form.rate_hz = 44100;
  if (index % 16 == 13) form.rate_hz = 32000;
  if (index % 12 == 5) form.channels = 2;
  if (index % 15 == 7) {
    form.length_s = static_cast<double>(18 + random.below(23));
    form.start_s = static_cast<double>(1 + random.below(static_cast<std::uint64_t>(form.length_s) - 10));
  }
  return form;
}

// No two clips of one scene, in either split, as long as there are scenes left: their sounds would be as good
// as equal, and their wordings not.
std::vector<SoundScene> draw_scenes(std::size_t count, std::int64_t seed) {
  constexpr int k_tries = 20;
  std::vector<SoundScene> scenes;
  std::set<SoundScene> seen;
  while (scenes.size() < count) {
    Random random(seed, fmt::format("scene/{}", scenes.size()));
    SoundScene scene = draw_sound_scene(random);
    for (int i = 0; i < k_tries && !seen.insert(scene).second; ++i) scene = draw_sound_scene(random);
    scenes.push_back(scene);
  }
  return scenes;
}

Clip write_clip(Split split, std::size_t index, const SoundScene& scene, const std::string& youtube_id,
                std::int64_t seed, TreeWriter& tree) {
  Random random(
      seed, split == Split::train ? fmt::format("clip/{}", index) : fmt::format("held-out clip/{}", index));
  const SoundForm form = draw_form(index, random);
  Clip clip{youtube_id, draw_start_s(random), {}, form.length_s > k_clip_length_s};
  if (clip.is_full_video) clip.start_s = static_cast<int>(form.start_s);
  // AudioCaps has one caption for a clip to train on and five for one to test on.
  clip.captions = write_captions(scene, split == Split::train ? 1 : 5, random);
  const common::Waveform sound = render_sound(scene, form, random);
  const bool is_flac = index % 10 == 3;
  tree.put(fmt::format("audiocaps/audio/{}/{}.{}", name_of(split), youtube_id, is_flac ? "flac" : "wav"),
           is_flac ? common::encode_flac16(sound) : common::encode_wav16(sound));
  return clip;
}

std::size_t write_table(Split split, const std::vector<Clip>& clips, const std::vector<std::uint64_t>& ids,
                        std::size_t first_id, TreeWriter& tree) {
  std::string table = "audiocap_id,youtube_id,start_time,caption\n";
  std::size_t next = first_id;
  for (const Clip& clip : clips)
    for (const std::string& caption : clip.captions)
      table += fmt::format("{},{},{},{}\n", ids[next++] + 1, clip.clip_id, clip.start_s, caption);
  tree.put("audiocaps/" + name_of(split) + ".csv", common::view_of(table));
  return next;
}

}  // namespace

void write_audiocaps(const SynthesizeRequest& request, TreeWriter& tree, SynthesizeSummary& summary) {
  const auto train_count = static_cast<std::size_t>(request.clips);
  const std::size_t val_count = std::max<std::size_t>(1, train_count / 4);
  const std::vector<std::string> youtube_ids = draw_youtube_ids(train_count + val_count, request.seed);
  const std::vector<SoundScene> scenes = draw_scenes(train_count + val_count, request.seed);
  tree.make_folder("audiocaps/audio/train");
  tree.make_folder("audiocaps/audio/val");
  std::vector<Clip> train(train_count), val(val_count);
  common::Progress progress("synthesizing", "clips", train_count + val_count, request.verbosity);
  common::parallel_for(train_count + val_count, request.threads, [&](std::size_t i) {
    const bool is_train = i < train_count;
    Clip& clip = is_train ? train[i] : val[i - train_count];
    clip = write_clip(is_train ? Split::train : Split::val, is_train ? i : i - train_count, scenes[i],
                      youtube_ids[i], request.seed, tree);
    progress.add(1);
  });
  // Ids as in the real tables: neither dense nor in order.
  const std::size_t most_rows = train_count + 5 * val_count;
  const auto ids =
      Random(request.seed, "audiocap ids").sample(std::max<std::size_t>(110'000, 2 * most_rows), most_rows);
  const std::size_t train_rows = write_table(Split::train, train, ids, 0, tree);
  summary.captions = write_table(Split::val, val, ids, train_rows, tree);
  summary.train_clips = train_count;
  summary.val_clips = val_count;
  for (const auto* clips : {&train, &val})
    summary.full_videos += static_cast<std::size_t>(
        std::count_if(clips->begin(), clips->end(), [](const Clip& clip) { return clip.is_full_video; }));
}

}  // namespace packer
