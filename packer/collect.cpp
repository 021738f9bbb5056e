#include "packer/collect.hpp"

#include <array>

#include "common/error.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

// Sources may be links (data sets on clusters often are); a pack's own files never.
std::optional<fs::path> regular(const fs::path& path) {
  std::error_code error;
  const fs::file_type type = fs::status(path, error).type();
  // A disk that fails must not look like a source that is missing, which --allow-missing would pass over.
  if (type == fs::file_type::none)
    throw common::Error(common::ErrorKind::io, "cannot look at " + path.string() + ": " + error.message());
  if (type != fs::file_type::regular) return std::nullopt;
  return fs::canonical(path);
}

std::optional<fs::path> find_clip(const PlannedClip& clip, const fs::path& root) {
  if (auto found = regular(root / clip.named)) return found;
  for (const char* suffix : {".wav", ".flac", ".mp3"})
    if (auto found = regular(root / (clip.stem + suffix))) return found;
  return std::nullopt;
}

// Where the Python original's packager looks, where its converter does, and a folder of pictures itself.
constexpr std::array<const char*, 9> k_image_folders{
    "images",    "images/val2014", "images/train2014", "",    "val2014",
    "train2014", "coco/val2014",   "coco/train2014",   "coco"};

std::optional<fs::path> find_image(const std::string& name, const std::vector<fs::path>& roots) {
  for (const fs::path& root : roots)
    for (const char* folder : k_image_folders)
      if (auto found = regular(root / folder / name)) return found;
  return std::nullopt;
}

std::string list_missing(const Collection& collection, const SourceRoots& roots) {
  std::string text;
  for (std::size_t i = 0; i < collection.clip_sources.size(); ++i)
    if (!collection.clip_sources[i]) text += "\n  " + collection.plan.clips[i].stem + ".wav|.flac|.mp3";
  for (std::size_t i = 0; i < collection.image_sources.size(); ++i)
    if (!collection.image_sources[i]) text += "\n  " + collection.plan.images[i].file_name;
  text += "\nSounds were looked for under " + roots.sounds.string() + ", images under";
  for (const fs::path& root : roots.images) text += " " + root.string();
  return text;
}

}  // namespace

Collection collect(Plan plan, const SourceRoots& roots, Missing missing) {
  Collection collection;
  collection.plan = std::move(plan);
  std::size_t lost = 0;
  for (const PlannedClip& clip : collection.plan.clips) {
    collection.clip_sources.push_back(find_clip(clip, roots.sounds));
    lost += collection.clip_sources.back() ? 0 : 1;
  }
  for (const PlannedImage& image : collection.plan.images) {
    collection.image_sources.push_back(find_image(image.file_name, roots.images));
    lost += collection.image_sources.back() ? 0 : 1;
  }
  if (lost > 0 && missing == Missing::refuse)
    throw common::Error(common::ErrorKind::mismatch,
                        std::to_string(lost) +
                            " source files are missing:" + list_missing(collection, roots) +
                            "; put them there, or pack without them with --allow-missing");
  return collection;
}

}  // namespace packer
