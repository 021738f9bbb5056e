#include "common/media/picture_form.hpp"

#include "tests/support/pictures.hpp"

#include <doctest/doctest.h>

using namespace common;
using namespace std::string_literals;

TEST_CASE("what stands in a picture's place is called by its form, with what to do") {
  const std::string convert = "convert 'FILE[0]' -auto-orient png:FILE", again = "download it again";
  const struct {
    std::string bytes, what, remedy;
  } files[] = {
      {"", "is empty", again},
      {"RIFF\x24\0\0\0WEBPVP8 "s, "is a WebP picture", convert},
      {"GIF89a\x01\0"s, "is a GIF picture", convert},
      {"BM\x46\0\0\0\0\0\0\0\x36\0\0\0"s, "is a BMP picture", convert},
      {"II*\0\x08\0\0\0"s, "is a TIFF picture", convert},
      {"MM\0*\0\0\0\x08"s, "is a TIFF picture", convert},
      {"II+\0\x08\0\0\0"s, "is a BigTIFF picture", convert},
      {"\0\0\0\x18"
       "ftypheic\0\0\0\0"s,
       "is a HEIC picture", convert},
      {"\0\0\0\x1c"
       "ftypavif\0\0\0\0"s,
       "is an AVIF picture", convert},
      {"\0\0\0\x1c"
       "ftypmif1\0\0\0\0"s,
       "is a HEIF picture", convert},
      {"\0\0\0\x1c"
       "ftypisom\0\0\0\0"s,
       "is a video in MP4 or QuickTime", again},
      {"\0\0\0\x0cjP  \r\n\x87\n"s, "is a JPEG 2000 picture", convert},
      {"\xff\x4f\xff\x51\0\x2f"s, "is a JPEG 2000 picture", convert},
      {"\xff\x0a\xfa\x1f"s, "is a JPEG XL picture", convert},
      {"\0\0\0\x0cJXL \r\n\x87\n"s, "is a JPEG XL picture", convert},
      {"8BPS\0\x01"s, "is a Photoshop picture", convert},
      {"%PDF-1.4\n", "is a PDF", again},
      {"PK\x03\x04\x14\0"s, "is a zip archive", "unpack it"},
      {"\x1f\x8b\x08\0"s, "is compressed by gzip", "gunzip"},
      {"\xef\xbb\xbf\r\n<!DOCTYPE html><html>", "is a web page (HTML)", again},
      {"<HTML><head>", "is a web page (HTML)", again},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied", "is an XML or SVG text", again},
      {"{\"error\": \"no such key\"}", "is a JSON text", again},
      {"BM is how this text begins.\n", "is a text", again},
      {"404 not found\n", "is a text", again},
      {std::string(4096, '\0'), "begins with nothing but NUL bytes", again},
      {"\x89PNG\n\x1a\n", "is neither JPEG nor PNG", "replace it"},
      {"\x01\x02\x03\xfe", "is neither JPEG nor PNG", "replace it"},
  };
  for (const auto& file : files) {
    CHECK(picture_form(view_of(file.bytes)) == PictureForm::other);
    const std::string said = describe_other_form(view_of(file.bytes));
    CHECK_MESSAGE(said.starts_with(file.what), said);
    CHECK_MESSAGE(said.find(file.remedy) != std::string::npos, said);
    CHECK(support::is_refused_picture(view_of(file.bytes)));
    // No beginning of it makes it something that cannot be named.
    for (std::size_t keep = 0; keep < file.bytes.size(); ++keep)
      CHECK_FALSE(describe_other_form(view_of(file.bytes).first(keep)).empty());
  }
  CHECK(picture_form(encode_jpeg(support::ramp_picture(8, 8), 90)) == PictureForm::jpeg);
  CHECK(picture_form(support::png_file(1, 1, 8, support::k_grey, "x")) == PictureForm::png);
}
