#include "packer/leaks/picture_match.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <vector>

#include "packer/leaks/bit_counts.hpp"

namespace packer {
namespace {

constexpr double k_flat_deviation = 3;       // grey levels of 256
constexpr double k_smooth_deviation = 0.7;   // of the details: a gradient, whose details are rounding
constexpr double k_colourful_deviation = 6;  // a grey picture has less, whatever its JPEG did
constexpr double k_colour_correlation = 0.6;
constexpr int k_grid = 24;  // cells a side that are compared, and those of a first look
constexpr int k_coarse_grid = 10;
constexpr double k_worth_a_look = 0.7, k_coarse_alike = 0.88;  // correlations
constexpr std::size_t k_looks = 2;                             // windows that are tried
constexpr double k_most_cut = 0.14;
constexpr double k_noise = 0.25;  // of the details of a smooth picture, by a JPEG: half a grey level, squared
constexpr int k_blocks = 3;       // a side, of which each has to agree
constexpr double k_block_deviation = 2;  // grey levels; with fewer a block has no details
constexpr int k_colour_grid = 8;

// Borders cut off, in parts of the whole.
struct Window {
  double left = 0, right = 0, top = 0, bottom = 0;
};

// Averages of [from, to) of a line of `side` pixels over `cells` cells.
struct Weights {
  struct Cell {
    int first = 0;
    int count = 0;
    std::array<float, 7> weight{};  // a cell of 4.8 pixels reaches into six
  };
  std::array<Cell, k_grid> cells;
  Weights(int side, int count, double cut_before, double cut_behind) {
    const double from = cut_before * side, to = side - cut_behind * side;
    for (int i = 0; i < count; ++i) {
      const double begin = from + (to - from) * i / count, end = from + (to - from) * (i + 1) / count;
      Cell& cell = cells[static_cast<std::size_t>(i)];
      cell.first = std::clamp(static_cast<int>(std::floor(begin)), 0, side - 1);
      const int last = std::clamp(static_cast<int>(std::ceil(end)) - 1, cell.first, side - 1);
      cell.count = std::min(last - cell.first + 1, 7);
      for (int k = 0; k < cell.count; ++k) {
        const double low = std::max<double>(begin, cell.first + k);
        const double high = std::min<double>(end, cell.first + k + 1);
        cell.weight[static_cast<std::size_t>(k)] =
            static_cast<float>(std::max(0.0, high - low) / (end - begin));
      }
    }
  }
};

using Grid = std::vector<float>;

Grid sample(const std::uint8_t* plane, int side, int cells, const Window& window) {
  const Weights across(side, cells, window.left, window.right), down(side, cells, window.top, window.bottom);
  std::array<float, static_cast<std::size_t>(k_luma_side) * k_grid> lines;
  for (int row = 0; row < side; ++row)
    for (int i = 0; i < cells; ++i) {
      const Weights::Cell& cell = across.cells[static_cast<std::size_t>(i)];
      float sum = 0;
      for (int k = 0; k < cell.count; ++k)
        sum +=
            cell.weight[static_cast<std::size_t>(k)] * static_cast<float>(plane[row * side + cell.first + k]);
      lines[static_cast<std::size_t>(row * cells + i)] = sum;
    }
  Grid grid(static_cast<std::size_t>(cells * cells));
  for (int i = 0; i < cells; ++i) {
    const Weights::Cell& cell = down.cells[static_cast<std::size_t>(i)];
    for (int k = 0; k < cell.count; ++k)
      for (int j = 0; j < cells; ++j)
        grid[static_cast<std::size_t>(i * cells + j)] +=
            cell.weight[static_cast<std::size_t>(k)] *
            lines[static_cast<std::size_t>((cell.first + k) * cells + j)];
  }
  return grid;
}

struct Moments {
  double sum = 0, squares = 0;
};

Moments moments_of(const Grid& grid) {
  Moments moments;
  for (const float value : grid) {
    moments.sum += value;
    moments.squares += static_cast<double>(value) * value;
  }
  return moments;
}

double deviation_of(const Grid& grid) {
  const Moments moments = moments_of(grid);
  const double count = static_cast<double>(grid.size());
  return std::sqrt(std::max(0.0, moments.squares / count - moments.sum * moments.sum / count / count));
}

// `noise`: variance that both have beside what they show; with it, what hardly varies is alike.
double correlation(const Grid& a, const Grid& b, double noise = 0) {
  double sum_a = 0, sum_b = 0, squares_a = 0, squares_b = 0, product = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    sum_a += x;
    sum_b += y;
    squares_a += x * x;
    squares_b += y * y;
    product += x * y;
  }
  const double count = static_cast<double>(a.size());
  const double shared = noise * count;
  const double spread =
      (squares_a - sum_a * sum_a / count + shared) * (squares_b - sum_b * sum_b / count + shared);
  return spread <= 0 ? 0 : (product - sum_a * sum_b / count + shared) / std::sqrt(spread);
}

// What is left where each pixel's surroundings are taken away: where pictures of one outline differ.
Grid detail_of(const Grid& grid, int side) {
  Grid detail(grid.size());
  for (int row = 0; row < side; ++row)
    for (int column = 0; column < side; ++column) {
      float sum = 0;
      int count = 0;
      for (int y = std::max(0, row - 1); y <= std::min(side - 1, row + 1); ++y)
        for (int x = std::max(0, column - 1); x <= std::min(side - 1, column + 1); ++x, ++count)
          sum += grid[static_cast<std::size_t>(y * side + x)];
      const auto at = static_cast<std::size_t>(row * side + column);
      detail[at] = grid[at] - sum / static_cast<float>(count);
    }
  return detail;
}

Window window_of(int number) {
  // As the module cuts its 64 pixels.
  const double step = 3.0 / 64;
  return {number / 27 * step, number / 9 % 3 * step, number / 3 % 3 * step, number % 3 * step};
}

// Two pictures at one size of grid.
struct Sight {
  int cells;
  Grid whole;
  const PictureMark* cut_from;
  Sight(const PictureMark& whole_mark, const PictureMark& other, int cells_a_side)
      : cells(cells_a_side), whole(sample(whole_mark.luma, k_luma_side, cells, {})), cut_from(&other) {}
  [[nodiscard]] Grid other(const Window& at) const { return sample(cut_from->luma, k_luma_side, cells, at); }
  [[nodiscard]] double agreement(const Window& at) const { return correlation(whole, other(at)); }
};

// Moves the borders until the pixels agree no better. Gives the correlation; `window` is where.
double settle(const Sight& sight, double first_step, double last_step, Window& window) {
  double best = sight.agreement(window);
  for (double step = first_step; step > last_step; step /= 2) {
    for (bool moved = true; moved;) {
      moved = false;
      for (double Window::*const border : {&Window::left, &Window::right, &Window::top, &Window::bottom})
        for (const double by : {step, -step}) {
          Window next = window;
          next.*border += by;
          if (next.*border < 0 || next.*border > k_most_cut) continue;
          const double found = sight.agreement(next);
          if (found <= best + 1e-6) continue;
          best = found;
          window = next;
          moved = true;
        }
    }
  }
  return best;
}

Grid colours_of(const PictureMark& mark, const Window& window) {
  Grid both = sample(mark.blue, k_chroma_side, k_colour_grid, window);
  Grid red = sample(mark.red, k_chroma_side, k_colour_grid, window);
  // Each around its own mean: a cast over the whole picture is no difference.
  for (Grid* plane : {&both, &red}) {
    const double mean = moments_of(*plane).sum / static_cast<double>(plane->size());
    for (float& value : *plane) value -= static_cast<float>(mean);
  }
  both.insert(both.end(), red.begin(), red.end());
  return both;
}

bool colours_differ(const PictureMark& whole, const PictureMark& cut_from, const Window& window) {
  const Grid a = colours_of(whole, {}), b = colours_of(cut_from, window);
  if (deviation_of(a) < k_colourful_deviation || deviation_of(b) < k_colourful_deviation) return false;
  return correlation(a, b) < k_colour_correlation;
}

// Where a picture was made brighter or of more contrast, some of it became white or black.
bool is_clipped(float value) { return value < 4 || value > 251; }

// What a change of brightness and contrast, and the clipping that comes with it, makes of `from` where it is
// to become `to`: a straight line through what is clipped in neither, cut off at black and white.
Grid as_changed(const Grid& from, const Grid& to) {
  double count = 0, sum_x = 0, sum_y = 0, squares = 0, product = 0;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const double x = from[i], y = to[i];
    if (is_clipped(from[i]) || is_clipped(to[i])) continue;
    count += 1;
    sum_x += x;
    sum_y += y;
    squares += x * x;
    product += x * y;
  }
  const double spread = count * squares - sum_x * sum_x;
  if (count < 8 || spread <= 0) return from;
  const double gain = (count * product - sum_x * sum_y) / spread, offset = (sum_y - gain * sum_x) / count;
  Grid changed(from.size());
  std::transform(from.begin(), from.end(), changed.begin(), [&](float value) {
    return static_cast<float>(std::clamp(gain * value + offset, 0.0, 255.0));
  });
  return changed;
}

