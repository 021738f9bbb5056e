// Deprecated since OpenSSL 3.0; see digest.cpp.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "common/digest_lanes.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <vector>

#include "common/digest_avx2.hpp"
#include "common/digest_avx512.hpp"
#include "common/digest_pair.hpp"

namespace common {
namespace {

void compress_two(std::uint32_t* const* states, const std::uint8_t* const* messages, std::size_t blocks) {
  compress_pair(states[0], messages[0], states[1], messages[1], blocks);
}

std::vector<LaneKernel> find_kernels() {
  std::vector<LaneKernel> kernels;
  if (can_compress_pairs()) kernels.push_back({"SHA", 2, compress_two});
#if defined(__x86_64__)
  // True only where the operating system saves the registers too.
  if (__builtin_cpu_supports("avx2")) kernels.push_back({"AVX2", 8, compress_avx2});
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
    kernels.push_back({"AVX-512", 16, compress_avx512});
#endif
  return kernels;
}

constexpr std::size_t k_trial_blocks = 64;

// Messages of k_trial_blocks a second: the best of a few tries, as others may have the processor meanwhile.
double speed_of(std::size_t messages, const std::function<void()>& hash) {
  double best = 0;
  for (int attempt = 0; attempt < 4; ++attempt) {
    const auto begin = std::chrono::steady_clock::now();
    hash();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(messages) / std::max(taken.count(), 1e-9));
  }
  return best;
}

LaneChoice choose() {
  static constexpr std::array<std::uint8_t, k_trial_blocks * k_block_bytes> k_message{};
  std::array<std::array<std::uint32_t, 8>, k_most_lanes> words{};
  std::array<std::uint32_t*, k_most_lanes> states{};
  std::array<const std::uint8_t*, k_most_lanes> messages{};
  for (std::size_t i = 0; i < k_most_lanes; ++i) {
    states[i] = words[i].data();
    messages[i] = k_message.data();
  }
  const double alone = speed_of(1, [] {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, k_message.data(), k_message.size());
  });
  LaneChoice choice;
  double best = alone;
  for (const LaneKernel& kernel : lane_kernels()) {
    const double speed =
        speed_of(kernel.lanes, [&] { kernel.compress(states.data(), messages.data(), k_trial_blocks); });
    if (speed <= best) continue;
    best = speed;
    // A kernel takes its time however many of its lanes have a message.
    const auto even = static_cast<std::size_t>(static_cast<double>(kernel.lanes) * alone / speed);
    choice = {&kernel, std::clamp<std::size_t>(even + 1, 2, kernel.lanes)};
  }
  return choice;
}

}  // namespace

std::span<const LaneKernel> lane_kernels() {
  static const std::vector<LaneKernel> kernels = find_kernels();
  return kernels;
}

const LaneChoice& lane_choice() {
  static const LaneChoice choice = choose();
  return choice;
}

}  // namespace common
