#include "common/media/image.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>

#include "common/program.hpp"

#include "tests/support/picture_endings.hpp"

#include <doctest/doctest.h>

using namespace common;
using namespace support;

TEST_CASE("bytes behind a whole picture do not matter") {
  for (const auto& whole : whole_pictures()) {
    const Picture alone = decode_picture(whole.second, whole.first);
    CHECK(alone.width == 48);
    for (const auto& trailer : trailers()) {
      INFO(whole.first << " with " << trailer.first);
      const Picture seen = decode_picture(joined(whole.second, trailer.second), whole.first);
      CHECK(seen.pixels == alone.pixels);
    }
  }
}

TEST_CASE("a picture that is cut short is refused wherever it is cut and whatever stands behind the cut") {
  for (const auto& whole : whole_pictures()) {
    const Bytes& picture = whole.second;
    for (std::size_t keep = 0; keep < picture.size(); ++keep) {
      INFO(whole.first << " of which " << keep << " of " << picture.size() << " bytes are left");
      CHECK(is_refused_picture(ByteView(picture).first(keep)));
    }
    for (const auto& trailer : trailers())
      for (const std::size_t keep : {picture.size() / 3, picture.size() / 2, picture.size() - 40}) {
        INFO(whole.first << " of which " << keep << " of " << picture.size() << " bytes are left, then "
                         << trailer.first);
        CHECK(is_refused_picture(joined(ByteView(picture).first(keep), trailer.second)));
      }
  }
}

TEST_CASE("a header that promises more pixels than any picture has is refused before they are allocated") {
  Bytes jpeg = encode_jpeg(ramp_picture(100, 60), 90);
  for (std::size_t i = 0; i + 9 < jpeg.size(); ++i)
    if (jpeg[i] == 0xff && jpeg[i + 1] == 0xc0) {
      for (std::size_t k = 5; k < 9; ++k) jpeg[i + k] = 0xff;
      break;
    }
  CHECK(is_refused_picture(jpeg));
  // As wide as an int counts, and one pixel high.
  Bytes png = png_file(8, 1, 8, k_grey, "12345678");
  for (std::size_t i = 16; i < 20; ++i) png[i] = 0x7f;
  CHECK(is_refused_picture(png));
}

TEST_CASE("a picture with more bytes than any has is refused by its size alone") {
  Bytes file = encode_jpeg(ramp_picture(8, 8), 90);
  file.resize(k_picture_limit_bytes);
  CHECK_FALSE(is_refused_picture(file));
  file.resize(k_picture_limit_bytes + 1);
  CHECK(is_refused_picture(file));
}

TEST_CASE("a JPEG of a hundred scans is a picture, one more is an attack") {
  CHECK_FALSE(is_refused_picture(many_scans_jpeg(k_picture_limit_scans)));
  CHECK(is_refused_picture(many_scans_jpeg(k_picture_limit_scans + 1)));
  CHECK(is_refused_picture(many_scans_jpeg(10'000)));
}

TEST_CASE("what stands beside the pixels of a PNG is never inflated, and costs nothing") {
  std::string zeros(7'900'000, '\0'), packed(::compressBound(zeros.size()), '\0');
  uLongf size = packed.size();
  REQUIRE(::compress(reinterpret_cast<Bytef*>(packed.data()), &size,
                     reinterpret_cast<const Bytef*>(zeros.data()), zeros.size()) == Z_OK);
  packed.resize(size);
  std::string chunks = png_chunk("iCCP", std::string("k\0\0", 3) + packed);
  for (int i = 0; i < 300; ++i) chunks += png_chunk("zTXt", std::string("k\0\0", 3) + packed);
  const Bytes png = png_file(1, 1, 8, k_grey, "x", chunks);
  const std::clock_t begin = std::clock();
  CHECK(decode_picture(png, "x.png").pixels == Bytes{'x', 'x', 'x'});
  CHECK(std::clock() - begin < 3 * CLOCKS_PER_SEC);  // of the processor, which others use too
}

TEST_CASE("a PNG with a wrong checksum is refused, in whichever chunk") {
  const std::string text = png_chunk("tEXt", std::string("k\0v", 3));
  const Bytes png = png_file(1, 1, 8, k_grey, "x", text);
  CHECK_FALSE(is_refused_picture(png));
  for (std::size_t at = 12; at < png.size(); ++at) {
    Bytes changed = png;
    changed[at] = static_cast<std::uint8_t>(changed[at] ^ 1);
    INFO("byte " << at);
    CHECK(is_refused_picture(changed));
  }
}

TEST_CASE("a signal to stop ends a picture in the middle") {
  const Bytes jpeg = jpeg_file(64, 64, Bytes(64 * 64, 9), JCS_GRAYSCALE, [](jpeg_compress_struct&) {});
  for (const Bytes& file : {jpeg, png_file(1, 64, 8, k_grey, std::string(64, 'x'))}) {
    const pid_t child = ::fork();
    if (child == 0) {
      install_stop_handlers();
      std::raise(SIGTERM);
      try {
        (void)decode_picture(file, "picture");
      } catch (const Error& error) {
        ::_exit(error.kind() == ErrorKind::interrupted ? 7 : 8);
      }
      ::_exit(9);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 7);
  }
}
