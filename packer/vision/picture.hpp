// Pictures made small and hashed, through OpenCV.
#pragma once

#include <opencv2/core.hpp>

#include "packer/leaks/vision_interface.hpp"

namespace packer::vision {

// `picture`: 8 bits, three channels R G B.
void mark_picture(const cv::Mat& picture, PictureMark& mark);

}  // namespace packer::vision
