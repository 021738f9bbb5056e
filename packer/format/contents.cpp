#include "packer/format/contents.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "common/sealed/finding_limit.hpp"

namespace packer {
namespace {

using manifest::SubsetManifest;
using manifest::VqaManifest;

std::string text_of_key(std::int64_t key) { return std::to_string(key); }
std::string text_of_key(const std::string& key) { return key; }

// Where each key was seen first; the same key in another split is a leak.
template <typename Key>
class Claims {
 public:
  Claims(const char* what, common::Findings& findings) : what_(what), findings_(findings) {}
  void claim(const std::vector<Key>& keys, Role split) {
    std::set<Key> told;
    for (const Key& key : keys) {
      const auto [it, is_new] = first_.emplace(key, split);
      if (is_new || it->second == split || !told.insert(key).second) continue;
      findings_.add(file_of(split), "M6",
                    std::string("shares ") + what_ + " " + text_of_key(key) + " with " + file_of(it->second));
    }
  }

 private:
  const char* what_;
  common::LimitedFindings findings_;
  // Trees: whoever writes the ids can make all fall into one place of a hash table.
  std::map<Key, Role> first_;
};

// The same for the bytes of media, where both files are named: their ids differ, and nothing else would say
// which row is to go.
class MediaClaims {
 public:
  MediaClaims(const char* what, common::Findings& findings) : what_(what), findings_(findings) {}
  void claim(const std::vector<MediaKey>& keys, Role split) {
    std::set<std::string_view> told;
    for (const MediaKey& key : keys) {
      const auto [it, is_new] = first_.emplace(key.digest, Claim{split, key.path});
      if (is_new || it->second.split == split || !told.insert(key.path).second) continue;
      findings_.add(file_of(split), "M6",
                    std::string("the ") + what_ + " " + std::string(key.path) + " has the same bytes as " +
                        std::string(it->second.path) + " of " + file_of(it->second.split) + " (SHA-256 " +
                        key.digest.hex() + ")");
    }
  }

 private:
  struct Claim {
    Role split;
    std::string_view path;
  };
  const char* what_;
  common::LimitedFindings findings_;
  std::map<common::Digest, Claim> first_;
};

bool holds_clips(Role role) { return role == Role::manifest || role == Role::audio_val_manifest; }

}  // namespace

std::optional<std::size_t> index_of(const std::vector<PackFile>& files, std::string_view path) {
  const auto at =
      std::lower_bound(files.begin(), files.end(), path,
                       [](const PackFile& file, std::string_view p) { return file.path.text() < p; });
  if (at == files.end() || at->path.text() != path) return std::nullopt;
  return static_cast<std::size_t>(at - files.begin());
}

std::vector<std::size_t> order_behind_info(const std::vector<PackFile>& files) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < files.size(); ++i)
    if (is_control(files[i].path.text()) && files[i].path.text() != k_info_name) order.push_back(i);
  for (std::size_t i = 0; i < files.size(); ++i)
    if (!is_control(files[i].path.text())) order.push_back(i);
  return order;
}

const char* file_of(Role role) {
  switch (role) {
    case Role::val_manifest:
      return "val_manifest.json";
    case Role::retention_manifest:
      return "retention_manifest.json";
    case Role::base_manifest:
      return "base_manifest.json";
    case Role::audio_val_manifest:
      return "audio_val_manifest.json";
    case Role::unlike_manifest:
      return "unlike_manifest.json";
    default:
      return "manifest.json";
  }
}

std::string image_path(const manifest::QuestionEntry& entry) {
  return manifest::image_path(entry.image_filename);
}

std::vector<SplitKeys> split_keys(const Manifests& manifests, const MediaLookup& media_at) {
  std::vector<SplitKeys> splits;
  const auto media = [&](const std::string& path) {
    if (const auto key = media_at(path)) splits.back().media.push_back(*key);
  };
  const auto clips = [&](const std::optional<SubsetManifest>& subset, Role role) {
    if (!subset) return;
    splits.push_back({role, {}, {}, {}, {}});
    for (const manifest::ClipEntry& clip : subset->entries) {
      splits.back().clip_ids.push_back(clip.clip_id);
      media(clip.audio_relpath);
    }
  };
  const auto questions = [&](const std::optional<VqaManifest>& vqa, Role role) {
    if (!vqa) return;
    splits.push_back({role, {}, {}, {}, {}});
    for (const manifest::QuestionEntry& entry : vqa->entries) {
      splits.back().question_ids.push_back(entry.question_id);
      splits.back().image_ids.push_back(entry.image_id);
      media(image_path(entry));
    }
    for (const manifest::ClipEntry& clip : vqa->captions) splits.back().clip_ids.push_back(clip.clip_id);
  };
  clips(manifests.clips, Role::manifest);
  clips(manifests.audio_val, Role::audio_val_manifest);
  questions(manifests.val, Role::val_manifest);
  questions(manifests.retention, Role::retention_manifest);
  questions(manifests.base, Role::base_manifest);
  questions(manifests.unlike, Role::unlike_manifest);
  return splits;
}

void find_leaks(const std::vector<SplitKeys>& splits, common::Findings& findings) {
  // One table at a time: each has a node for every row of the pack.
  const auto compare = [&](auto claims, const auto& keys_of) {
    for (const SplitKeys& split : splits) claims.claim(keys_of(split), split.role);
  };
  static const std::vector<MediaKey> k_none;
  compare(
      Claims<std::int64_t>("question_id", findings),
      [](const SplitKeys& split) -> const auto& { return split.question_ids; });
  compare(
      Claims<std::int64_t>("image_id", findings),
      [](const SplitKeys& split) -> const auto& { return split.image_ids; });
  compare(
      Claims<std::string>("the clip", findings),
      [](const SplitKeys& split) -> const auto& { return split.clip_ids; });
  compare(
      MediaClaims("image", findings),
      [](const SplitKeys& split) -> const auto& { return holds_clips(split.role) ? k_none : split.media; });
  compare(
      MediaClaims("clip", findings),
      [](const SplitKeys& split) -> const auto& { return holds_clips(split.role) ? split.media : k_none; });
}

std::size_t count_images(const VqaManifest& vqa) {
  std::set<std::string_view> names;
  for (const manifest::QuestionEntry& entry : vqa.entries) names.insert(entry.image_filename);
  return names.size();
}

std::string write_readme(const SubsetManifest& clips, std::size_t clip_count, std::size_t image_count) {
  return "Subset: " + clips.subset_name + "\nSource dataset: " + clips.source_dataset +
         "\nTotal clips packaged: " + std::to_string(clip_count) +
         "\nValidation images copied: " + std::to_string(image_count) + "\n";
}

}  // namespace packer
