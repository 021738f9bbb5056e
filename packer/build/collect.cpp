#include "packer/build/collect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/unfetched.hpp"
#include "manifest/datasets/data_sets.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

// A folder or an archive that sources are looked for in.
class Root {
 public:
  explicit Root(fs::path place) : place_(std::move(place)), folder_(place_) {
    if (const std::string why = common::why_unfetched(place_); !why.empty())
      throw common::Error(common::ErrorKind::io, place_.string() + " " + why);
    if (!fs::is_regular_file(place_)) return;
    if (!is_foreign_archive_name(place_))
      throw common::Error(common::ErrorKind::usage,
                          place_.string() +
                              " is not a source: it is neither a folder nor a .zip or a .tar (by itself "
                              "or with .gz, .zst, .xz or .bz2); name one of these");
    archive_ = std::make_shared<const ForeignArchive>(place_);
  }

  // `find`: find_sound or find_picture. `unusable` gets a remark where there is a file that cannot be taken.
  template <typename Find>
  [[nodiscard]] std::optional<Source> find(const manifest::Places& places, const Find& find,
                                           std::string& unusable) {
    const manifest::Found found = find(places, archive_ ? tree_of_archive(unusable) : folder_.tree());
    if (!found.rivals.empty())
      unusable = fmt::format(" (there is {}, and which of them is meant is not known; rename that one)",
                             fmt::join(found.rivals, " and "));
    if (found.path.empty()) {
      if (unusable.empty() && !archive_) unusable = why_unfetched(places);
      return std::nullopt;
    }
    if (archive_) return Source{place_.string(), archive_, archive_->find(found.path)};
    // Sources may be links (data sets on clusters often are); a pack's own files never.
    return Source{fs::canonical(place_ / found.path).string(), nullptr, nullptr};
  }

  [[nodiscard]] std::string describe() const {
    return fs::exists(place_) ? place_.string() : place_.string() + " (which does not exist)";
  }
  // What is in those folders instead; empty where nothing is, or an archive.
  [[nodiscard]] std::string describe_others(const std::vector<std::string>& folders) {
    return archive_ ? std::string() : common::escape_for_terminal(folder_.describe(folders));
  }

 private:
  // Of a file that was not found: that it was never fetched. Empty: nothing tells so.
  [[nodiscard]] std::string why_unfetched(const manifest::Places& places) const {
    const std::string& own = places.names.front();
    for (const std::string& folder : places.folders)
      for (const char* suffix : {"", ".wav", ".flac", ".mp3"}) {
        const fs::path path = place_ / folder / (*suffix == 0 ? own : manifest::clip_stem(own) + suffix);
        if (const std::string why = common::why_unfetched(path); !why.empty())
          return ": " + path.string() + " " + why;
      }
    return {};
  }

  [[nodiscard]] manifest::Tree tree_of_archive(std::string& unusable) const {
    return {[this](const std::string&, std::string_view stem) { return archive_->has_stem(stem); },
            [this, &unusable](const std::string& path) {
              const auto [entry, rivals] = archive_->search(path);
              if (!rivals.empty() && unusable.empty())
                unusable = common::escape_for_terminal(
                    fmt::format(" (in {} it is there as {}, and which of them is meant is not known; name an "
                                "archive with one of them)",
                                place_.string(), fmt::join(rivals, " and ")));
              if (entry != nullptr && !entry->why_not.empty())
                unusable = " (in " + place_.string() + " it is " + entry->why_not + ")";
              return entry != nullptr && entry->why_not.empty();
            }};
  }

  fs::path place_;
  manifest::FolderTree folder_;
  std::shared_ptr<const ForeignArchive> archive_;
};

std::optional<Source> find_clip(const manifest::Places& places, Root& root, std::string& unusable) {
  return root.find(places, manifest::find_sound, unusable);
}

