// How well safe-packer leaks tells copies of a picture from others, on pictures of other people:
//   bench_leak_pictures FOLDER...      every .png and .jpg below a folder counts
// Larger ones are made 640 pixels wide or high first, as COCO's are. Each picture is changed in each way and
// looked for; then each pair is looked at. Pairs that are printed are judged by eye: collections hold real
// copies.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/media/image.hpp"
#include "common/parallel.hpp"
#include "packer/leaks/picture_pairs.hpp"
#include "packer/leaks/vision.hpp"

namespace {

namespace fs = std::filesystem;
using common::Picture;

Picture through_jpeg(const Picture& picture, int quality) {
  return common::decode_picture(common::encode_jpeg(picture, quality), "re-encoded");
}

Picture cropped(const Picture& from, double left, double right, double top, double bottom) {
  const int x0 = static_cast<int>(from.width * left), x1 = from.width - static_cast<int>(from.width * right);
  const int y0 = static_cast<int>(from.height * top),
            y1 = from.height - static_cast<int>(from.height * bottom);
  Picture to{x1 - x0, y1 - y0, {}};
  for (int y = y0; y < y1; ++y) {
    const auto line = from.pixels.begin() + (static_cast<std::ptrdiff_t>(y) * from.width + x0) * 3;
    to.pixels.insert(to.pixels.end(), line, line + static_cast<std::ptrdiff_t>(to.width) * 3);
  }
  return to;
}

// Averages where it shrinks, and between neighbours where it grows.
Picture scaled(const Picture& from, double factor) {
  Picture to{std::max(1, static_cast<int>(from.width * factor)),
             std::max(1, static_cast<int>(from.height * factor)),
             {}};
  to.pixels.resize(static_cast<std::size_t>(to.width) * static_cast<std::size_t>(to.height) * 3);
  const double sx = static_cast<double>(from.width) / to.width,
               sy = static_cast<double>(from.height) / to.height;
  const int taps = factor < 1 ? static_cast<int>(1 / factor + 1) : 1;
  for (int y = 0; y < to.height; ++y)
    for (int x = 0; x < to.width; ++x)
      for (int c = 0; c < 3; ++c) {
        double sum = 0;
        for (int v = 0; v < taps; ++v)
          for (int u = 0; u < taps; ++u) {
            const double fx = std::clamp((x + (u + 0.5) / taps) * sx - 0.5, 0.0, from.width - 1.0);
            const double fy = std::clamp((y + (v + 0.5) / taps) * sy - 0.5, 0.0, from.height - 1.0);
            const int ix = static_cast<int>(fx), iy = static_cast<int>(fy);
            const int jx = std::min(ix + 1, from.width - 1), jy = std::min(iy + 1, from.height - 1);
            const auto at = [&](int px, int py) {
              return static_cast<double>(
                  from.pixels[(static_cast<std::size_t>(py) * static_cast<std::size_t>(from.width) +
                               static_cast<std::size_t>(px)) *
                                  3 +
                              static_cast<std::size_t>(c)]);
            };
            const double ax = fx - ix, ay = fy - iy;
            sum += (at(ix, iy) * (1 - ax) + at(jx, iy) * ax) * (1 - ay) +
                   (at(ix, jy) * (1 - ax) + at(jx, jy) * ax) * ay;
          }
        to.pixels[(static_cast<std::size_t>(y) * static_cast<std::size_t>(to.width) +
                   static_cast<std::size_t>(x)) *
                      3 +
                  static_cast<std::size_t>(c)] = static_cast<std::uint8_t>(sum / (taps * taps) + 0.5);
      }
  return to;
}

Picture each(Picture picture, const std::function<double(double)>& map) {
  std::uint8_t table[256];
  for (int i = 0; i < 256; ++i) table[i] = static_cast<std::uint8_t>(std::clamp(map(i) + 0.5, 0.0, 255.0));
  for (std::uint8_t& value : picture.pixels) value = table[value];
  return picture;
}

Picture grey(Picture picture) {
  for (std::size_t i = 0; i + 2 < picture.pixels.size(); i += 3) {
    const double luma =
        0.299 * picture.pixels[i] + 0.587 * picture.pixels[i + 1] + 0.114 * picture.pixels[i + 2];
    for (std::size_t c = 0; c < 3; ++c) picture.pixels[i + c] = static_cast<std::uint8_t>(luma + 0.5);
  }
  return picture;
}

struct Change {
  const char* name;
  std::function<Picture(const Picture&)> make;
};

const std::vector<Change>& changes() {
  static const std::vector<Change> k_changes = {
      {"JPEG 95", [](const Picture& p) { return through_jpeg(p, 95); }},
      {"JPEG 75", [](const Picture& p) { return through_jpeg(p, 75); }},
      {"JPEG 30", [](const Picture& p) { return through_jpeg(p, 30); }},
      {"scaled 0.5", [](const Picture& p) { return scaled(p, 0.5); }},
      {"scaled 0.7", [](const Picture& p) { return scaled(p, 0.7); }},
      {"scaled 1.5", [](const Picture& p) { return scaled(p, 1.5); }},
      {"scaled 2", [](const Picture& p) { return scaled(p, 2); }},
      {"left tenth off", [](const Picture& p) { return cropped(p, 0.1, 0, 0, 0); }},
      {"right tenth off", [](const Picture& p) { return cropped(p, 0, 0.1, 0, 0); }},
      {"top tenth off", [](const Picture& p) { return cropped(p, 0, 0, 0.1, 0); }},
      {"bottom tenth off", [](const Picture& p) { return cropped(p, 0, 0, 0, 0.1); }},
      {"centre 90 %", [](const Picture& p) { return cropped(p, 0.05, 0.05, 0.05, 0.05); }},
      {"centre 80 %", [](const Picture& p) { return cropped(p, 0.1, 0.1, 0.1, 0.1); }},
      {"corner tenth off", [](const Picture& p) { return cropped(p, 0.1, 0, 0, 0.1); }},
      {"7 % off left, 3 % off top", [](const Picture& p) { return cropped(p, 0.07, 0, 0.03, 0); }},
      {"grey", [](const Picture& p) { return grey(p); }},
      {"brightness + 40", [](const Picture& p) { return each(p, [](double v) { return v + 40; }); }},
      {"brightness - 40", [](const Picture& p) { return each(p, [](double v) { return v - 40; }); }},
      {"brightness * 0.6", [](const Picture& p) { return each(p, [](double v) { return v * 0.6; }); }},
      {"brightness * 1.3", [](const Picture& p) { return each(p, [](double v) { return v * 1.3; }); }},
      {"contrast * 0.6",
       [](const Picture& p) { return each(p, [](double v) { return 128 + (v - 128) * 0.6; }); }},
      {"contrast * 1.4",
       [](const Picture& p) { return each(p, [](double v) { return 128 + (v - 128) * 1.4; }); }},
      {"gamma 0.7",
       [](const Picture& p) { return each(p, [](double v) { return 255 * std::pow(v / 255, 0.7); }); }},
      {"centre 90 %, scaled 0.5, JPEG 30",
       [](const Picture& p) { return through_jpeg(scaled(cropped(p, 0.05, 0.05, 0.05, 0.05), 0.5), 30); }},
      {"left tenth off, grey, JPEG 50",
       [](const Picture& p) { return through_jpeg(grey(cropped(p, 0.1, 0, 0, 0)), 50); }},
  };
  return k_changes;
}

constexpr int k_side = 640;

struct Item {
  std::string name;
  packer::PictureMark mark{};
  std::vector<packer::PictureMark> changed;
};

Picture read_picture(const std::string& path) {
  Picture picture = common::decode_picture(common::view_of(common::read_text(path, 1 << 28)), path);
  while (std::max(picture.width, picture.height) > 2 * k_side) picture = scaled(picture, 0.5);
  const int side = std::max(picture.width, picture.height);
  return side > k_side ? scaled(picture, static_cast<double>(k_side) / side) : picture;
}

std::vector<Item> items_of(const std::vector<std::string>& paths) {
  const packer::Vision vision = packer::Vision::load();
  std::vector<Item> items(paths.size());
  common::parallel_for(paths.size(), 0, [&](std::size_t i) {
    try {
      const Picture picture = read_picture(paths[i]);
      items[i].mark = vision.mark(picture);
      if (std::min(picture.width, picture.height) < 32 || packer::is_flat(items[i].mark)) {
        std::printf("not compared, flat or small: %s\n", paths[i].c_str());
        return;
      }
      for (const Change& change : changes()) items[i].changed.push_back(vision.mark(change.make(picture)));
      items[i].name = paths[i];
    } catch (const common::Error& error) {
      std::fprintf(stderr, "left out: %s\n", error.what());
    }
  });
  std::erase_if(items, [](const Item& item) { return item.name.empty(); });
  return items;
}

void print_found(const std::vector<Item>& items) {
  for (std::size_t c = 0; c < changes().size(); ++c) {
    std::size_t found = 0, flat = 0;
    for (const Item& item : items) {
      if (packer::is_flat(item.changed[c])) {
        ++flat;
        continue;
      }
      const auto like = packer::compare_pictures(item.mark, item.changed[c]);
      if (like && like->is_near_duplicate())
        ++found;
      else
        std::printf("  missed: distance %.3f, of details %.3f, worst part %.3f: %s\n",
                    like ? like->distance : 1, like ? like->detail : 1, like ? like->worst_part : 1,
                    item.name.c_str());
    }
    std::printf("%-36s found %zu of %zu, flat %zu\n", changes()[c].name, found, items.size() - flat, flat);
  }
}

void print_pairs(const std::vector<Item>& items) {
  std::vector<packer::PictureMark> marks;
  for (const Item& item : items) marks.push_back(item.mark);
  std::vector<std::uint32_t> groups(marks.size());
  std::iota(groups.begin(), groups.end(), 0U);
  const auto start = std::chrono::steady_clock::now();
  const std::vector<packer::PicturePair> pairs = packer::find_picture_pairs(marks, groups, 0);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::set<std::uint32_t> within;
  for (const packer::PicturePair& pair : pairs) {
    within.insert({pair.a, pair.b});
    std::printf("pair: distance %.3f, of details %.3f: %s | %s\n", pair.likeness.distance,
                pair.likeness.detail, items[pair.a].name.c_str(), items[pair.b].name.c_str());
  }
  std::printf("%zu of %zu pictures stand in these pairs; looking for them took %.2f s\n", within.size(),
              items.size(), took.count());
}

}  // namespace

int main(int argc, char** argv) {
  std::set<std::string> paths;
  for (int i = 1; i < argc; ++i)
    for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() && (extension == ".png" || extension == ".jpg"))
        paths.insert(entry.path().string());
    }
  const std::vector<Item> items = items_of({paths.begin(), paths.end()});
  print_found(items);
  print_pairs(items);
}