// The details of one part of two pictures, where it has any.
struct Block {
  Grid one, other;
  std::size_t clipped = 0;
  [[nodiscard]] bool has_details() const {
    return clipped * 2 <= one.size() && std::max(deviation_of(one), deviation_of(other)) >= k_block_deviation;
  }
};

// Pictures that share a frame, or all but a number, agree as a whole and not in each part: 1 - the least
// correlation of a part's details.
double worst_of_blocks(const Grid& changed, const Grid& to, const Grid& details, const Grid& details_of_to,
                       int cells) {
  std::array<Block, static_cast<std::size_t>(k_blocks) * k_blocks> blocks;
  for (int row = 0; row < cells; ++row)
    for (int column = 0; column < cells; ++column) {
      const auto at = static_cast<std::size_t>(row * cells + column);
      const int number = row * k_blocks / cells * k_blocks + column * k_blocks / cells;
      Block& block = blocks[static_cast<std::size_t>(number)];
      block.one.push_back(details[at]);
      block.other.push_back(details_of_to[at]);
      block.clipped += is_clipped(changed[at]) || is_clipped(to[at]) ? 1 : 0;
    }
  double least = 1;
  for (const Block& block : blocks)
    if (block.has_details())
      least = std::min(least, correlation(block.one, block.other, k_block_deviation * k_block_deviation / 4));
  return 1 - least;
}

