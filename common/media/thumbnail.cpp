#include "common/media/thumbnail.hpp"

#include <algorithm>

#include "common/error.hpp"

namespace common {
namespace {

struct Part {
  std::size_t from = 0;  // a row or column of the picture
  std::uint64_t weight = 0;
};

// What each of `to` rows covers of `from` rows: `from` in sum, in units of 1 / to of a row.
std::vector<std::vector<Part>> coverage(std::uint64_t from, std::uint64_t to) {
  std::vector<std::vector<Part>> rows(static_cast<std::size_t>(to));
  for (std::uint64_t i = 0; i < to; ++i) {
    const std::uint64_t begin = i * from, end = begin + from;
    for (std::uint64_t at = begin; at < end;) {
      const std::uint64_t row = at / to, next = std::min(end, (row + 1) * to);
      rows[static_cast<std::size_t>(i)].push_back({static_cast<std::size_t>(row), next - at});
      at = next;
    }
  }
  return rows;
}

}  // namespace

Picture scaled_down(const Picture& picture, int limit_side) {
  ENSURE(picture.width > 0 && picture.height > 0 && limit_side > 0);
  const int longer = std::max(picture.width, picture.height);
  if (longer <= limit_side) return picture;
  const auto scaled = [&](int side) {
    const std::int64_t rounded = (std::int64_t{2} * side * limit_side + longer) / (std::int64_t{2} * longer);
    return static_cast<int>(std::max<std::int64_t>(rounded, 1));
  };
  Picture small{scaled(picture.width), scaled(picture.height), {}};
  const auto row_bytes = std::size_t{3} * static_cast<std::size_t>(picture.width);
  const auto columns =
      coverage(static_cast<std::uint64_t>(picture.width), static_cast<std::uint64_t>(small.width));
  const auto rows =
      coverage(static_cast<std::uint64_t>(picture.height), static_cast<std::uint64_t>(small.height));
  // At most 255 for each pixel of the largest picture: far below 2^64.
  const std::uint64_t whole =
      static_cast<std::uint64_t>(picture.width) * static_cast<std::uint64_t>(picture.height);
  std::vector<std::uint64_t> line(row_bytes);  // the sum of the rows that a row covers
  small.pixels.reserve(3 * columns.size() * rows.size());
  for (const std::vector<Part>& row : rows) {
    std::fill(line.begin(), line.end(), 0);
    for (const Part& part : row) {
      const std::uint8_t* from = picture.pixels.data() + row_bytes * part.from;
      for (std::size_t i = 0; i < row_bytes; ++i) line[i] += part.weight * from[i];
    }
    for (const std::vector<Part>& column : columns)
      for (std::size_t channel = 0; channel < 3; ++channel) {
        std::uint64_t sum = 0;
        for (const Part& part : column) sum += part.weight * line[3 * part.from + channel];
        small.pixels.push_back(static_cast<std::uint8_t>((sum + whole / 2) / whole));
      }
  }
  return small;
}

}  // namespace common
