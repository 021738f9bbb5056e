#include "common/media/picture_form.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

namespace common {
namespace {

using namespace std::string_view_literals;

// How far into a file is looked.
constexpr std::size_t k_looked_at_bytes = 512;

// In place, also where the name lies about the form: ImageMagick goes by the first bytes. PNG keeps every
// pixel, and a decoder by content does not mind what the file is called.
constexpr const char* k_convert =
    ", and pictures are JPEG or PNG; convert it, as in: convert 'FILE[0]' -auto-orient png:FILE";
constexpr const char* k_again = ", not a picture; download it again";

struct Mark {
  std::size_t at;
  std::string_view bytes;
  const char* what;
  const char* remedy;
};

// The first that fits is it.
constexpr Mark k_marks[] = {
    {8, "WEBP"sv, "a WebP picture", k_convert},
    {0, "GIF8"sv, "a GIF picture", k_convert},
    {0, "II*\0"sv, "a TIFF picture", k_convert},
    {0, "MM\0*"sv, "a TIFF picture", k_convert},
    {0, "II+\0"sv, "a BigTIFF picture", k_convert},
    {0, "MM\0+"sv, "a BigTIFF picture", k_convert},
    {4, "ftypavi"sv, "an AVIF picture", k_convert},
    {4, "ftyphe"sv, "a HEIC picture", k_convert},
    {4, "ftypmif1"sv, "a HEIF picture", k_convert},
    {4, "ftypmsf1"sv, "a HEIF picture", k_convert},
    {4, "ftyp"sv, "a video in MP4 or QuickTime", k_again},
    {0, "\0\0\0\x0cjP  "sv, "a JPEG 2000 picture", k_convert},
    {0, "\xff\x4f\xff\x51"sv, "a JPEG 2000 picture", k_convert},
    {0, "\0\0\0\x0cJXL "sv, "a JPEG XL picture", k_convert},
    {0, "\xff\x0a"sv, "a JPEG XL picture", k_convert},
    {0, "8BPS"sv, "a Photoshop picture", k_convert},
    {0, "\0\0\1\0"sv, "an icon", k_convert},
    {0, "%PDF"sv, "a PDF", k_again},
    {0, "PK\3\4"sv, "a zip archive", ", not a picture; unpack it"},
    {0, "\x1f\x8b"sv, "compressed by gzip", ", not a picture; unpack it with gunzip"},
    // Last: two letters are a weak sign, the reserved bytes behind them a better one.
    {6, "\0\0\0\0"sv, "a BMP picture", k_convert},
};

std::string_view head_of(ByteView file) {
  return text_of(file.first(std::min(file.size(), k_looked_at_bytes)));
}

bool fits(std::string_view head, const Mark& mark) {
  if (mark.what == "a BMP picture"sv && !head.starts_with("BM")) return false;
  return head.size() >= mark.at && head.substr(mark.at).starts_with(mark.bytes);
}

bool is_text(std::string_view head) {
  return std::all_of(head.begin(), head.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7f : byte == '\n' || byte == '\r' || byte == '\t';
  });
}

// What a server answers in place of a picture.
const char* text_form(std::string_view head) {
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  while (!head.empty() && std::isspace(static_cast<unsigned char>(head.front())) != 0) head.remove_prefix(1);
  std::string begin(head.substr(0, 16));
  std::transform(begin.begin(), begin.end(), begin.begin(),
                 [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
  if (begin.starts_with("<!doctype html") || begin.starts_with("<html")) return "a web page (HTML)";
  if (begin.starts_with("<?xml") || begin.starts_with("<svg")) return "an XML or SVG text";
  if (begin.starts_with("{")) return "a JSON text";
  return "a text";
}

}  // namespace

PictureForm picture_form(ByteView file) {
  const std::string_view head = head_of(file);
  if (head.starts_with("\xff\xd8")) return PictureForm::jpeg;
  if (head.starts_with("\x89PNG\r\n\x1a\n")) return PictureForm::png;
  return PictureForm::other;
}

std::string describe_other_form(ByteView file) {
  const std::string_view head = head_of(file);
  if (head.empty()) return fmt::format("is empty{}", k_again);
  for (const Mark& mark : k_marks)
    if (fits(head, mark)) return fmt::format("is {}{}", mark.what, mark.remedy);
  if (head.find_first_not_of('\0') == std::string_view::npos)
    return fmt::format("begins with nothing but NUL bytes{}", k_again);
  if (is_text(head)) return fmt::format("is {}{}", text_form(head), k_again);
  return "is neither JPEG nor PNG; replace it";
}

}  // namespace common