Likeness agreement_of(const Grid& from, const Grid& to, int cells) {
  const Grid changed = as_changed(from, to);
  const Grid details = detail_of(changed, cells), details_of_to = detail_of(to, cells);
  return {1 - correlation(changed, to), 1 - correlation(details, details_of_to, k_noise),
          worst_of_blocks(changed, to, details, details_of_to, cells)};
}

// Either may be the one that was changed.
Likeness agreement_of(const Sight& sight, const Window& window) {
  const Grid other = sight.other(window);
  const Likeness one = agreement_of(sight.whole, other, sight.cells);
  const Likeness another = agreement_of(other, sight.whole, sight.cells);
  return one.detail <= another.detail ? one : another;
}

// How `whole` is found in `cut_from`.
std::optional<Likeness> find_in(const PictureMark& whole, const PictureMark& cut_from) {
  if (nearest_hash(whole.hashes[0], cut_from.hashes, k_windows) > k_hash_bits) return std::nullopt;
  std::vector<std::pair<int, int>> windows;  // bits, number
  for (int i = 0; i < k_windows; ++i) {
    const int bits = std::popcount(whole.hashes[0] ^ cut_from.hashes[i]);
    if (bits <= k_hash_bits) windows.emplace_back(bits, i);
  }
  std::sort(windows.begin(), windows.end());
  if (windows.size() > k_looks) windows.resize(k_looks);
  // What has few pixels has none to tell details by.
  const int cells =
      std::clamp(std::min<int>(whole.least_side, cut_from.least_side) / 2, k_coarse_grid, k_grid);
  const Sight coarse(whole, cut_from, k_coarse_grid);
  std::optional<Sight> fine;
  std::optional<Likeness> best;
  const auto look = [&](Window window) {
    if (!fine) fine.emplace(whole, cut_from, cells);
    if (settle(*fine, 0.012, 0.001, window) < k_worth_a_look || colours_differ(whole, cut_from, window))
      return;
    const Likeness found = agreement_of(*fine, window);
    if (!best || found.detail < best->detail) best = found;
  };
  for (const auto& candidate : windows) {
    const Window begin = window_of(candidate.second);
    if (coarse.agreement(begin) < k_worth_a_look || colours_differ(whole, cut_from, begin)) continue;
    // A fine texture agrees nowhere but in its place; what is blurred leads there.
    Window window = begin;
    if (settle(coarse, 0.024, 0.01, window) < k_coarse_alike) continue;
    look(window);
    if (best && best->is_near_duplicate()) break;
    look(begin);
  }
  return best;
}

}  // namespace

bool is_flat(const PictureMark& mark) {
  const Grid grid = sample(mark.luma, k_luma_side, k_grid, {});
  if (deviation_of(grid) < k_flat_deviation) return true;
  const Grid detail = detail_of(grid, k_grid);
  Grid inner;  // at the border a cell has neighbours on one side only, and a gradient has details
  for (int row = 1; row + 1 < k_grid; ++row)
    inner.insert(inner.end(), detail.begin() + row * k_grid + 1, detail.begin() + (row + 1) * k_grid - 1);
  return deviation_of(inner) < k_smooth_deviation;
}

std::optional<Likeness> compare_pictures(const PictureMark& a, const PictureMark& b) {
  const auto one = find_in(a, b), other = find_in(b, a);
  if (!one || !other) return one ? one : other;
  return one->detail <= other->detail ? one : other;
}

}  // namespace packer
