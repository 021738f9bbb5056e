// Whole pictures of every kind that people have, and what may stand behind a picture's end.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tests/support/pictures.hpp"

namespace support {

inline common::Bytes joined(common::ByteView first, common::ByteView second) {
  common::Bytes all(first.begin(), first.end());
  all.insert(all.end(), second.begin(), second.end());
  return all;
}

// Every kind of picture that people have.
inline std::map<std::string, common::Bytes> whole_pictures() {
  const int width = 48, height = 32;
  const auto noise = [&](int channels) {
    common::Bytes samples;
    std::uint32_t state = 1;
    for (int i = 0; i < width * height * channels; ++i)
      samples.push_back(static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24));
    return samples;
  };
  const auto as_is = [](jpeg_compress_struct&) {};
  const auto progressive = [](jpeg_compress_struct& jpeg) { ::jpeg_simple_progression(&jpeg); };
  const auto restarts = [](jpeg_compress_struct& jpeg) { jpeg.restart_in_rows = 1; };
  std::map<std::string, common::Bytes> all;
  all["rgb.jpg"] = jpeg_file(width, height, noise(3), JCS_RGB, as_is);
  all["progressive.jpg"] = jpeg_file(width, height, noise(3), JCS_RGB, progressive);
  all["restarts.jpg"] = jpeg_file(width, height, noise(3), JCS_RGB, restarts);
  all["grey.jpg"] = jpeg_file(width, height, noise(1), JCS_GRAYSCALE, as_is);
  all["grey-progressive.jpg"] = jpeg_file(width, height, noise(1), JCS_GRAYSCALE, progressive);
  all["cmyk.jpg"] = ink_jpeg(width, height, noise(4), JCS_CMYK, AdobeMark::written);
  all["ycck.jpg"] = ink_jpeg(width, height, noise(4), JCS_YCCK, AdobeMark::written);
  // A whole JPEG as a thumbnail: its end marker is not the picture's.
  all["thumbnail.jpg"] =
      with_app_segment(all["rgb.jpg"], 0xe1,
                       std::string("Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0", 20) +
                           std::string(common::text_of(common::encode_jpeg(ramp_picture(8, 8), 90))));
  all["grey.png"] = png_file(width, height, 8, k_grey, std::string(common::text_of(noise(1))));
  all["rgb.png"] = png_file(width, height, 8, k_rgb, std::string(common::text_of(noise(3))),
                            png_chunk("tEXt", std::string("Comment\0hello", 13)));
  return all;
}

// What cameras, editors, servers and people leave behind a picture.
inline std::map<std::string, common::Bytes> trailers() {
  const auto bytes = [](std::string_view text) { return common::Bytes(text.begin(), text.end()); };
  common::Bytes noise;
  std::uint32_t state = 7;
  for (int i = 0; i < 100'000; ++i)
    noise.push_back(static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24));
  const common::Bytes other = common::encode_jpeg(ramp_picture(40, 40), 90);
  return {{"CR LF", bytes("\r\n")},
          {"a blank", bytes(" ")},
          {"NUL bytes", common::Bytes(100, 0)},
          {"one 0xFF", common::Bytes(1, 0xff)},
          {"many 0xFF", common::Bytes(64, 0xff)},
          {"Samsung's", joined(bytes({"\0\0\x01\x0a\x0e\0\0\0Image_UTC_Data1606655339", 32}),
                               bytes({"SEFHk\0\0\0\x01\0\0\0\0\0\x01\x0a\x24\0\0\0\x24\0\0\0SEFT", 28}))},
          {"a zip", joined(bytes({"PK\x03\x04\x14\0\0\0\0\0", 10}), common::Bytes(300, 'x'))},
          {"a web page", bytes("<!DOCTYPE html><html><body>error</body></html>\n")},
          {"a second picture", other},
          {"a second picture, cut short", common::Bytes(other.begin(), other.end() - 20)},
          {"an end marker", {0xff, 0xd9}},
          {"noise", noise}};
}

}  // namespace support
