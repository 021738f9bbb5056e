// Pictures of every kind against Pillow's convert("RGB"): the Python original's models see what that gives.
// SAFE_PEER_PYTHON names a Python that has Pillow; without one the test says so and passes, unless
// SAFE_PEERS=required.
#include <cstdlib>
#include <cstring>
#include <map>

#include "common/file.hpp"
#include "common/media/image.hpp"
#include "common/random.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/peers.hpp"
#include "tests/support/picture_endings.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

namespace {

using common::Bytes;

constexpr int k_width = 24, k_height = 16;  // rows of 1, 2 and 4 bits end with a byte
constexpr std::uint64_t k_limit_bytes = 1 << 20;

// Writes <file>.rgb beside every picture of the folder it is in, which holds nothing else.
constexpr const char* k_script =
    "import os\n"
    "from PIL import Image\n"
    "for name in os.listdir('.'):\n"
    "    with Image.open(name) as picture, open(name + '.rgb', 'wb') as out:\n"
    "        out.write(picture.convert('RGB').tobytes())\n";

// Writes verdicts.txt: "<file> opens" or "<file> does not" for every picture of the folder it is in.
constexpr const char* k_verdict_script =
    "import os\n"
    "from PIL import Image\n"
    "names = sorted(os.listdir('.'))\n"
    "with open('verdicts.txt', 'w') as out:\n"
    "    for name in names:\n"
    "        try:\n"
    "            with Image.open(name) as picture: picture.convert('RGB')\n"
    "            out.write(name + ' opens\\n')\n"
    "        except (OSError, SyntaxError):\n"
    "            out.write(name + ' does not\\n')\n";

std::string noise(common::Random& random, std::size_t count) {
  std::string bytes;
  for (std::size_t i = 0; i < count; ++i) bytes += static_cast<char>(random.getrandbits(8));
  return bytes;
}

std::map<std::string, Bytes> pictures() {
  common::Random random(5);
  std::map<std::string, Bytes> all;
  const struct {
    const char* name;
    support::PngColour colour;
    int channels;
    std::vector<int> depths;
  } kinds[] = {{"grey", support::k_grey, 1, {1, 2, 4, 8}},
               {"rgb", support::k_rgb, 3, {8, 16}},
               {"palette", support::k_palette, 1, {1, 2, 4, 8}},
               {"grey-alpha", support::k_grey_alpha, 2, {8, 16}},
               {"rgb-alpha", support::k_rgb_alpha, 4, {8, 16}}};
  for (const auto& kind : kinds)
    for (const int depth : kind.depths) {
      std::string before = support::png_chunk("gAMA", support::big_endian(60000, 4));
      if (kind.colour == support::k_palette) {
        const std::size_t colours = std::size_t{1} << depth;
        before += support::png_chunk("PLTE", noise(random, 3 * colours));
        before += support::png_chunk("tRNS", noise(random, colours));
      }
      const std::size_t bytes = static_cast<std::size_t>(k_width * k_height * kind.channels * depth / 8);
      all[std::string(kind.name) + std::to_string(depth) + ".png"] =
          support::png_file(k_width, k_height, depth, kind.colour, noise(random, bytes), before);
    }
  Bytes inks;
  for (std::size_t i = 0; i < 4 * k_width * k_height; ++i)
    inks.push_back(static_cast<std::uint8_t>(i / 40 * 11 + i % 4 * 60));
  all["cmyk.jpg"] = support::ink_jpeg(k_width, k_height, inks, JCS_CMYK, support::AdobeMark::written);
  all["cmyk-unmarked.jpg"] = support::ink_jpeg(k_width, k_height, inks, JCS_CMYK, support::AdobeMark::absent);
  all["ycck.jpg"] = support::ink_jpeg(k_width, k_height, inks, JCS_YCCK, support::AdobeMark::written);
  common::Picture colours{k_width, k_height, {}};
  for (std::size_t i = 0; i < 3 * k_width * k_height; ++i)
    colours.pixels.push_back(static_cast<std::uint8_t>(i / 30 * 7 + i % 3 * 80));
  all["rgb.jpg"] = common::encode_jpeg(colours, 90);
  return all;
}

}  // namespace

TEST_CASE("a picture has the pixels that Pillow's convert(\"RGB\") gives it") {
  const auto python = support::peer_python("Pillow");
  if (!python) return;
  const support::Scratch scratch;
  const auto all = pictures();
  for (const auto& [name, bytes] : all) common::write_file(scratch / name, bytes);
  const auto done = support::run_process({*python, "-c", k_script}, scratch.path());
  REQUIRE_MESSAGE(done.code == 0, done.err);
  for (const auto& one : all) {
    const std::string name = one.first;
    CAPTURE(name);
    const common::Picture ours = common::decode_picture(one.second, name);
    const Bytes theirs = common::read_file(scratch / (name + ".rgb"), k_limit_bytes);
    REQUIRE(ours.pixels.size() == theirs.size());
    int worst = 0;
    for (std::size_t i = 0; i < theirs.size(); ++i)
      worst = std::max(worst, std::abs(int{ours.pixels[i]} - int{theirs[i]}));
    // Of a JPEG two versions of libjpeg-turbo need not agree in the last bit.
    CHECK(worst <= (name.ends_with(".jpg") ? 2 : 0));
  }
}

TEST_CASE("Pillow opens every picture that is accepted, and what it refuses as truncated is refused") {
  const auto python = support::peer_python("Pillow");
  if (!python) return;
  const support::Scratch scratch;
  std::map<std::string, Bytes> files;
  const auto whole = support::whole_pictures();
  for (const auto& [name, picture] : whole) {
    int number = 0;
    for (const auto& [what, trailer] : support::trailers())
      for (const std::size_t keep :
           {picture.size(), picture.size() - 1, picture.size() - 2, picture.size() / 2, picture.size() / 3})
        files[std::to_string(number++) + "-" + name] =
            support::joined(common::ByteView(picture).first(keep), trailer);
    for (std::size_t keep = 1; keep < picture.size(); keep += picture.size() / 20)
      files[std::to_string(number++) + "-" + name] = Bytes(picture.data(), picture.data() + keep);
  }
  for (const auto& [name, bytes] : files) common::write_file(scratch / name, bytes);
  const auto done = support::run_process({*python, "-c", k_verdict_script}, scratch.path());
  REQUIRE_MESSAGE(done.code == 0, done.err);
  const std::string verdicts = common::read_text(scratch / "verdicts.txt", k_limit_bytes);
  int accepted = 0, refused = 0, only_pillow = 0;
  for (const auto& file : files) {
    const std::string name = file.first;
    const bool opens = verdicts.find("\n" + name + " opens\n") != std::string::npos ||
                       verdicts.starts_with(name + " opens\n");
    const bool accepts = !support::is_refused_picture(file.second);
    CHECK_MESSAGE((opens || !accepts), name << " is accepted, and Pillow does not open it");
    ++(accepts ? accepted : opens ? only_pillow : refused);
  }
  MESSAGE("of ", files.size(), ": ", accepted, " accepted, ", refused, " refused by both, ", only_pillow,
          " opened by Pillow alone");
  CHECK(accepted >= 100);
  CHECK(refused >= 100);
}