std::optional<Source> find_image(const manifest::Places& places, std::vector<Root>& roots,
                                 std::string& unusable) {
  for (Root& root : roots)
    if (auto found = root.find(places, manifest::find_picture, unusable)) return found;
  return std::nullopt;
}

// Where the first of the files that are missing was looked for, and what is there instead.
std::string describe_search(const char* what, const manifest::Places& places, const std::string& roots,
                            const std::string& others) {
  std::vector<std::string> folders;
  for (const std::string& folder : places.folders) folders.push_back(folder.empty() ? "the root" : folder);
  return fmt::format("{} were looked for in {} ({}), the first as {}{}.", what, roots,
                     fmt::join(folders, ", "), fmt::join(places.names, ", "),
                     others.empty() ? "" : "; " + others);
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
                               const std::string& places, const std::string& layout,
                               const std::string& search) {
  throw common::Error(common::ErrorKind::mismatch,
                      fmt::format("none of the {} {} is in {}; check {}: it must hold {}. {}", count, what,
                                  places, flag, layout, search));
}

}  // namespace

std::string Source::name() const {
  return archive ? host + ": " + common::escape_for_terminal(entry->name) : host;
}

Collection collect(Plan plan, const SourceRoots& roots, Missing missing) {
  Root sounds(roots.sounds);
  std::vector<Root> images(roots.images.begin(), roots.images.end());
  Collection collection;
  collection.clip_sources.reserve(plan.clips.size());
  collection.image_sources.reserve(plan.images.size());
  std::optional<manifest::Places> lost_clip, lost_image;  // the first of each
  const auto keep = [&](std::optional<Source> found, std::vector<std::optional<Source>>& sources,
                        const manifest::Places& places, std::optional<manifest::Places>& lost,
                        const std::string& line) {
    if (!found) {
      ++collection.missing;
      collection.missing_lines += "\n  " + line;
      if (!lost) lost = places;
    }
    sources.push_back(std::move(found));
  };
  std::size_t clip_remarks = 0, image_remarks = 0;
  for (const PlannedClip& clip : plan.clips) {
    std::string unusable;
    const manifest::Places places = clip.data_set->sources(entry_of(clip, plan));
    auto found = find_clip(places, sounds, unusable);
    if (!found && !unusable.empty()) ++clip_remarks;
    keep(std::move(found), collection.clip_sources, places, lost_clip, clip.named + unusable);
  }
  for (const PlannedImage& image : plan.images) {
    std::string unusable;
    const std::string name(image.file_name());
    const manifest::Places places = manifest::question_set().sources(name);
    auto found = find_image(places, images, unusable);
    if (!found && !unusable.empty()) ++image_remarks;
    keep(std::move(found), collection.image_sources, places, lost_image, name + unusable);
  }
  std::vector<std::string> searches;
  if (lost_clip)
    searches.push_back(
        describe_search("Clips", *lost_clip, sounds.describe(), sounds.describe_others(lost_clip->folders)));
  if (lost_image) {
    std::string others;
    for (Root& root : images)
      if (others.empty()) others = root.describe_others(lost_image->folders);
    searches.push_back(describe_search("Pictures", *lost_image, describe(images), others));
  }
  if (missing == Missing::refuse) {
    if (is_place_wrong(collection.clip_sources, clip_remarks))
      refuse_place("clips", collection.clip_sources.size(), "--source-root", sounds.describe(),
                   "audio/<split>/, as in " + plan.clips.front().stem + ".wav, .flac or .mp3",
                   searches.front());
    if (is_place_wrong(collection.image_sources, image_remarks))
      refuse_place("pictures", collection.image_sources.size(), "--image-root", describe(images),
                   "images/, val2014/ or train2014/, as in " + std::string(plan.images.front().file_name()),
                   searches.back());
  }
  for (const std::string& search : searches) collection.missing_lines += "\n" + search;
  collection.plan = std::move(plan);
  return collection;
}

}  // namespace packer
