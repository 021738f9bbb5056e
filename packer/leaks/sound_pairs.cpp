#include "packer/leaks/sound_pairs.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <numeric>

#include "common/parallel.hpp"
#include "packer/leaks/bit_counts.hpp"

namespace packer {
namespace {

// A frame has 23 signs in four blocks. A key is a frame without one of the blocks, so that two frames which
// differ in one block only (by the pigeonhole principle: all that differ in one bit) share a key.
constexpr int k_signs = k_bands - 1;
constexpr std::array<int, 5> k_block_ends = {0, 6, 12, 18, k_signs};
constexpr int k_keys = 4;
constexpr int k_least_sure_in_key = 6;

// Of each sound so many frames are in the index, those with the most sure signs: a copy has them too.
constexpr std::size_t k_indexed_frames = 64;

// Of frames that share a key by chance, what is next to them differs in half of the signs.
constexpr double k_hopeful_evidence = 6, k_hopeful_errors = 0.3;

// Of a second around such a frame a copy agrees in more of the signs than chance does: a look that costs a
// tenth of comparing all.
constexpr std::size_t k_frames_around = 16;
constexpr double k_chance_errors = 0.4;

// Which signs make up a key, and its number: what is left of a frame, pushed together.
struct Key {
  int begin, end;  // of the block that is left out
  explicit Key(int number)
      : begin(k_block_ends[static_cast<std::size_t>(number)]),
        end(k_block_ends[static_cast<std::size_t>(number) + 1]) {}
  [[nodiscard]] std::uint32_t of(std::uint32_t signs) const {
    const std::uint32_t below = (std::uint32_t{1} << begin) - 1;
    return (signs & below) | (signs >> end << begin);
  }
  [[nodiscard]] std::size_t count() const { return std::size_t{1} << (k_signs - (end - begin)); }
};

bool is_for_the_index(const SoundMark& mark) {
  const auto rich = [](std::uint32_t sure) { return std::popcount(sure) >= k_rich_signs; };
  return static_cast<std::size_t>(std::count_if(mark.sure.begin(), mark.sure.end(), rich)) >=
         k_least_rich_frames;
}

std::vector<std::uint32_t> surest_frames(const SoundMark& mark) {
  std::vector<std::uint32_t> frames(mark.frames());
  std::iota(frames.begin(), frames.end(), std::uint32_t{0});
  const std::size_t count = std::min(k_indexed_frames, frames.size());
  const auto order = [&](std::uint32_t x, std::uint32_t y) {
    const int sure_x = std::popcount(mark.sure[x]), sure_y = std::popcount(mark.sure[y]);
    return sure_x != sure_y ? sure_x > sure_y : x < y;
  };
  std::partial_sort(frames.begin(), frames.begin() + static_cast<std::ptrdiff_t>(count), frames.end(), order);
  frames.resize(count);
  return frames;
}

// Where each key stands: in which sound, at which frame.
class Index {
 public:
  struct Place {
    std::uint32_t sound, frame;
  };

  Index(std::span<const SoundMark> marks, const std::vector<std::uint32_t>& sounds, int key)
      : key_(key), begin_(key_.count() + 1) {
    std::vector<Place> places;
    for (const std::uint32_t sound : sounds)
      for (const std::uint32_t frame : surest_frames(marks[sound]))
        if (is_sure(marks[sound], frame)) places.push_back({sound, frame});
    for (const Place& place : places) ++begin_[key_of(marks[place.sound], place.frame) + 1];
    std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
    places_.resize(places.size());
    std::vector<std::uint32_t> next(begin_.begin(), begin_.end() - 1);
    for (const Place& place : places) places_[next[key_of(marks[place.sound], place.frame)]++] = place;
  }

  [[nodiscard]] std::span<const Place> find(const SoundMark& mark, std::size_t frame) const {
    if (!is_sure(mark, frame)) return {};
    const std::size_t key = key_of(mark, frame);
    return std::span(places_).subspan(begin_[key], begin_[key + 1] - begin_[key]);
  }

 private:
  [[nodiscard]] std::size_t key_of(const SoundMark& mark, std::size_t frame) const {
    return key_.of(mark.signs[frame]);
  }
  [[nodiscard]] bool is_sure(const SoundMark& mark, std::size_t frame) const {
    return std::popcount(key_.of(mark.sure[frame])) >= k_least_sure_in_key;
  }

