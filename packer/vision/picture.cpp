#include "packer/vision/picture.hpp"

#include <opencv2/imgproc.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

namespace packer::vision {
namespace {

// A window is taken from a plane of this side, in which a step is 4.7 % of the picture.
constexpr int k_plane_side = 64;
constexpr int k_step = 3;
constexpr int k_dct_side = 32;
constexpr int k_hash_side = 8;

void keep(const cv::Mat& plane, int side, std::uint8_t* to) {
  cv::Mat small;
  cv::resize(plane, small, {side, side}, 0, 0, cv::INTER_AREA);
  for (int row = 0; row < side; ++row) std::copy_n(small.ptr<std::uint8_t>(row), side, to + row * side);
}

// One bit for each of the 64 lowest frequencies but the mean: whether its coefficient is clearly positive.
// Half of those of a symmetric picture are next to zero, and their signs are noise; so "next to zero" is no.
std::uint64_t hash_of(const cv::Mat& window) {
  cv::Mat even, frequencies;
  cv::resize(window, even, {k_dct_side, k_dct_side}, 0, 0, cv::INTER_LINEAR);
  cv::dct(even, frequencies);
  std::array<float, 64> low{}, sizes{};
  for (int row = 0; row < k_hash_side; ++row)
    std::copy_n(frequencies.ptr<float>(row), k_hash_side, low.data() + row * k_hash_side);
  low[0] = frequencies.at<float>(0, k_hash_side);
  std::transform(low.begin(), low.end(), sizes.begin(), [](float value) { return std::abs(value); });
  std::nth_element(sizes.begin(), sizes.begin() + 48, sizes.end());
  const float limit = 0.15F * sizes[48];
  std::uint64_t hash = 0;
  for (std::size_t bit = 0; bit < 64; ++bit)
    if (low[bit] > limit) hash |= std::uint64_t{1} << bit;
  return hash;
}

}  // namespace

void mark_picture(const cv::Mat& picture, PictureMark& mark) {
  mark.least_side = std::min(picture.cols, picture.rows);
  // Averaged first: colours are converted once they are few.
  cv::Mat small, colours, plane;
  cv::resize(picture, small, {k_plane_side, k_plane_side}, 0, 0, cv::INTER_AREA);
  cv::cvtColor(small, colours, cv::COLOR_RGB2YCrCb);
  std::vector<cv::Mat> planes;
  cv::split(colours, planes);
  keep(planes[0], k_luma_side, mark.luma);
  keep(planes[2], k_chroma_side, mark.blue);
  keep(planes[1], k_chroma_side, mark.red);
  planes[0].convertTo(plane, CV_32F);
  std::size_t number = 0;
  for (int left = 0; left < k_cuts; ++left)
    for (int right = 0; right < k_cuts; ++right)
      for (int top = 0; top < k_cuts; ++top)
        for (int bottom = 0; bottom < k_cuts; ++bottom)
          mark.hashes[number++] = hash_of(plane(cv::Range(top * k_step, k_plane_side - bottom * k_step),
                                                cv::Range(left * k_step, k_plane_side - right * k_step)));
}

}  // namespace packer::vision
