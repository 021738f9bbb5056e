// How fast messages are hashed one after the other and at once, by each kernel that this processor can run:
// GB/s of one thread, messages of 64 KiB out of the cache, the best of many tries. Without SHA instructions,
// as on servers before 2019, OpenSSL has OPENSSL_ia32cap=:~0x20000000.
#define OPENSSL_SUPPRESS_DEPRECATED

#include <fmt/format.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <vector>

#include "common/digest_lanes.hpp"

namespace {

constexpr std::size_t k_blocks = 1024, k_message_bytes = k_blocks * common::k_block_bytes;

void report(const char* name, std::size_t messages, const std::function<void()>& hash) {
  double best = 0;
  for (int attempt = 0; attempt < 200; ++attempt) {
    const auto begin = std::chrono::steady_clock::now();
    hash();
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::max(best, static_cast<double>(messages * k_message_bytes) / taken.count());
  }
  fmt::print("{:<10} {:>2} at once  {:.2f} GB/s\n", name, messages, best / 1e9);
}

}  // namespace

int main() {
  std::vector<std::vector<std::uint8_t>> messages(common::k_most_lanes);
  std::array<std::array<std::uint32_t, 8>, common::k_most_lanes> words{};
  std::array<std::uint32_t*, common::k_most_lanes> states{};
  std::array<const std::uint8_t*, common::k_most_lanes> starts{};
  for (std::size_t i = 0; i < common::k_most_lanes; ++i) {
    messages[i].assign(k_message_bytes, static_cast<std::uint8_t>(i));
    states[i] = words[i].data();
    starts[i] = messages[i].data();
  }
  report("OpenSSL", 1, [&] {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, starts[0], k_message_bytes);
  });
  for (const common::LaneKernel& kernel : common::lane_kernels())
    report(kernel.name, kernel.lanes, [&] { kernel.compress(states.data(), starts.data(), k_blocks); });
  const common::LaneChoice& choice = common::lane_choice();
  fmt::print("chosen: {}, from {} messages on\n", choice.kernel == nullptr ? "OpenSSL" : choice.kernel->name,
             choice.worth_from);
}
