#include "packer/build/collect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/unfetched.hpp"
#include "manifest/tables/layout.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

// A folder or an archive that sources are looked for in.
class Root {
 public:
  explicit Root(fs::path place) : place_(std::move(place)) {
    if (const std::string why = common::why_unfetched(place_); !why.empty())
      throw common::Error(common::ErrorKind::io, place_.string() + " " + why);
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

  // Of one that was not found: that it was never fetched. Empty: nothing tells so.
  [[nodiscard]] std::string why_unfetched(const std::string& name) const {
    const std::string why = archive_ ? "" : common::why_unfetched(place_ / name);
    return why.empty() ? why : ": " + (place_ / name).string() + " " + why;
  }

  [[nodiscard]] std::string describe() const {
    return fs::exists(place_) ? place_.string() : place_.string() + " (which does not exist)";
  }

 private:
  // Sources may be links (data sets on clusters often are); a pack's own files never.
  static std::optional<Source> find_file(const fs::path& path) {
    std::error_code error;
    const fs::file_type type = fs::status(path, error).type();
    // A disk that fails must not look like a source that is missing, which --allow-missing would pass over.
    if (type == fs::file_type::none && common::why_unfetched(path).empty())
      throw common::Error(common::ErrorKind::io, "cannot look at " + path.string() + ": " + error.message());
    if (type != fs::file_type::regular || !common::why_unfetched(path).empty()) return std::nullopt;
    return Source{fs::canonical(path).string(), nullptr, nullptr};
  }

  fs::path place_;
  std::shared_ptr<const ForeignArchive> archive_;
};

std::optional<Source> find_clip(const PlannedClip& clip, const Root& root, std::string& unusable) {
  for (const std::string& name : manifest::clip_files(clip.named))
    if (auto found = root.find(name, unusable)) return found;
  for (const std::string& name : manifest::clip_files(clip.named))
    if (unusable.empty()) unusable = root.why_unfetched(name);
  return std::nullopt;
}

std::optional<Source> find_image(const std::string& name, const std::vector<Root>& roots,
                                 std::string& unusable) {
  for (const Root& root : roots)
    for (const std::string& file : manifest::image_files(name))
      if (auto found = root.find(file, unusable)) return found;
  for (const Root& root : roots)
    for (const std::string& file : manifest::image_files(name))
      if (unusable.empty()) unusable = root.why_unfetched(file);
  return std::nullopt;
}

std::string describe(const std::vector<Root>& roots) {
  std::string places;
  for (const Root& root : roots) places += (places.empty() ? "" : ", ") + root.describe();
  return places.empty() ? "no folder" : places;
}

// Of one source that is missing its own name says enough; and where one is there in some way, the place is
// right.
bool is_place_wrong(const std::vector<std::optional<Source>>& sources, std::size_t remarks) {
  return sources.size() > 1 && remarks == 0 &&
         std::none_of(sources.begin(), sources.end(),
                      [](const std::optional<Source>& source) { return source.has_value(); });
}

[[noreturn]] void refuse_place(const char* what, std::size_t count, const char* flag,
                               const std::string& places, const std::string& layout) {
  throw common::Error(common::ErrorKind::mismatch,
                      fmt::format("none of the {} {} is in {}; check {}: it must hold {}", count, what,
                                  places, flag, layout));
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
  const auto keep = [&](std::optional<Source> found, std::vector<std::optional<Source>>& sources,
                        const std::string& line) {
    if (!found) {
      ++collection.missing;
      collection.missing_lines += "\n  " + line;
    }
    sources.push_back(std::move(found));
  };
  std::size_t clip_remarks = 0, image_remarks = 0;
  for (const PlannedClip& clip : plan.clips) {
    std::string unusable;
    auto found = find_clip(clip, sounds, unusable);
    if (!found && !unusable.empty()) ++clip_remarks;
    keep(std::move(found), collection.clip_sources, clip.stem + ".wav|.flac|.mp3" + unusable);
  }
  for (const PlannedImage& image : plan.images) {
    std::string unusable;
    const std::string name(image.file_name());
    auto found = find_image(name, images, unusable);
    if (!found && !unusable.empty()) ++image_remarks;
    keep(std::move(found), collection.image_sources, name + unusable);
  }
  if (missing == Missing::refuse) {
    if (is_place_wrong(collection.clip_sources, clip_remarks))
      refuse_place("clips", collection.clip_sources.size(), "--source-root", sounds.describe(),
                   "audio/<split>/, as in " + plan.clips.front().stem + ".wav, .flac or .mp3");
    if (is_place_wrong(collection.image_sources, image_remarks))
      refuse_place("pictures", collection.image_sources.size(), "--image-root", describe(images),
                   "images/, val2014/ or train2014/, as in " + std::string(plan.images.front().file_name()));
  }
  if (collection.missing > 0)
    collection.missing_lines +=
        "\nClips were looked for in " + sounds.describe() + ", pictures in " + describe(images) + ".";
  collection.plan = std::move(plan);
  return collection;
}

}  // namespace packer
