#include "common/random.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <utility>

#include "common/digest.hpp"
#include "common/error.hpp"

namespace common {
namespace {
constexpr std::size_t k_words = 624;
constexpr std::size_t k_middle = 397;
}  // namespace

Random::Random(const Seed& seed) { seed_words(seed.key()); }

Random::Random(std::int64_t seed, std::string_view purpose) {
  const Digest digest = digest_of(std::to_string(seed) + "/" + std::string(purpose));
  std::vector<std::uint32_t> key;
  for (std::size_t i = 0; i < Digest::k_size; i += 4) key.push_back(load_le32(digest.bytes().data() + i));
  seed_words(key);
}

void Random::seed_words(const std::vector<std::uint32_t>& key) {
  // init_genrand(19650218), then init_by_array(key).
  words_[0] = 19650218U;
  for (std::size_t i = 1; i < k_words; ++i)
    words_[i] = 1812433253U * (words_[i - 1] ^ (words_[i - 1] >> 30)) + static_cast<std::uint32_t>(i);
  std::size_t i = 1;
  std::size_t j = 0;
  for (std::size_t k = std::max(k_words, key.size()); k > 0; --k) {
    words_[i] = (words_[i] ^ ((words_[i - 1] ^ (words_[i - 1] >> 30)) * 1664525U)) + key[j] +
                static_cast<std::uint32_t>(j);
    if (++i >= k_words) {
      words_[0] = words_[k_words - 1];
      i = 1;
    }
    if (++j >= key.size()) j = 0;
  }
  for (std::size_t k = k_words - 1; k > 0; --k) {
    words_[i] =
        (words_[i] ^ ((words_[i - 1] ^ (words_[i - 1] >> 30)) * 1566083941U)) - static_cast<std::uint32_t>(i);
    if (++i >= k_words) {
      words_[0] = words_[k_words - 1];
      i = 1;
    }
  }
  words_[0] = 0x80000000U;
  position_ = k_words;
}

std::uint32_t Random::next() {
  if (position_ >= k_words) {
    for (std::size_t i = 0; i < k_words; ++i) {
      const std::uint32_t mixed = (words_[i] & 0x80000000U) | (words_[(i + 1) % k_words] & 0x7fffffffU);
      words_[i] = words_[(i + k_middle) % k_words] ^ (mixed >> 1) ^ ((mixed & 1U) ? 0x9908b0dfU : 0U);
    }
    position_ = 0;
  }
  std::uint32_t y = words_[position_++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680U;
  y ^= (y << 15) & 0xefc60000U;
  return y ^ (y >> 18);
}

std::uint64_t Random::getrandbits(int bits) {
  ENSURE(bits >= 1 && bits <= 64);
  if (bits <= 32) return next() >> (32 - bits);
  const std::uint64_t low = next();
  return low | (static_cast<std::uint64_t>(next() >> (64 - bits)) << 32);
}

std::uint64_t Random::below(std::uint64_t limit) {
  ENSURE(limit > 0);
  const int bits = static_cast<int>(std::bit_width(limit));
  for (;;) {
    const std::uint64_t draw = getrandbits(bits);
    if (draw < limit) return draw;
  }
}

double Random::uniform() {
  const std::uint64_t high = next() >> 5;
  const std::uint64_t low = next() >> 6;
  return (static_cast<double>(high) * 67108864.0 + static_cast<double>(low)) / 9007199254740992.0;
}

double Random::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<std::uint64_t> Random::sample(std::uint64_t population, std::uint64_t count) {
  SampleDraws draws(*this, population, count);
  std::vector<std::uint64_t> chosen(count);
  for (std::uint64_t& index : chosen) index = draws.next();
  return chosen;
}

SampleDraws::SampleDraws(Random& random, std::uint64_t population, std::uint64_t count)
    : random_(random), population_(population) {
  ENSURE(count <= population);
  // Lib/random.py: a set of 21 small integers, or of the next power of four above three times the count,
  // decides whether a pool or a set of chosen indices is the cheaper way; the two give different draws.
  std::uint64_t set_size = 21;
  if (count > 5)
    set_size += std::uint64_t{1} << (2 * static_cast<int>(std::ceil(std::log(static_cast<double>(count * 3)) /
                                                                    std::log(4.0))));
  if (population > set_size) return;
  pool_.resize(population);
  for (std::uint64_t i = 0; i < population; ++i) pool_[i] = i;
}

std::uint64_t SampleDraws::next() {
  ENSURE(drawn_ < population_);
  ++drawn_;
  if (!pool_.empty()) {
    const std::uint64_t last = population_ - drawn_;
    const std::uint64_t j = random_.below(last + 1);
    return std::exchange(pool_[j], pool_[last]);
  }
  for (;;)
    if (const std::uint64_t j = random_.below(population_); seen_.insert(j).second) return j;
}

std::vector<std::uint32_t> Random::state() const {
  std::vector<std::uint32_t> words(words_.begin(), words_.end());
  words.push_back(static_cast<std::uint32_t>(position_));
  return words;
}

void Random::set_state(const std::vector<std::uint32_t>& words) {
  if (words.size() != k_words + 1 || words.back() > k_words)
    throw Error(ErrorKind::format, "a generator's state must be 625 words; the checkpoint is damaged");
  std::copy_n(words.begin(), k_words, words_.begin());
  position_ = words.back();
}

}  // namespace common
