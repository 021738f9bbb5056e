// Pictures that no camera takes: PNGs of any depth and colour type, and JPEGs of four inks.
#pragma once

// jpeglib.h uses FILE and does not include it.
#include <cstdio>
// Then the order is libjpeg's own.
#include <jpeglib.h>
#include <zlib.h>

#include <cstdlib>
#include <string>

#include "common/bytes.hpp"
#include "common/error.hpp"
#include "common/media/image.hpp"

namespace support {

// The PNG specification's colour types.
enum PngColour { k_grey = 0, k_rgb = 2, k_palette = 3, k_grey_alpha = 4, k_rgb_alpha = 6 };

inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xff);
  return text;
}

inline std::string png_chunk(const std::string& type, const std::string& body) {
  const std::string checked = type + body;
  const auto crc =
      ::crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  return big_endian(body.size(), 4) + checked + big_endian(crc, 4);
}

// `rows`: of each row its packed samples, without the filter byte. `before`: chunks that stand before IDAT.
inline common::Bytes png_file(int width, int height, int depth, PngColour colour, const std::string& rows,
                              const std::string& before = "") {
  const std::size_t row_bytes = rows.size() / static_cast<std::size_t>(height);
  std::string filtered;
  for (std::size_t at = 0; at < rows.size(); at += row_bytes) filtered += '\0' + rows.substr(at, row_bytes);
  std::string packed(::compressBound(static_cast<uLong>(filtered.size())), '\0');
  uLongf size = static_cast<uLongf>(packed.size());
  if (::compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                 reinterpret_cast<const Bytef*>(filtered.data()),
                 static_cast<uLong>(filtered.size())) != Z_OK)
    std::abort();
  packed.resize(size);
  const std::string file =
      "\x89PNG\r\n\x1a\n" +
      png_chunk("IHDR", big_endian(static_cast<std::uint64_t>(width), 4) +
                            big_endian(static_cast<std::uint64_t>(height), 4) + static_cast<char>(depth) +
                            static_cast<char>(colour) + std::string(3, '\0')) +
      before + png_chunk("IDAT", packed) + png_chunk("IEND", "");
  const common::ByteView bytes = common::view_of(file);
  return {bytes.begin(), bytes.end()};
}

// A JPEG of `samples`, as many bytes a pixel as `space` has channels; `configure` sets more before it begins.
template <typename Configure>
common::Bytes jpeg_file(int width, int height, const common::Bytes& samples, J_COLOR_SPACE space,
                        const Configure& configure) {
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = ::jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  ::jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = static_cast<JDIMENSION>(width);
  jpeg.image_height = static_cast<JDIMENSION>(height);
  jpeg.input_components = space == JCS_GRAYSCALE ? 1 : space == JCS_RGB ? 3 : 4;
  jpeg.in_color_space = space;
  ::jpeg_set_defaults(&jpeg);
  ::jpeg_set_quality(&jpeg, 95, TRUE);
  configure(jpeg);
  ::jpeg_start_compress(&jpeg, TRUE);
  const std::size_t row_bytes = static_cast<std::size_t>(jpeg.input_components) * jpeg.image_width;
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<JSAMPROW>(samples.data() + row_bytes * jpeg.next_scanline);
    ::jpeg_write_scanlines(&jpeg, &row, 1);
  }
  ::jpeg_finish_compress(&jpeg);
  ::jpeg_destroy_compress(&jpeg);
  common::Bytes file(bytes, bytes + size);
  std::free(bytes);
  return file;
}

// Whether it is refused as a picture is, and in no other way.
inline bool is_refused_picture(common::ByteView file) {
  try {
    (void)common::decode_picture(file, "picture.jpg");
  } catch (const common::Error& error) {
    return error.kind() == common::ErrorKind::mismatch;
  }
  return false;
}

inline common::Picture ramp_picture(int width, int height) {
  common::Picture picture{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (const int value : {x * 2, y * 2, 90}) picture.pixels.push_back(static_cast<std::uint8_t>(value));
  return picture;
}

enum class AdobeMark { written, absent };

// `inks`: four bytes a pixel as they are stored. space: JCS_CMYK or JCS_YCCK.
inline common::Bytes ink_jpeg(int width, int height, const common::Bytes& inks, J_COLOR_SPACE space,
                              AdobeMark mark) {
  return jpeg_file(width, height, inks, JCS_CMYK, [&](jpeg_compress_struct& jpeg) {
    ::jpeg_set_colorspace(&jpeg, space);
    ::jpeg_set_quality(&jpeg, 95, TRUE);
    jpeg.write_Adobe_marker = mark == AdobeMark::written ? TRUE : FALSE;
  });
}

// Grey, with `scans` scans in all: one for the mean of each block, then one and the same again and again,
// which the format allows.
inline common::Bytes many_scans_jpeg(int scans) {
  static constexpr jpeg_scan_info k_script[] = {{1, {0}, 0, 0, 0, 0}, {1, {0}, 1, 63, 0, 0}};
  const common::Bytes once =
      jpeg_file(16, 16, common::Bytes(256, 90), JCS_GRAYSCALE, [](jpeg_compress_struct& jpeg) {
        jpeg.scan_info = k_script;
        jpeg.num_scans = 2;
      });
  std::size_t last = 0;  // where the last scan begins
  for (std::size_t i = 0; i + 1 < once.size(); ++i)
    if (once[i] == 0xff && once[i + 1] == 0xda) last = i;
  common::Bytes file(once.begin(), once.end() - 2);
  for (int i = 2; i < scans; ++i)
    file.insert(file.end(), once.begin() + static_cast<std::ptrdiff_t>(last), once.end() - 2);
  file.insert(file.end(), once.end() - 2, once.end());
  return file;
}

// `segment_body` in an APPn segment behind the JPEG's first marker.
inline common::Bytes with_app_segment(const common::Bytes& jpeg, std::uint8_t marker,
                                      const std::string& segment_body) {
  std::string segment = "\xff";
  segment += static_cast<char>(marker);
  segment += big_endian(segment_body.size() + 2, 2) + segment_body;
  common::Bytes file = jpeg;
  file.insert(file.begin() + 2, segment.begin(), segment.end());
  return file;
}

}  // namespace support
