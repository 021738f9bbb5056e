#include "packer/seal.hpp"

#include <algorithm>
#include <unordered_map>

#include "common/error.hpp"

namespace packer {
namespace {

// Staged media by the name that manifests use.
struct StagedMedia {
  std::unordered_map<std::string, const StagedFile*> clips;   // by stem and role: see key_of
  std::unordered_map<std::string, const StagedFile*> images;  // by file name
  std::unordered_map<std::string, const std::string*> reasons;
};

std::string key_of(Role role, std::size_t row) {
  return std::string(name_of(role)) + "/" + std::to_string(row);
}

StagedMedia index_media(const StagedPack& staged) {
  StagedMedia media;
  for (std::size_t i = 0; i < staged.clips.size(); ++i) {
    const std::string key = key_of(staged.plan.clips[i].role, staged.plan.clips[i].row);
    if (staged.clips[i])
      media.clips.emplace(key, &*staged.clips[i]);
    else
      media.reasons.emplace(key, &staged.clip_reasons[i]);
  }
  for (std::size_t i = 0; i < staged.images.size(); ++i) {
    const std::string& key = staged.plan.images[i].file_name;
    if (staged.images[i])
      media.images.emplace(key, &*staged.images[i]);
    else
      media.reasons.emplace(key, &staged.image_reasons[i]);
  }
  return media;
}

// Rows whose file was staged, under its real name; the others go to `missing`.
manifest::SubsetManifest present_clips(const manifest::SubsetManifest& asked, Role role,
                                       const StagedMedia& media, std::vector<MissingItem>& missing) {
  manifest::SubsetManifest present = asked;
  present.entries.clear();
  for (std::size_t row = 0; row < asked.entries.size(); ++row) {
    const auto at = media.clips.find(key_of(role, row));
    manifest::ClipEntry entry = asked.entries[row];
    if (at == media.clips.end()) {
      missing.push_back({role, entry.youtube_id, entry.audio_relpath, *media.reasons.at(key_of(role, row))});
      continue;
    }
    entry.audio_relpath = at->second->info.path.text();
    present.entries.push_back(std::move(entry));
  }
  return present;
}

manifest::VqaManifest present_questions(const manifest::VqaManifest& asked, Role role,
                                        const StagedMedia& media, std::vector<MissingItem>& missing) {
  manifest::VqaManifest present = asked;
  present.entries.clear();
  for (const manifest::QuestionEntry& entry : asked.entries) {
    if (media.images.count(entry.image_filename) != 0)
      present.entries.push_back(entry);
    else
      missing.push_back({role, std::to_string(entry.question_id), entry.image_filename,
                         *media.reasons.at(entry.image_filename)});
  }
  return present;
}

Manifests present_manifests(const Manifests& asked, const StagedMedia& media,
                            std::vector<MissingItem>& missing) {
  Manifests present;
  present.subset = asked.subset;
  present.clips = present_clips(*asked.subset, Role::subset_manifest, media, missing);
  if (asked.audio_val)
    present.audio_val = present_clips(*asked.audio_val, Role::audio_val_manifest, media, missing);
  present.val = present_questions(*asked.val, Role::val_manifest, media, missing);
  if (asked.retention)
    present.retention = present_questions(*asked.retention, Role::retention_manifest, media, missing);
  if (asked.base) present.base = present_questions(*asked.base, Role::base_manifest, media, missing);
  return present;
}

template <typename Manifest>
void add_input(const std::optional<Manifest>& asked, const std::optional<Manifest>& present, Role role,
               const Tables& tables, PackInfo& info) {
  if (!asked) return;
  if (present->entries.empty())
    throw common::Error(common::ErrorKind::mismatch,
                        std::string("nothing of ") + name_of(role) +
                            " is left to pack; name the folders that hold its files");
  info.inputs.push_back({role, tables.digests.at(role), asked->subset_name, asked->source_dataset,
                         asked->seed, asked->entries.size(), present->entries.size()});
}

void add_inputs(const Tables& tables, const Manifests& present, PackInfo& info) {
  const Manifests& asked = tables.manifests;
  add_input(asked.subset, present.clips, Role::subset_manifest, tables, info);
  add_input(asked.audio_val, present.audio_val, Role::audio_val_manifest, tables, info);
  add_input(asked.val, present.val, Role::val_manifest, tables, info);
  add_input(asked.retention, present.retention, Role::retention_manifest, tables, info);
  add_input(asked.base, present.base, Role::base_manifest, tables, info);
}

void refuse_leaks(const Manifests& present, const StagedMedia& media) {
  std::unordered_map<std::string, common::Digest> digests;
  for (const auto& [key, file] : media.clips) digests.emplace(file->info.path.text(), file->digest);
  for (const auto& [key, file] : media.images) digests.emplace(file->info.path.text(), file->digest);
  Findings findings;
  const auto digest_of_file = [&](const std::string& path) {
    const auto at = digests.find(path);
    return at == digests.end() ? std::nullopt : std::optional(at->second);
  };
  find_leaks(split_keys(present, digest_of_file), findings);
  sort_findings(findings);
  if (!findings.empty())
    throw_findings("splits of this pack would leak", findings, "Select the manifests again with --exclude.");
}

std::map<std::string, std::string> control_texts(const Tables& tables, const Manifests& present) {
  std::map<std::string, std::string> texts;
  texts["manifest.json"] = manifest::write_subset(*present.clips);
  texts["subset_manifest.json"] = tables.subset_text;
  texts["captions.jsonl"] = manifest::write_captions_jsonl(*present.clips);
  texts["val_manifest.json"] = manifest::write_vqa(*present.val);
  texts["README.txt"] =
      write_readme(*present.clips, present.clips->entries.size(), count_images(*present.val));
  if (present.retention) texts["retention_manifest.json"] = manifest::write_vqa(*present.retention);
  if (present.base) texts["base_manifest.json"] = manifest::write_vqa(*present.base);
  if (present.audio_val) texts["audio_val_manifest.json"] = manifest::write_subset(*present.audio_val);
  return texts;
}

SumsLine put_text(const std::string& name, const std::string& text, const Draft& draft) {
  const SumsLine line{common::PackPath(name), common::digest_of(text)};
  draft.put(line.path, common::view_of(text), line.digest);
  return line;
}

}  // namespace

SealedPack seal(StagedPack staged, Draft& draft) {
  const StagedMedia media = index_media(staged);
  SealedPack sealed;
  PackInfo& info = sealed.info;
  info.name = staged.plan.name;
  const Manifests present = present_manifests(staged.plan.tables.manifests, media, info.missing);
  add_inputs(staged.plan.tables, present, info);
  refuse_leaks(present, media);

  std::vector<SumsLine> sums;
  for (const auto* group : {&staged.clips, &staged.images})
    for (const std::optional<StagedFile>& file : *group)
      if (file) {
        // A picture whose questions are all gone cannot be: an image is staged or its rows are missing.
        info.files.push_back(file->info);
        sums.push_back({file->info.path, file->digest});
      }
  for (const auto& [name, text] : control_texts(staged.plan.tables, present)) {
    sums.push_back(put_text(name, text, draft));
    info.files.push_back({sums.back().path, *role_of(name), text.size(), {}, {}});
  }
  std::sort(info.files.begin(), info.files.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
  sums.push_back(put_text(std::string(k_info_name), write_info(info), draft));
  std::sort(sums.begin(), sums.end());
  const std::string seal_text = write_sums(sums);
  std::set<std::string> wanted{std::string(k_seal_name)};
  for (const SumsLine& line : sums) wanted.insert(line.path.text());
  draft.remove_all_but(wanted);
  sealed.id = put_text(std::string(k_seal_name), seal_text, draft).digest;
  draft.publish();
  sealed.location = draft.target();
  return sealed;
}

}  // namespace packer
