#include "common/media/jpeg.hpp"

// jpeglib.h uses FILE and does not include it.
#include <cstdio>
// Then the order is libjpeg's own.
#include <jpeglib.h>

#include <jerror.h>

#include <array>
#include <csetjmp>
#include <cstdlib>
#include <cstring>

#include "common/error.hpp"
#include "common/program.hpp"

namespace common {
namespace {

// libjpeg reports an error by a call that must not return. Throwing through its C frames is not defined, so
// it jumps, and between setjmp and longjmp nothing may live that has a destructor.
struct Errors {
  jpeg_error_mgr base;
  std::jmp_buf jump;
  std::array<char, JMSG_LENGTH_MAX> text;
};

Errors& errors_of(j_common_ptr jpeg) { return *reinterpret_cast<Errors*>(jpeg->err); }

[[noreturn]] void stop_with(Errors& errors, const char* text) {
  std::strncpy(errors.text.data(), text, errors.text.size() - 1);
  std::longjmp(errors.jump, 1);
}

[[noreturn]] void on_error(j_common_ptr jpeg) {
  Errors& errors = errors_of(jpeg);
  errors.base.format_message(jpeg, errors.text.data());
  std::longjmp(errors.jump, 1);
}

// Cameras pad, and label colours in odd ways; any other warning means that pixels were made up.
bool is_harmless(int code) {
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR;
}

// The first warning that matters ends it: to go on with damaged data may take minutes. libjpeg walks segments
// and scans to the end marker, so that a file without one is known, whatever its last bytes are.
void on_message(j_common_ptr jpeg, int level) {
  Errors& errors = errors_of(jpeg);
  if (level >= 0 || is_harmless(errors.base.msg_code)) return;
  if (errors.base.msg_code == JWRN_JPEG_EOF)
    stop_with(errors, "it is truncated: the end marker of the JPEG is missing");
  on_error(jpeg);
}

// Called for every row of blocks of every scan.
void on_progress(j_common_ptr jpeg) {
  static_assert(k_picture_limit_scans == 100);
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number > k_picture_limit_scans)
    stop_with(errors_of(jpeg), "it has more scans than the limit of 100");
  if (stop_requested()) stop_with(errors_of(jpeg), "a signal to stop has come");
}

void install(Errors& errors) {
  ::jpeg_std_error(&errors.base);
  errors.base.error_exit = on_error;
  errors.base.emit_message = on_message;
  errors.text.fill('\0');
}

// Four inks a pixel, of which programs store the absence: 255 is none. Adobe's mark says who wrote them and
// not which way round they are, so it is not asked, as Pillow does not.
void inks_to_rgb(const std::uint8_t* inks, std::uint8_t* rgb, int width) {
  for (int x = 0; x < width; ++x, inks += 4, rgb += 3)
    for (int c = 0; c < 3; ++c)
      rgb[c] = static_cast<std::uint8_t>(inks[3] - ((255 - inks[c]) * inks[3] + 127) / 255);
}

struct Reading {
  jpeg_decompress_struct jpeg;
  Errors errors;
  jpeg_progress_mgr progress;
};

// `row` has room for four values a pixel. False: errors.text says why.
bool read_pixels(Reading& reading, ByteView file, int width, int height, std::uint8_t* row,
                 std::uint8_t* pixels) {
  jpeg_decompress_struct& jpeg = reading.jpeg;
  if (setjmp(reading.errors.jump) != 0) return false;
  ::jpeg_mem_src(&jpeg, file.data(), static_cast<unsigned long>(file.size()));
  ::jpeg_read_header(&jpeg, TRUE);
  const bool inks = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
  jpeg.out_color_space = inks ? JCS_CMYK : JCS_RGB;
  ::jpeg_start_decompress(&jpeg);
  if (jpeg.output_width != static_cast<JDIMENSION>(width) ||
      jpeg.output_height != static_cast<JDIMENSION>(height))
    stop_with(reading.errors, "its headers declare two different sizes");
  while (jpeg.output_scanline < jpeg.output_height) {
    std::uint8_t* to = pixels + std::size_t{3} * jpeg.output_width * jpeg.output_scanline;
    JSAMPROW target = inks ? row : to;
    ::jpeg_read_scanlines(&jpeg, &target, 1);
    if (inks) inks_to_rgb(row, to, width);
  }
  ::jpeg_finish_decompress(&jpeg);
  return true;
}

struct Writing {
  jpeg_compress_struct jpeg;
  Errors errors;
  unsigned char* bytes;
  unsigned long size;
};

bool write_pixels(Writing& writing, const Picture& picture, int quality) {
  jpeg_compress_struct& jpeg = writing.jpeg;
  if (setjmp(writing.errors.jump) != 0) return false;
  ::jpeg_mem_dest(&jpeg, &writing.bytes, &writing.size);
  jpeg.image_width = static_cast<JDIMENSION>(picture.width);
  jpeg.image_height = static_cast<JDIMENSION>(picture.height);
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  ::jpeg_set_defaults(&jpeg);
  ::jpeg_set_quality(&jpeg, quality, TRUE);
  ::jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    // libjpeg's interface is older than const.
    auto* row =
        const_cast<JSAMPROW>(picture.pixels.data() + std::size_t{3} * jpeg.image_width * jpeg.next_scanline);
    ::jpeg_write_scanlines(&jpeg, &row, 1);
  }
  ::jpeg_finish_compress(&jpeg);
  return true;
}

}  // namespace

Picture decode_jpeg(ByteView file, int width, int height, const std::string& name) {
  Picture picture{width, height, {}};
  const auto row_pixels = static_cast<std::size_t>(width);
  picture.pixels.resize(3 * row_pixels * static_cast<std::size_t>(height));
  Bytes row(4 * row_pixels);
  Reading reading;
  install(reading.errors);
  reading.jpeg.err = &reading.errors.base;
  jpeg_create_decompress(&reading.jpeg);
  reading.progress.progress_monitor = on_progress;
  reading.jpeg.progress = &reading.progress;
  const bool whole = read_pixels(reading, file, width, height, row.data(), picture.pixels.data());
  ::jpeg_destroy_decompress(&reading.jpeg);
  throw_if_stop_requested();
  if (!whole) refuse_picture(name, reading.errors.text.data());
  return picture;
}

std::string jpeg_library() {
#ifdef LIBJPEG_TURBO_VERSION_NUMBER
  constexpr int version = LIBJPEG_TURBO_VERSION_NUMBER;
  return "libjpeg-turbo " + std::to_string(version / 1'000'000) + "." +
         std::to_string(version / 1000 % 1000) + "." + std::to_string(version % 1000);
#else
  return "libjpeg " + std::to_string(JPEG_LIB_VERSION);
#endif
}

Bytes encode_jpeg(const Picture& picture, int quality) {
  ENSURE(picture.width > 0 && picture.height > 0);
  ENSURE(picture.pixels.size() ==
         std::size_t{3} * static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height));
  Writing writing;
  writing.bytes = nullptr;
  writing.size = 0;
  install(writing.errors);
  writing.jpeg.err = &writing.errors.base;
  jpeg_create_compress(&writing.jpeg);
  const bool whole = write_pixels(writing, picture, quality);
  ::jpeg_destroy_compress(&writing.jpeg);
  Bytes bytes;
  if (whole) bytes.assign(writing.bytes, writing.bytes + writing.size);
  std::free(writing.bytes);
  if (!whole)
    throw Error(ErrorKind::io, std::string("libjpeg cannot write a picture: ") + writing.errors.text.data());
  return bytes;
}

}  // namespace common
