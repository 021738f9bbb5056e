#include "common/media/png.hpp"

#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>

#include "common/program.hpp"

namespace common {
namespace {

// libpng's simplified interface would spare the jumps, but takes 16 bits for linear light and shows what
// gamma says; the bytes that other decoders give are wanted. It reports an error by a call that must not
// return, so between setjmp and longjmp nothing may live that has a destructor.
struct Reading {
  png_structp png;
  png_infop info;
  const std::uint8_t* bytes;
  std::size_t left;
  std::array<char, 200> text;
};

[[noreturn]] void on_error(png_structp png, png_const_charp why) {
  auto& reading = *static_cast<Reading*>(::png_get_error_ptr(png));
  std::strncpy(reading.text.data(), why, reading.text.size() - 1);
  std::longjmp(png_jmpbuf(png), 1);
}

// Warnings are about what stands beside the pixels.
void on_warning(png_structp /*png*/, png_const_charp /*why*/) {}

// Called for every row.
void on_row(png_structp png, png_uint_32 /*row*/, int /*pass*/) {
  if (stop_requested()) ::png_error(png, "a signal to stop has come");
}

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto& reading = *static_cast<Reading*>(::png_get_io_ptr(png));
  if (count > reading.left) ::png_error(png, "it is truncated");
  std::memcpy(to, reading.bytes, count);
  reading.bytes += count;
  reading.left -= count;
}

// `pixels` has room for three bytes a pixel, `rows` for a pointer a row. False: `text` says why.
bool read_pixels(Reading& reading, int width, int height, std::uint8_t* pixels, png_bytep* rows) {
  png_structp png = reading.png;
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  ::png_set_read_fn(png, &reading, read_bytes);
  ::png_set_read_status_fn(png, on_row);
  // Texts, profiles and the like are not asked for, and to inflate a thousand of them takes a minute: all but
  // IHDR, PLTE, tRNS, IDAT and IEND are passed over. Their checksums count, as for Pillow.
  ::png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  ::png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  ::png_read_info(png, reading.info);
  ::png_set_expand(png);
  ::png_set_strip_16(png);
  ::png_set_gray_to_rgb(png);
  ::png_set_strip_alpha(png);
  (void)::png_set_interlace_handling(png);
  ::png_read_update_info(png, reading.info);
  if (::png_get_image_width(png, reading.info) != static_cast<png_uint_32>(width) ||
      ::png_get_image_height(png, reading.info) != static_cast<png_uint_32>(height) ||
      ::png_get_rowbytes(png, reading.info) != std::size_t{3} * static_cast<std::size_t>(width))
    ::png_error(png, "its headers declare two different sizes");
  for (std::size_t y = 0; y < static_cast<std::size_t>(height); ++y)
    rows[y] = pixels + std::size_t{3} * static_cast<std::size_t>(width) * y;
  ::png_read_image(png, rows);
  ::png_read_end(png, nullptr);
  return true;
}

}  // namespace

Picture decode_png(ByteView file, int width, int height, const std::string& name) {
  Picture picture{width, height, {}};
  picture.pixels.resize(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  std::vector<png_bytep> rows(static_cast<std::size_t>(height));
  Reading reading{nullptr, nullptr, file.data(), file.size(), {}};
  reading.png = ::png_create_read_struct(PNG_LIBPNG_VER_STRING, &reading, on_error, on_warning);
  if (reading.png != nullptr) reading.info = ::png_create_info_struct(reading.png);
  const bool whole =
      reading.info != nullptr && read_pixels(reading, width, height, picture.pixels.data(), rows.data());
  ::png_destroy_read_struct(&reading.png, &reading.info, nullptr);
  throw_if_stop_requested();
  if (!whole) refuse_picture(name, reading.text[0] == '\0' ? "libpng found no memory" : reading.text.data());
  return picture;
}

}  // namespace common
