// How well safe-packer leaks tells copies of a picture from others, on pictures of other people:
//   bench_leak_pictures [--limit=N] FOLDER...      every .png and .jpg below a folder counts
// CSV=FILE has every comparison. Pairs that are listed at the end are judged by eye: collections hold real
// copies.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/media/image.hpp"
#include "common/parallel.hpp"
#include "packer/leaks/picture_match.hpp"
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

struct Item {
  std::string name;
  packer::PictureMark mark{};
  std::vector<packer::PictureMark> changed;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  std::set<std::string> paths;
  std::size_t limit = 1000000;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--limit=", 8) == 0) {
      limit = std::stoul(argv[i] + 8);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(argv[i])) {
      const std::string extension = entry.path().extension().string();
      if (entry.is_regular_file() && (extension == ".png" || extension == ".jpg"))
        paths.insert(entry.path().string());
    }
  }
  const packer::Vision vision = packer::Vision::load();
  std::vector<std::string> names(paths.begin(), paths.end());
  if (names.size() > limit) names.resize(limit);
  std::vector<Item> items(names.size());
  std::vector<double> mark_s(names.size());
  const bool plant = std::getenv("NO_PLANT") == nullptr;
  common::parallel_for(names.size(), 0, [&](std::size_t i) {
    Item& item = items[i];
    try {
      Picture picture =
          common::decode_picture(common::view_of(common::read_text(names[i], 1 << 28)), names[i]);
      const auto start = std::chrono::steady_clock::now();
      item.mark = vision.mark(picture);
      mark_s[i] = seconds_since(start);
      if (picture.width < 32 || picture.height < 32 || packer::is_flat(item.mark)) {
        std::fprintf(stderr, "left out, flat or small: %s\n", names[i].c_str());
        return;
      }
      while (picture.width * picture.height > 1500 * 1500) picture = scaled(picture, 0.5);
      if (plant)
        for (const Change& change : changes()) item.changed.push_back(vision.mark(change.make(picture)));
      item.name = names[i];
    } catch (const common::Error& error) {
      std::fprintf(stderr, "left out: %s\n", error.what());
    }
  });
  items.erase(std::remove_if(items.begin(), items.end(), [](const Item& item) { return item.name.empty(); }),
              items.end());
  double sum = 0;
  for (double s : mark_s) sum += s;
  std::printf("%zu pictures, %.2f ms to mark one\n", items.size(),
              1e3 * sum / static_cast<double>(names.size()));
  std::FILE* csv = std::getenv("CSV") == nullptr ? nullptr : std::fopen(std::getenv("CSV"), "w");
  if (plant)
    for (std::size_t c = 0; c < changes().size(); ++c) {
      std::vector<double> distances;
      std::string worst;
      double worst_distance = -1;
      std::size_t found = 0;
      for (const Item& item : items) {
        const auto like = packer::compare_pictures(item.mark, item.changed[c]);
        const auto distance = like ? std::optional(like->distance) : std::nullopt;
        if (csv != nullptr)
          std::fprintf(csv, "%s,%.4f,%.4f,%d,%s,\n", changes()[c].name, like ? like->distance : 2,
                       like ? like->detail : 2, int(packer::is_flat(item.changed[c])), item.name.c_str());
        distances.push_back(distance.value_or(2));
        if (like && like->is_near_duplicate()) ++found;
        if (distances.back() > worst_distance) {
          worst_distance = distances.back();
          worst = item.name;
        }
      }
      std::sort(distances.begin(), distances.end());
      const auto at = [&](double part) {
        return static_cast<std::size_t>(part * static_cast<double>(items.size() - 1));
      };
      std::printf("%-36s found %zu of %zu; distance median %.4f 99 %% %.4f worst %.4f  %s\n",
                  changes()[c].name, found, items.size(), distances[at(0.5)], distances[at(0.99)],
                  distances.back(), fs::path(worst).filename().c_str());
    }
  // Every pair.
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::vector<std::pair<double, std::size_t>>> close(items.size());
  std::vector<std::size_t> candidates(items.size());
  std::vector<std::size_t> histogram(65);
  common::parallel_for(items.size(), 0, [&](std::size_t i) {
    for (std::size_t j = i + 1; j < items.size(); ++j) {
      const auto like = packer::compare_pictures(items[i].mark, items[j].mark);
      if (!like) continue;
      const auto distance = std::optional(like->distance);
      if (csv != nullptr && like->distance < 0.3)
        std::fprintf(csv, "other,%.4f,%.4f,%d,%s,%s\n", like->distance, like->detail, 0,
                     items[i].name.c_str(), items[j].name.c_str());
      ++candidates[i];
      if (*distance < 0.3) close[i].emplace_back(*distance, j);
    }
  });
  const double pairs = static_cast<double>(items.size()) * static_cast<double>(items.size() - 1) / 2;
  std::size_t all = 0;
  for (std::size_t n : candidates) all += n;
  std::printf("%.0f pairs in %.2f s; %zu (%.3f %%) have hashes alike\n", pairs, seconds_since(start), all,
              100.0 * static_cast<double>(all) / pairs);
  std::vector<std::pair<double, std::string>> list;
  std::map<int, int> buckets;
  for (std::size_t i = 0; i < items.size(); ++i)
    for (const auto& [distance, j] : close[i]) {
      buckets[static_cast<int>(distance * 100)]++;
      list.emplace_back(distance, items[i].name + "\n           " + items[j].name);
    }
  for (const auto& [bucket, count] : buckets)
    std::printf("  distance %.2f: %d pairs\n", bucket / 100.0, count);
  std::sort(list.begin(), list.end());
  for (const auto& [distance, names2] : list)
    if (distance < 0.1) std::printf("  %.4f %s\n", distance, names2.c_str());
}
