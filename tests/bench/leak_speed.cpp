// How long it takes to look for near-duplicates among many items, and how much memory:
//   bench_leak_speed pictures|sounds COUNT [THREADS]
// The marks are drawn at random: hashes and grey levels of pictures; of sounds of ten seconds levels that
// wander from frame to frame, as those of overlapping windows do. One item in a thousand is a copy, which
// differs a little.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "common/parallel.hpp"
#include "packer/leaks/picture_pairs.hpp"
#include "packer/leaks/sound_pairs.hpp"

namespace {

constexpr std::size_t k_copy_each = 1000;

packer::PictureMark draw_picture(std::size_t number) {
  std::mt19937_64 random(number);
  packer::PictureMark mark{};
  mark.least_side = 480;
  for (std::uint64_t& hash : mark.hashes) hash = random();
  for (std::uint8_t& level : mark.luma) level = static_cast<std::uint8_t>(random());
  return mark;
}

packer::SoundMark draw_sound(std::size_t number, bool is_copy) {
  constexpr std::size_t k_frames = packer::sound_frames(10 * packer::k_sound_rate_hz);
  std::minstd_rand random(static_cast<std::uint32_t>(number + 1));
  // A sum of four is near enough to the normal distribution.
  const auto draw = [](std::minstd_rand& from) {
    float sum = 0;
    for (int i = 0; i < 4; ++i) sum += static_cast<float>(from()) / 2147483648.0F - 0.5F;
    return 9 * sum;
  };
  std::vector<float> levels(k_frames * packer::k_bands);
  for (std::size_t i = 0; i < levels.size(); ++i)
    levels[i] = -30 + (i < packer::k_bands ? 0 : 0.75F * (levels[i - packer::k_bands] + 30)) + draw(random);
  std::minstd_rand noise(7);
  if (is_copy)
    for (float& level : levels) level += 0.2F * draw(noise);
  return packer::mark_sound(levels);
}

template <typename Mark, typename Draw, typename Find>
int measure(std::size_t count, unsigned threads, const Draw& draw, const Find& find) {
  std::vector<Mark> marks(count);
  std::vector<std::uint32_t> groups(count);
  common::parallel_for(count, threads, [&](std::size_t i) {
    const bool is_copy = i % k_copy_each == k_copy_each - 1;
    marks[i] = draw(is_copy ? i - 1 : i, is_copy);
    groups[i] = static_cast<std::uint32_t>(i);
  });
  const auto start = std::chrono::steady_clock::now();
  rusage before{}, after{};
  ::getrusage(RUSAGE_SELF, &before);
  const std::size_t pairs = find(marks, groups, threads).size();
  ::getrusage(RUSAGE_SELF, &after);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  const auto seconds = [](const rusage& usage) {
    return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
  };
  std::printf("%zu items, %zu copies: %zu pairs in %.1f s, %.1f s of processor; at most %ld MiB\n", count,
              count / k_copy_each, pairs, took.count(), seconds(after) - seconds(before),
              after.ru_maxrss / 1024);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc > 2 ? argv[1] : "";
  if (kind != "pictures" && kind != "sounds") {
    std::fprintf(stderr, "bench_leak_speed pictures|sounds COUNT [THREADS]\n");
    return 2;
  }
  const std::size_t count = std::stoul(argv[2]);
  const unsigned threads = argc > 3 ? static_cast<unsigned>(std::stoul(argv[3])) : 0;
  if (kind == "sounds")
    return measure<packer::SoundMark>(count, threads, draw_sound, packer::find_sound_pairs);
  return measure<packer::PictureMark>(
      count, threads, [](std::size_t number, bool) { return draw_picture(number); },
      packer::find_picture_pairs);
}