  Key key_;
  std::vector<std::uint32_t> begin_;  // for each key, where its places begin
  std::vector<Place> places_;
};

bool agree_around(const SoundMark& a, std::size_t frame, const SoundMark& b, std::size_t other) {
  const std::size_t before = std::min({k_frames_around, frame, other});
  const std::size_t behind = std::min({k_frames_around, a.frames() - frame, b.frames() - other});
  const std::size_t begin = frame - before, other_begin = other - before;
  const BitCounts counts = count_bits(&a.signs[begin], &a.sure[begin], &b.signs[other_begin],
                                      &b.sure[other_begin], before + behind);
  return static_cast<double>(counts.differ) <= k_chance_errors * static_cast<double>(counts.compared);
}

bool is_hopeful(const SoundLikeness& likeness) {
  return likeness.evidence >= k_hopeful_evidence && likeness.errors <= k_hopeful_errors;
}

// What the index finds for one sound: the others, each once, ascending.
std::vector<std::uint32_t> look_up(const Index& index, std::span<const SoundMark> marks,
                                   std::span<const std::uint32_t> groups, std::uint32_t sound) {
  std::vector<std::uint32_t> found;
  const SoundMark& mark = marks[sound];
  for (std::size_t frame = 0; frame < mark.frames(); ++frame)
    for (const Index::Place& place : index.find(mark, frame)) {
      const int lag = static_cast<int>(place.frame) - static_cast<int>(frame);
      if (lag < -k_most_lag || lag > k_most_lag || groups[place.sound] == groups[sound]) continue;
      if (!agree_around(mark, frame, marks[place.sound], place.frame)) continue;
      if (!is_hopeful(compare_at(mark, marks[place.sound], lag))) continue;
      if (std::find(found.begin(), found.end(), place.sound) == found.end()) found.push_back(place.sound);
    }
  std::sort(found.begin(), found.end());
  return found;
}

using Candidates = std::vector<std::vector<std::uint32_t>>;  // for each sound, others behind it

void add_from_index(std::span<const SoundMark> marks, std::span<const std::uint32_t> groups,
                    const std::vector<std::uint32_t>& sounds, unsigned threads, Candidates& candidates) {
  for (int key = 0; key < k_keys; ++key) {
    const Index index(marks, sounds, key);
    std::vector<std::vector<std::uint32_t>> found(sounds.size());
    common::parallel_for(sounds.size(), threads,
                         [&](std::size_t i) { found[i] = look_up(index, marks, groups, sounds[i]); });
    for (std::size_t i = 0; i < sounds.size(); ++i)
      for (const std::uint32_t other : found[i])
        candidates[std::min(sounds[i], other)].push_back(std::max(sounds[i], other));
  }
  for (std::vector<std::uint32_t>& others : candidates) {
    std::sort(others.begin(), others.end());
    others.erase(std::unique(others.begin(), others.end()), others.end());
  }
}

}  // namespace

std::vector<SoundPair> find_sound_pairs(std::span<const SoundMark> marks,
                                        std::span<const std::uint32_t> groups, unsigned threads) {
  const auto count = static_cast<std::uint32_t>(marks.size());
  std::vector<std::uint32_t> indexed, few;
  for (std::uint32_t i = 0; i < count; ++i) (is_for_the_index(marks[i]) ? indexed : few).push_back(i);
  Candidates candidates(count);
  add_from_index(marks, groups, indexed, threads, candidates);
  std::vector<std::vector<SoundPair>> found(count);
  common::parallel_for(count, threads, [&](std::size_t at) {
    const auto i = static_cast<std::uint32_t>(at);
    const auto compare = [&](std::uint32_t j) {
      if (groups[i] == groups[j]) return;
      const auto likeness = compare_sounds(marks[i], marks[j]);
      if (likeness && likeness->is_near_duplicate()) found[i].push_back({i, j, *likeness});
    };
    for (const std::uint32_t j : candidates[i]) compare(j);
    if (std::binary_search(few.begin(), few.end(), i)) {
      for (std::uint32_t j = i + 1; j < count; ++j) compare(j);
    } else {
      for (auto j = std::upper_bound(few.begin(), few.end(), i); j != few.end(); ++j) compare(*j);
    }
    std::sort(found[i].begin(), found[i].end(),
              [](const SoundPair& x, const SoundPair& y) { return x.b < y.b; });
  });
  std::vector<SoundPair> pairs;
  for (const std::vector<SoundPair>& some : found) pairs.insert(pairs.end(), some.begin(), some.end());
  return pairs;
}

}  // namespace packer
