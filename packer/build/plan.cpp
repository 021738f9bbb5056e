#include "packer/build/plan.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "common/error.hpp"
#include "manifest/datasets/data_sets.hpp"

namespace packer {
namespace {

constexpr const char* k_longest_suffix = ".flac";

const char* table_of(Role role) {
  return role == Role::subset_manifest ? "the subset manifest" : "the held-out clips";
}

// "audio/<split>/<name>" without the suffix; empty, with a finding, where the row names anything else.
std::string stem_of(const std::string& named, common::Findings& findings) {
  if (const std::string why = common::why_not_a_pack_path(named); !why.empty()) {
    findings.push_back({named, "N1", "audio_relpath cannot be a name in a pack: " + why});
    return {};
  }
  std::string stem = manifest::clip_stem(named);
  // The longest suffix that it can get: its real one is only known when its source is read.
  if (const std::string why = common::why_not_a_pack_path(stem + k_longest_suffix); !why.empty()) {
    findings.push_back(
        {named, "N1", "audio_relpath is too long, since a FLAC source would make it a byte longer: " + why});
    return {};
  }
  if (role_of(stem + ".wav") != Role::clip) {
    findings.push_back({named, "N5", "audio_relpath must be audio/<split>/<name>"});
    return {};
  }
  return stem;
}

void plan_clips(const manifest::SubsetManifest& subset, Role role, Plan& result, common::Findings& findings) {
  const manifest::SoundSet& data_set = manifest::sound_set_of(subset);
  for (std::size_t row = 0; row < subset.entries.size(); ++row) {
    const manifest::ClipEntry& entry = subset.entries[row];
    PlannedClip clip{role,
                     row,
                     entry.audio_relpath,
                     stem_of(entry.audio_relpath, findings),
                     entry.start_time_s.value_or(0),
                     &data_set};
    if (!clip.stem.empty()) result.clips.push_back(std::move(clip));
  }
}

void refuse_same_stems(const Plan& result, common::Findings& findings) {
  std::map<std::string_view, const PlannedClip*> first;
  for (const PlannedClip& clip : result.clips) {
    const auto [at, is_new] = first.emplace(clip.stem, &clip);
    if (!is_new)
      findings.push_back({clip.named, "N7",
                          std::string("duplicate: two rows name this file, one of ") + table_of(clip.role) +
                              " and one of " + table_of(at->second->role)});
  }
}

void plan_images(const Manifests& manifests, Plan& result, common::Findings& findings) {
  std::set<std::string> names;
  for (const auto* vqa : {&manifests.val, &manifests.retention, &manifests.base, &manifests.unlike})
    if (*vqa)
      for (const manifest::QuestionEntry& entry : (*vqa)->entries) names.insert(entry.image_filename);
  for (const std::string& name : names) {
    const std::string path = manifest::image_path(name);
    if (const std::string why = common::why_not_a_pack_path(path); !why.empty())
      findings.push_back({name, "N1", "image_filename cannot be a name in a pack: " + why});
    else
      result.images.push_back({common::PackPath(path)});
  }
}

std::vector<common::PackPath> longest_paths(const Plan& result) {
  std::vector<common::PackPath> paths;
  for (const PlannedClip& clip : result.clips) paths.emplace_back(clip.stem + k_longest_suffix);
  for (const PlannedImage& image : result.images) paths.push_back(image.path);
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  return paths;
}

}  // namespace

const manifest::ClipEntry& entry_of(const PlannedClip& clip, const Plan& plan) {
  const Manifests& manifests = plan.tables.manifests;
  return (clip.role == Role::audio_val_manifest ? manifests.audio_val : manifests.subset)->entries[clip.row];
}

Plan plan(const std::string& pack_name, Tables tables) {
  if (const std::string why = why_not_a_pack_name(pack_name); !why.empty())
    throw common::Error(common::ErrorKind::usage, "\"" + common::escape_for_terminal(pack_name) +
                                                      "\" cannot name a pack: " + why +
                                                      "; give --dest-root another last component");
  Plan result;
  result.name = pack_name;
  common::Findings findings;
  Manifests& manifests = tables.manifests;
  ENSURE(manifests.subset && manifests.val);
  plan_clips(*manifests.subset, Role::subset_manifest, result, findings);
  if (manifests.audio_val) plan_clips(*manifests.audio_val, Role::audio_val_manifest, result, findings);
  refuse_same_stems(result, findings);
  plan_images(manifests, result, findings);
  check_names(pack_name, longest_paths(result), findings);
  if (result.clips.size() + result.images.size() > common::k_file_count_limit)
    findings.push_back({"", "S6", "more than 500000 files"});
  // What is asked for stands in for what will be packed.
  std::swap(manifests.clips, manifests.subset);
  find_leaks(split_keys(manifests, [](const std::string&) { return std::nullopt; }), findings);
  std::swap(manifests.clips, manifests.subset);
  common::sort_findings(findings);
  if (!findings.empty())
    common::throw_findings("the manifests cannot make a pack", findings,
                           "Correct the manifests and build again.");
  result.tables = std::move(tables);
  return result;
}

}  // namespace packer
