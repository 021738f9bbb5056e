#include "trainer/formats/pixels_config.hpp"

#include <fmt/format.h>

#include <cmath>

#include "trainer/formats/config_reader.hpp"
#include "trainer/formats/preprocessor.hpp"

namespace trainer {

using common::Json;

namespace {

constexpr std::int64_t k_bicubic = 3;  // Pillow's number for it

// "size": 224, {"shortest_edge": 224} or {"height": 224, "width": 224}
std::int64_t side_of(const ConfigReader& reader, const char* key, std::int64_t fallback) {
  if (!reader.has(key)) return fallback;
  if (reader.json().at(key).is_number()) return reader.integer(key, fallback);
  const auto size = reader.object(key);
  const auto height = size.integer("height", size.integer("shortest_edge", 0));
  if (size.integer("width", height) != height) size.refuse("only squares are supported");
  return height;
}

std::array<double, 3> three(const ConfigReader& reader, const char* key,
                            const std::array<double, 3>& fallback) {
  const auto values = reader.numbers(key, {fallback.begin(), fallback.end()});
  if (values.size() != 3) reader.refuse(fmt::format("{} has {} numbers, not 3", key, values.size()));
  return {values[0], values[1], values[2]};
}

// What a pixel becomes must be a number of a size that a network was ever trained on.
void check_arithmetic(const ConfigReader& reader, const PixelsConfig& c) {
  constexpr double k_least = 1e-6, k_most = 1e6;
  for (const double deviation : c.deviation)
    if (!(deviation >= k_least && deviation <= k_most))
      reader.refuse(fmt::format("image_std {} is not in {}..{}", deviation, k_least, k_most));
  for (const double mean : c.mean)
    if (!(std::abs(mean) <= k_most)) reader.refuse(fmt::format("image_mean {} is out of bounds", mean));
  if (!(c.rescale >= k_least && c.rescale <= k_most))
    reader.refuse(fmt::format("rescale_factor {} is not in {}..{}", c.rescale, k_least, k_most));
}

}  // namespace

PixelsConfig parse_pixels_config(const Json& config, const std::string& name) {
  const ConfigReader reader(config, name);
  for (const auto* step : {"do_resize", "do_center_crop", "do_rescale", "do_normalize"})
    if (!reader.boolean(step, true)) reader.refuse(fmt::format("{} false is not supported", step));
  if (reader.integer("resample", k_bicubic) != k_bicubic) reader.refuse("resample is not 3 (bicubic)");
  if (reader.has("size") && reader.json().at("size").is_object() &&
      !reader.object("size").has("shortest_edge"))
    reader.refuse("size without shortest_edge is not supported");
  PixelsConfig c;
  c.resize_side = side_of(reader, "size", c.resize_side);
  c.crop_side = side_of(reader, "crop_size", c.crop_side);
  if (c.crop_side < 1 || c.resize_side < c.crop_side || c.resize_side > 4096)
    reader.refuse(fmt::format("a crop of {} does not fit a shortest side of {}", c.crop_side, c.resize_side));
  c.mean = three(reader, "image_mean", c.mean);
  c.deviation = three(reader, "image_std", c.deviation);
  c.rescale = reader.number("rescale_factor", c.rescale);
  check_arithmetic(reader, c);
  c.aspect = reader.boolean("do_pad", false) ? Aspect::pad : Aspect::crop;
  return c;
}

PixelsConfig load_pixels_config(const ModelFolder& folder) {
  const Preprocessor found = read_preprocessor(folder, "image_processor");
  return parse_pixels_config(found.config, found.where);
}

Json format_pixels_config(const PixelsConfig& c) {
  Json json = {{"image_processor_type", "CLIPImageProcessor"},
               {"do_convert_rgb", true},
               {"do_resize", true},
               {"size", {{"shortest_edge", c.resize_side}}},
               {"resample", k_bicubic},
               {"do_center_crop", true},
               {"crop_size", {{"height", c.crop_side}, {"width", c.crop_side}}},
               {"do_rescale", true},
               {"rescale_factor", c.rescale},
               {"do_normalize", true},
               {"image_mean", c.mean},
               {"image_std", c.deviation}};
  if (c.aspect == Aspect::pad) json["do_pad"] = true;
  return json;
}

}  // namespace trainer
