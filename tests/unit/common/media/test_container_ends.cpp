// Parts of an MP4, a WebM and an ADTS stream, made by hand: what is cut short is refused, whoever decodes it.
#include "common/media/container_ends.hpp"

#include <string>

#include "common/error.hpp"

#include <doctest/doctest.h>

using namespace common;

namespace {

std::string refusal(const std::string& bytes, SoundForm form) {
  try {
    check_container_end(SoundBytes(view_of(bytes)), form, "sound");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}
bool is_cut(const std::string& bytes, SoundForm form) {
  return refusal(bytes, form).find("truncated") != std::string::npos;
}

std::string box(const std::string& kind, std::size_t body) {
  const std::size_t size = 8 + body;
  return std::string{0, 0, static_cast<char>(size >> 8), static_cast<char>(size)} + kind +
         std::string(body, 'x');
}

// Of an AAC frame, with its length in the 13 bits that ADTS has for it.
std::string adts(std::size_t size) {
  std::string frame(size, 'x');
  frame.replace(0, 7,
                std::string{'\xff', '\xf1', '\x50', static_cast<char>(0x80 | (size >> 11)),
                            static_cast<char>(size >> 3), static_cast<char>((size & 7) << 5), '\xfc'});
  return frame;
}

}  // namespace

TEST_CASE("an MP4 is whole where its boxes are, and one of them is its table") {
  const std::string whole = box("ftyp", 20) + box("moov", 300) + box("mdat", 1000);
  CHECK(refusal(whole, SoundForm::mp4).empty());
  for (std::size_t less = 1; less < whole.size(); ++less) {
    const std::string part = whole.substr(0, whole.size() - less);
    // Between two boxes nothing shows but that there is no sound, which the decoder says.
    const bool is_between = part.size() == box("ftyp", 20).size() + box("moov", 300).size();
    CAPTURE(less);
    CHECK(is_cut(part, SoundForm::mp4) != is_between);
  }
  CHECK(refusal(box("ftyp", 20) + std::string("\0\0\0\0moov", 8) + "to the end", SoundForm::mp4).empty());
}

TEST_CASE("a WebM is whole where its elements are, of known size or not") {
  const std::string head(
      "\x1a\x45\xdf\xa3\x84"
      "abcd",
      9),
      cluster(
          "\x1f\x43\xb6\x75\x88"
          "12345678",
          13);
  const std::string known = head + std::string("\x18\x53\x80\x67\x8d", 5) + cluster;
  const std::string piped =
      head + std::string("\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff", 12) + cluster;
  for (const std::string& whole : {known, piped}) {
    CHECK(refusal(whole, SoundForm::matroska).empty());
    for (std::size_t less = 1; less < cluster.size(); ++less)
      CHECK(is_cut(whole.substr(0, whole.size() - less), SoundForm::matroska));
  }
  CHECK(is_cut(known.substr(0, known.size() - cluster.size()), SoundForm::matroska));
}

TEST_CASE("an ADTS stream is whole where its last frame is") {
  const std::string whole = adts(300) + adts(3000);
  CHECK(refusal(whole, SoundForm::adts).empty());
  CHECK(refusal(whole + "TAG" + std::string(125, 'x'), SoundForm::adts).empty());
  for (std::size_t less = 1; less < 3000; less += 7)
    CHECK(is_cut(whole.substr(0, whole.size() - less), SoundForm::adts));
  CHECK(refusal(adts(300) + adts(7).replace(5, 1, 1, '\0'), SoundForm::adts).find("damaged") !=
        std::string::npos);
}
