#include "common/image_module.hpp"

#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

bool safe_image_decode(common::ByteView file, common::Picture& picture, std::string& why) {
  try {
    const cv::Mat raw(1, static_cast<int>(file.size()), CV_8U, const_cast<std::uint8_t*>(file.data()));
    const cv::Mat bgr = cv::imdecode(raw, cv::IMREAD_COLOR);
    if (bgr.empty()) {
      why = "the decoder gives up";
      return false;
    }
    cv::Mat rgb;
    cv::cvtColor(bgr, rgb, cv::COLOR_BGR2RGB);
    picture = {rgb.cols, rgb.rows, {}};
    picture.pixels.assign(rgb.datastart, rgb.dataend);
    return true;
  } catch (const cv::Exception& error) {
    why = error.what();
    return false;
  }
}

bool safe_image_encode(const common::Picture& picture, int quality, common::Bytes& jpeg) {
  try {
    const cv::Mat rgb(picture.height, picture.width, CV_8UC3,
                      const_cast<std::uint8_t*>(picture.pixels.data()));
    cv::Mat bgr;
    cv::cvtColor(rgb, bgr, cv::COLOR_RGB2BGR);
    return cv::imencode(".jpg", bgr, jpeg, {cv::IMWRITE_JPEG_QUALITY, quality});
  } catch (const cv::Exception&) {
    return false;
  }
}
