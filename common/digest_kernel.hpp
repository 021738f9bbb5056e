// SHA-256's compression function (FIPS 180-4, 6.2.2) over as many messages as a vector has words: word i of
// every vector belongs to message i. Compiled once for each instruction set, by the file that includes it; so
// nothing of it may be shared between them, and nothing but the vectors of the compiler is used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "common/digest_constants.hpp"

namespace common {
namespace {  // NOLINT(cert-dcl59-cpp,google-build-namespaces): see above

// Words and Octets: vectors of 32-bit and of 8-bit words, of one size.
template <typename Words, typename Octets>
struct Kernel {
  static constexpr int k_lanes = sizeof(Words) / 4;

  template <int Bits>
  [[gnu::always_inline]] static inline Words rotated(const Words& x) {
    return (x >> Bits) | (x << (32 - Bits));
  }

  template <int Half, int... I>
  [[gnu::always_inline]] static inline Words interleaved(const Words& a, const Words& b,
                                                         std::integer_sequence<int, I...>) {
    return __builtin_shufflevector(a, b, (Half * k_lanes / 2 + I / 2 + I % 2 * k_lanes)...);
  }
  // The lower or upper halves of both, one word of each in turn.
  template <int Half>
  [[gnu::always_inline]] static inline Words interleaved(const Words& a, const Words& b) {
    return interleaved<Half>(a, b, std::make_integer_sequence<int, k_lanes>());
  }

  // Words 0 .. k_lanes - 1 of each message -> that word of all messages: rows are interleaved with those half
  // a square further down, until each has come through all bits of its number.
  [[gnu::always_inline]] static inline void transpose(Words (&rows)[k_lanes]) {
    Words other[k_lanes];
    for (int step = 1; step < k_lanes; step *= 2) {
      for (int i = 0; i < k_lanes / 2; ++i) {
        other[2 * i] = interleaved<0>(rows[i], rows[i + k_lanes / 2]);
        other[2 * i + 1] = interleaved<1>(rows[i], rows[i + k_lanes / 2]);
      }
      for (int i = 0; i < k_lanes; ++i) rows[i] = other[i];
    }
  }

  template <int... I>
  [[gnu::always_inline]] static inline Words big_endian(const std::uint8_t* from,
                                                        std::integer_sequence<int, I...>) {
    Octets bytes;
    std::memcpy(&bytes, from, sizeof bytes);
    return reinterpret_cast<Words>(__builtin_shufflevector(bytes, bytes, (I ^ 3)...));
  }

  // The sixteen words of a block of each message.
  [[gnu::always_inline]] static inline void load(const std::uint8_t* const* messages, std::size_t offset,
                                                 Words (&words)[16]) {
    for (int part = 0; part < 16 / k_lanes; ++part) {
      Words rows[k_lanes];
      const std::size_t begin = offset + static_cast<std::size_t>(part) * sizeof(Words);
      for (int lane = 0; lane < k_lanes; ++lane)
        rows[lane] = big_endian(messages[lane] + begin, std::make_integer_sequence<int, 4 * k_lanes>());
      transpose(rows);
      for (int i = 0; i < k_lanes; ++i) words[part * k_lanes + i] = rows[i];
    }
  }

  // states[lane]: the eight words of the state of that message.
  [[gnu::always_inline]] static inline void run(std::uint32_t* const* states,
                                                const std::uint8_t* const* messages, std::size_t blocks) {
    Words h[8];
    for (int i = 0; i < 8; ++i)
      for (int lane = 0; lane < k_lanes; ++lane) h[i][lane] = states[lane][i];
    for (std::size_t offset = 0; offset < blocks * k_block_bytes; offset += k_block_bytes) {
      Words w[16];
      load(messages, offset, w);
      Words a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], last = h[7];
      for (int t = 0; t < 64; t += 16)
#pragma GCC unroll 16
        for (int i = 0; i < 16; ++i) {
          if (t > 0) {
            const Words &from_15 = w[(i + 1) % 16], &from_2 = w[(i + 14) % 16];
            w[i] += (rotated<7>(from_15) ^ rotated<18>(from_15) ^ (from_15 >> 3)) + w[(i + 9) % 16] +
                    (rotated<17>(from_2) ^ rotated<19>(from_2) ^ (from_2 >> 10));
          }
          const Words first = last + (rotated<6>(e) ^ rotated<11>(e) ^ rotated<25>(e)) + (g ^ (e & (f ^ g))) +
                              (k_sha256_constants[t + i] + w[i]);
          const Words second = (rotated<2>(a) ^ rotated<13>(a) ^ rotated<22>(a)) + ((a & b) | (c & (a | b)));
          last = g, g = f, f = e, e = d + first;
          d = c, c = b, b = a, a = first + second;
        }
      h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e, h[5] += f, h[6] += g, h[7] += last;
    }
    for (int i = 0; i < 8; ++i)
      for (int lane = 0; lane < k_lanes; ++lane) states[lane][i] = h[i][lane];
  }
};

}  // namespace
}  // namespace common
