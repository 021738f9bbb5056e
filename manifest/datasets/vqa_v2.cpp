#include "manifest/datasets/vqa_v2.hpp"

#include <fmt/format.h>

#include <charconv>

namespace manifest {
namespace {

using Names = std::vector<std::string>;

constexpr std::string_view k_prefix = "COCO_", k_suffix = ".jpg";
constexpr std::size_t k_digits = 12;

Names in_folders(std::initializer_list<std::string_view> folders, const std::string& name) {
  Names names;
  for (const std::string_view folder : folders) names.push_back(std::string(folder) + name);
  return names;
}

Names questions(const std::string& part) {
  return in_folders({"", "questions/", "Questions/"}, "v2_OpenEnded_mscoco_" + part + "_questions.json");
}

Names annotations(const std::string& part) {
  return in_folders({"", "annotations/", "Annotations/"}, "v2_mscoco_" + part + "_annotations.json");
}

// COCO 2017 dropped the part from the names.
bool is_numbered(std::string_view part) { return part.ends_with("2017"); }

std::string image_filename(const std::string& part, std::int64_t image_id) {
  return is_numbered(part) ? fmt::format("{:012d}.jpg", image_id)
                           : fmt::format("COCO_{}_{:012d}.jpg", part, image_id);
}

std::optional<std::int64_t> image_id(std::string_view name) {
  const auto none = name.starts_with(k_prefix) ? std::optional<std::int64_t>(-1) : std::nullopt;
  if (!name.ends_with(k_suffix)) return none;
  name.remove_suffix(k_suffix.size());
  if (none) name.remove_prefix(name.rfind('_') + 1);
  if (name.size() != k_digits || name.find_first_not_of("0123456789") != std::string_view::npos) return none;
  std::int64_t id = 0;
  (void)std::from_chars(name.data(), name.data() + name.size(), id);
  return id;
}

// Where the Python original's packager looks, where its converter does, a folder of pictures itself, and
// the same of COCO 2017.
Places sources(const std::string& name) {
  Places places{{std::string(k_image_folder)}, {name}};
  for (const std::string_view root : {k_image_folder, std::string_view(), std::string_view("coco/")})
    for (const char* part : {"val2014/", "train2014/", "val2017/", "train2017/"})
      places.folders.push_back(std::string(root) + part);
  for (const char* folder : {"", "coco/"}) places.folders.emplace_back(folder);
  if (const auto id = image_id(name))
    for (const char* part : {"2017", "val2014", "train2014"})
      if (std::string other = image_filename(part, *id); other != name)
        places.names.push_back(std::move(other));
  return places;
}

}  // namespace

const QuestionSet& vqa_v2() {
  static const QuestionSet k_set = {
      "vqa",
      "VQA v2",
      {"vqa", "coco"},  // the second is where the Python original's converter expects COCO
      Scorer::vqa_accuracy,
      "https://visualqa.org/terms.html",
      questions,
      annotations,
      image_filename,
      image_id,
      sources};
  return k_set;
}

}  // namespace manifest
