#include "packer/build/collect.hpp"

#include "common/error.hpp"
#include "manifest/tables/layout.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

// A folder or an archive that sources are looked for in.
class Root {
 public:
  explicit Root(fs::path place) : place_(std::move(place)) {
    if (!fs::is_regular_file(place_)) return;
    if (!is_foreign_archive_name(place_))
      throw common::Error(common::ErrorKind::usage,
                          place_.string() +
                              " is not a source: it is neither a folder nor a .zip, .tar, .tar.gz, .tgz or "
                              ".tar.zst; name one of these");
    archive_ = std::make_shared<const ForeignArchive>(place_);
  }

  // `unusable` gets a remark where the source is there but its bytes cannot be had.
  [[nodiscard]] std::optional<Source> find(const std::string& name, std::string& unusable) const {
    if (!archive_) return find_file(place_ / name);
    const ForeignArchive::Entry* entry = archive_->find(name);
    if (entry == nullptr) return std::nullopt;
    if (entry->why_not.empty()) return Source{place_.string(), archive_, entry};
    unusable = " (in " + place_.string() + " it is " + entry->why_not + ")";
    return std::nullopt;
  }

  [[nodiscard]] std::string describe() const {
    return fs::exists(place_) ? place_.string() : place_.string() + " (which is not there)";
  }

 private:
  // Sources may be links (data sets on clusters often are); a pack's own files never.
  static std::optional<Source> find_file(const fs::path& path) {
    std::error_code error;
    const fs::file_type type = fs::status(path, error).type();
    // A disk that fails must not look like a source that is missing, which --allow-missing would pass over.
    if (type == fs::file_type::none)
      throw common::Error(common::ErrorKind::io, "cannot look at " + path.string() + ": " + error.message());
    if (type != fs::file_type::regular) return std::nullopt;
    return Source{fs::canonical(path).string(), nullptr, nullptr};
  }

  fs::path place_;
  std::shared_ptr<const ForeignArchive> archive_;
};

std::optional<Source> find_clip(const PlannedClip& clip, const Root& root, std::string& unusable) {
  for (const std::string& name : manifest::clip_files(clip.named))
    if (auto found = root.find(name, unusable)) return found;
  return std::nullopt;
}

std::optional<Source> find_image(const std::string& name, const std::vector<Root>& roots,
                                 std::string& unusable) {
  for (const Root& root : roots)
    for (const std::string& file : manifest::image_files(name))
      if (auto found = root.find(file, unusable)) return found;
  return std::nullopt;
}

}  // namespace

std::string Source::name() const {
  return archive ? host + ": " + common::escape_for_terminal(entry->name) : host;
}

Collection collect(Plan plan, const SourceRoots& roots, Missing missing) {
  const Root sounds(roots.sounds);
  const std::vector<Root> images(roots.images.begin(), roots.images.end());
  Collection collection;
  collection.clip_sources.reserve(plan.clips.size());
  collection.image_sources.reserve(plan.images.size());
  std::size_t lost = 0;
  std::string lines;
  const auto keep = [&](std::optional<Source> found, std::vector<std::optional<Source>>& sources,
                        const std::string& line) {
    if (!found) {
      ++lost;
      lines += "\n  " + line;
    }
    sources.push_back(std::move(found));
  };
  for (const PlannedClip& clip : plan.clips) {
    std::string unusable;
    auto found = find_clip(clip, sounds, unusable);
    keep(std::move(found), collection.clip_sources, clip.stem + ".wav|.flac|.mp3" + unusable);
  }
  for (const PlannedImage& image : plan.images) {
    std::string unusable;
    const std::string name(image.file_name());
    auto found = find_image(name, images, unusable);
    keep(std::move(found), collection.image_sources, name + unusable);
  }
  if (lost > 0 && missing == Missing::refuse) {
    std::string places = "\nSounds were looked for in " + sounds.describe() + ", images in";
    for (const Root& root : images) places += " " + root.describe();
    throw common::Error(common::ErrorKind::mismatch,
                        std::to_string(lost) + " source files are missing:" + lines + places +
                            "; put them there, or pack without them with --allow-missing");
  }
  collection.plan = std::move(plan);
  return collection;
}

}  // namespace packer
