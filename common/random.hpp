// CPython's random.Random, bit for bit: MT19937 seeded by init_by_array, getrandbits, _randbelow, sample,
// shuffle, random. Every draw of this project is one of these, so that a draw can be repeated in Python.
// Source: Modules/_randommodule.c and Lib/random.py of CPython 3.11; Matsumoto and Nishimura 1998.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/seed.hpp"

namespace common {

class Random {
 public:
  // random.Random(seed) for an integer of any size (CPython takes the absolute value).
  explicit Random(const Seed& seed);
  // A generator of its own for a purpose: seeded by SHA-256 of "<seed>/<purpose>", so that two purposes with
  // one seed never share a stream.
  Random(std::int64_t seed, std::string_view purpose);

  // `bits` in 1..64.
  std::uint64_t getrandbits(int bits);
  // Uniform in [0, limit); limit > 0.
  std::uint64_t below(std::uint64_t limit);
  // random(): 53 bits in [0, 1).
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // gauss-like draws are ours: Box-Muller on two uniform() draws, nothing kept between calls.
  double normal();
  // sample(range(population), count) in CPython's order; count <= population.
  std::vector<std::uint64_t> sample(std::uint64_t population, std::uint64_t count);
  template <typename T>
  void shuffle(std::vector<T>& items) {
    for (std::size_t i = items.size(); i-- > 1;) std::swap(items[i], items[below(i + 1)]);
  }
  template <typename T>
  const T& choice(const std::vector<T>& items) {
    return items[below(items.size())];
  }

  // 625 words: the state and the position, for checkpoints.
  [[nodiscard]] std::vector<std::uint32_t> state() const;
  void set_state(const std::vector<std::uint32_t>& words);

 private:
  void seed_words(const std::vector<std::uint32_t>& key);
  std::uint32_t next();

  std::array<std::uint32_t, 624> words_{};
  std::size_t position_ = 624;
};

// The draws of sample(range(population), count), one by one, and on in the same way until all of the
// population has come, each index once: what stands in for a draw that cannot be used.
class SampleDraws {
 public:
  // `random` outlives it; count <= population.
  SampleDraws(Random& random, std::uint64_t population, std::uint64_t count);
  // At most `population` times.
  std::uint64_t next();

 private:
  Random& random_;
  std::uint64_t population_ = 0;
  std::uint64_t drawn_ = 0;
  std::vector<std::uint64_t> pool_;  // empty where the set serves
  std::unordered_set<std::uint64_t> seen_;
};

}  // namespace common
