#include "manifest/tables/layout.hpp"

#include <algorithm>
#include <string_view>

#include "common/error.hpp"
#include "manifest/format/manifest.hpp"

namespace manifest {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr std::string_view k_sound_suffixes[] = {".wav", ".flac", ".mp3"};

Names in_folders(std::initializer_list<std::string_view> folders, const std::string& name) {
  Names names;
  for (const std::string_view folder : folders) names.push_back(std::string(folder) + name);
  return names;
}

bool is_file(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  if (type == fs::file_type::none)
    throw common::Error(common::ErrorKind::io, "cannot look at " + path.string() + ": " + error.message());
  return type == fs::file_type::regular;
}

}  // namespace

Names audiocaps_tables(const std::string& split) {
  Names names = {split + ".csv", "metadata/" + split + ".csv"};
  for (const char* suffix : {".jsonl", ".json"}) names.push_back("audiocaps_" + split + suffix);
  for (const char* suffix : {".jsonl", ".json"}) names.push_back(split + suffix);
  return names;
}

Names vqa_questions(const std::string& data_subtype) {
  return in_folders({"", "questions/", "Questions/"},
                    "v2_OpenEnded_mscoco_" + data_subtype + "_questions.json");
}

Names vqa_annotations(const std::string& data_subtype) {
  return in_folders({"", "annotations/", "Annotations/"}, "v2_mscoco_" + data_subtype + "_annotations.json");
}

std::string clip_stem(const std::string& audio_relpath) {
  for (const std::string_view suffix : k_sound_suffixes)
    if (audio_relpath.ends_with(suffix)) return audio_relpath.substr(0, audio_relpath.size() - suffix.size());
  return audio_relpath;
}

Names clip_files(const std::string& audio_relpath) {
  Names names = {audio_relpath};
  const std::string stem = clip_stem(audio_relpath);
  for (const std::string_view suffix : k_sound_suffixes)
    if (std::string name = stem + std::string(suffix); name != audio_relpath)
      names.push_back(std::move(name));
  return names;
}

// Where the Python original's packager looks, where its converter does, and a folder of pictures itself.
Names image_files(const std::string& image_filename) {
  return in_folders({std::string(k_image_folder), "images/val2014/", "images/train2014/", "", "val2014/",
                     "train2014/", "coco/val2014/", "coco/train2014/", "coco/"},
                    image_filename);
}

fs::path first_file(const fs::path& root, const Names& names) {
  const auto found =
      std::find_if(names.begin(), names.end(), [&](const std::string& name) { return is_file(root / name); });
  return root / (found == names.end() ? names.front() : *found);
}

bool has_file(const fs::path& root, const Names& names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return is_file(root / name); });
}

}  // namespace manifest
