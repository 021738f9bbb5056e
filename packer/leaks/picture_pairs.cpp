#include "packer/leaks/picture_pairs.hpp"

#include "common/parallel.hpp"

namespace packer {

std::vector<PicturePair> find_picture_pairs(std::span<const PictureMark> marks,
                                            std::span<const std::uint32_t> groups, unsigned threads) {
  std::vector<std::vector<PicturePair>> found(marks.size());
  common::parallel_for(marks.size(), threads, [&](std::size_t i) {
    for (std::size_t j = i + 1; j < marks.size(); ++j) {
      if (groups[i] == groups[j]) continue;
      const auto likeness = compare_pictures(marks[i], marks[j]);
      if (likeness && likeness->is_near_duplicate())
        found[i].push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(j), *likeness});
    }
  });
  std::vector<PicturePair> pairs;
  for (const std::vector<PicturePair>& some : found) pairs.insert(pairs.end(), some.begin(), some.end());
  return pairs;
}

}  // namespace packer
