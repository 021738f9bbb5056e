#include "packer/build/seal.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "common/error.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/format/write.hpp"

namespace packer {
namespace {

constexpr const char* k_equal = "the same bytes as a file of another split";

using StagedByName = std::unordered_map<std::string_view, const Staged*>;

// Of the rows that were asked for those stay whose file was staged, under its real name; the others become
// `missing`.
void keep_present(manifest::SubsetManifest& subset, Role role, const StagedPack& staged,
                  std::vector<MissingItem>& missing) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < staged.clips.size(); ++i) {
    const PlannedClip& clip = staged.plan.clips[i];  // in the order of the rows
    if (clip.role != role) continue;
    manifest::ClipEntry entry = std::move(subset.entries[clip.row]);
    if (const auto& file = staged.clips[i].file) {
      entry.audio_relpath = file->info.path.text();
      subset.entries[kept++] = std::move(entry);
    } else {
      missing.push_back({role, entry.clip_id, entry.audio_relpath, staged.clips[i].reason});
    }
  }
  subset.entries.resize(kept);
}

void keep_present(manifest::VqaManifest& vqa, Role role, const StagedByName& images,
                  std::vector<MissingItem>& missing) {
  const auto is_lost = [&](const manifest::QuestionEntry& entry) {
    const Staged& image = *images.at(entry.image_filename);
    if (!image.file)
      missing.push_back({role, std::to_string(entry.question_id), entry.image_filename, image.reason});
    return !image.file;
  };
  vqa.entries.erase(std::remove_if(vqa.entries.begin(), vqa.entries.end(), is_lost), vqa.entries.end());
}

void state_data_set(const manifest::SubsetManifest& subset, RecipeInput& input) {
  if (subset.data_set.empty()) return;
  input.data_set = subset.data_set;
  if (const auto clip_s = manifest::sound_set_of(subset).clip_s) input.clip_s = *clip_s;
}
void state_data_set(const manifest::VqaManifest&, RecipeInput&) {}

// Makes of the manifests that were asked for those that are packed, and accounts for each row.
void account_for_rows(StagedPack& staged, PackInfo& info) {
  Manifests& manifests = staged.plan.tables.manifests;
  StagedByName images;
  images.reserve(staged.images.size());
  for (std::size_t i = 0; i < staged.images.size(); ++i)
    images.emplace(staged.plan.images[i].file_name(), &staged.images[i]);
  const auto account = [&](auto& manifest, Role role, const auto& files) {
    if (!manifest) return;
    RecipeInput input{role,
                      staged.plan.tables.digests.at(role),
                      manifest->subset_name,
                      manifest->source_dataset,
                      manifest->seed,
                      manifest->entries.size(),
                      0};
    if (const auto at = staged.plan.tables.recipes.find(role); at != staged.plan.tables.recipes.end())
      input.recipe = at->second;
    state_data_set(*manifest, input);
    const std::size_t lost_before = info.missing.size();
    keep_present(*manifest, role, files, info.missing);
    const bool only_equal =
        std::all_of(info.missing.begin() + static_cast<std::ptrdiff_t>(lost_before), info.missing.end(),
                    [](const MissingItem& item) { return item.reason == k_equal; });
    const bool may_go = role != Role::subset_manifest && role != Role::val_manifest;
    if (manifest->entries.empty() && !(only_equal && may_go))
      throw common::Error(
          common::ErrorKind::mismatch,
          std::string("no source of ") + name_of(role) + " was found; name the folders that hold its files");
    input.packed = manifest->entries.size();
    info.inputs.push_back(std::move(input));
    // Every file of it stands in another split: the pack accounts for its rows and has no such split.
    if (manifest->entries.empty()) manifest.reset();
  };
  account(manifests.subset, Role::subset_manifest, staged);
  account(manifests.audio_val, Role::audio_val_manifest, staged);
  account(manifests.val, Role::val_manifest, images);
  account(manifests.retention, Role::retention_manifest, images);
  account(manifests.base, Role::base_manifest, images);
  account(manifests.unlike, Role::unlike_manifest, images);
  std::swap(manifests.clips, manifests.subset);
}

// Licences by number, of which only those are listed that a picture has.
void state_licences(StagedPack& staged, PackInfo& info) {
  const manifest::CocoImages& coco = staged.plan.tables.coco;
  std::set<std::int64_t> used;
  for (std::size_t i = 0; i < staged.images.size(); ++i) {
    const auto at = coco.images.find(std::string(staged.plan.images[i].file_name()));
    if (!staged.images[i].file || at == coco.images.end()) continue;
    ImageFacts& facts = *staged.images[i].file->info.image;
    facts.licence = at->second.licence;
    facts.source = at->second.source;
    used.insert(at->second.licence);
  }
  for (const std::int64_t id : used)
    info.image_licences.push_back({id, coco.licences.at(id).name, coco.licences.at(id).url});
}

// The same of clips, as their rows say; the licences are numbered in the order of their texts.
void state_clip_licences(StagedPack& staged, PackInfo& info) {
  std::map<std::string, std::int64_t> numbers;
  for (std::size_t i = 0; i < staged.clips.size(); ++i)
    if (staged.clips[i].file) numbers.emplace(entry_of(staged.plan.clips[i], staged.plan).licence, 0);
  numbers.erase("");
  std::int64_t next = 0;
  for (auto& [text, number] : numbers) {
    number = ++next;
    const bool is_url = text.starts_with("http://") || text.starts_with("https://");
    info.clip_licences.push_back({number, is_url ? "" : text, is_url ? text : ""});
  }
  for (std::size_t i = 0; i < staged.clips.size(); ++i) {
    if (!staged.clips[i].file) continue;
    const manifest::ClipEntry& entry = entry_of(staged.plan.clips[i], staged.plan);
    ClipFacts& facts = *staged.clips[i].file->info.clip;
    if (!entry.licence.empty()) facts.licence = numbers.at(entry.licence);
    facts.published = entry.source;
  }
}

// M6, where the user asked for a pack without what is unusable: of two files with equal bytes in two splits
// the one whose split is read later is left out, so that validation stays as it was asked for.
void leave_out_equal_bytes(StagedPack& staged, const common::Draft& draft) {
  struct DigestOrder {
    bool operator()(const common::Digest* a, const common::Digest* b) const { return *a < *b; }
  };
  const Manifests& manifests = staged.plan.tables.manifests;
  std::map<const common::Digest*, Role, DigestOrder> first;
  const auto look_at = [&](Staged& one, Role role) {
    if (!one.file) return;
    const auto [at, is_new] = first.emplace(&one.file->digest, role);
    if (is_new || at->second == role) return;
    const std::string& path = one.file->info.path.text();
    draft.folder().remove(path);
    (void)draft.folder().remove_if_empty(path.substr(0, path.rfind('/')));
    one.file.reset();
    one.reason = k_equal;
  };
  for (const Role role : {Role::subset_manifest, Role::audio_val_manifest})
    for (std::size_t i = 0; i < staged.clips.size(); ++i)
      if (staged.plan.clips[i].role == role) look_at(staged.clips[i], role);
  first.clear();
  std::unordered_map<std::string_view, Staged*> images;
  images.reserve(staged.images.size());
  for (std::size_t i = 0; i < staged.images.size(); ++i)
    images.emplace(staged.plan.images[i].file_name(), &staged.images[i]);
  const auto look_at_rows = [&](const std::optional<manifest::VqaManifest>& vqa, Role role) {
    if (!vqa) return;
    for (const manifest::QuestionEntry& entry : vqa->entries) look_at(*images.at(entry.image_filename), role);
  };
  look_at_rows(manifests.val, Role::val_manifest);
  look_at_rows(manifests.retention, Role::retention_manifest);
  look_at_rows(manifests.base, Role::base_manifest);
  look_at_rows(manifests.unlike, Role::unlike_manifest);
}

void refuse_leaks(const StagedPack& staged) {
  std::unordered_map<std::string_view, const StagedFile*> files;
  files.reserve(staged.clips.size() + staged.images.size());
  for (const auto* group : {&staged.clips, &staged.images})
    for (const Staged& one : *group)
      if (one.file) files.emplace(one.file->info.path.text(), &*one.file);
  common::Findings findings;
  const auto media_at = [&](const std::string& path) -> std::optional<MediaKey> {
    const auto at = files.find(path);
    if (at == files.end()) return std::nullopt;
    return MediaKey{at->second->digest, at->second->info.path.text()};
  };
  find_leaks(split_keys(staged.plan.tables.manifests, media_at), findings);
  common::sort_findings(findings);
  // Ids were compared before anything was copied: what is left are equal bytes under two ids.
  if (!findings.empty())
    common::throw_findings(
        "splits of this pack would leak", findings,
        "Select the manifests again without one of each two files (safe-manifest ... --exclude-bytes LIST, "
        "whose lines are \"SHA256  PATH\" as above), or pack without the later ones: --allow-missing.");
}

// What the pack will list: sorted by path when all is in.
struct Listing {
  std::vector<FileInfo>& files;
  std::vector<common::SumsLine>& sums;
};

std::vector<std::string> guessed_clips(const std::vector<Staged>& clips) {
  std::vector<std::string> paths;
  for (const Staged& clip : clips)
    if (clip.file && clip.file->kind == ClipCut::Kind::guessed) paths.push_back(clip.file->info.path.text());
  std::sort(paths.begin(), paths.end());
  return paths;
}

void list_media(std::vector<Staged>& staged, Listing& listing) {
  for (Staged& one : staged)
    if (one.file) {
      listing.sums.push_back({one.file->info.path, one.file->digest});
      listing.files.push_back(std::move(one.file->info));
    }
  std::vector<Staged>().swap(staged);
}

// Each manifest is dropped when it has been written: those of 100,000 files take 50 MB.
void write_manifests(Tables& tables, const common::Draft& draft, Listing& listing) {
  const auto put = [&](const char* name, const auto& write) {
    const common::PackPath path(name);
    const common::FileDigest written = draft.put_text(path, write);
    listing.sums.push_back({path, written.digest});
    listing.files.push_back({path, *role_of(name), written.size, {}, {}});
  };
  using Take = common::Draft::TakeText;
  Manifests manifests = std::move(tables.manifests);
  const auto put_subset = [&](const char* name, std::optional<manifest::SubsetManifest>& subset) {
    if (subset) put(name, [&](const Take& take) { manifest::write_subset(*subset, take); });
    subset.reset();
  };
  const auto put_vqa = [&](const char* name, std::optional<manifest::VqaManifest>& vqa) {
    if (vqa) put(name, [&](const Take& take) { manifest::write_vqa(*vqa, take); });
    vqa.reset();
  };
  put("README.txt", [&](const Take& take) {
    take(write_readme(*manifests.clips, manifests.clips->entries.size(), count_images(*manifests.val)));
  });
  const common::PackPath table(k_subset_table_name);  // is there already
  listing.sums.push_back({table, tables.digests.at(Role::subset_manifest)});
  listing.files.push_back({table, Role::subset_manifest, tables.subset_bytes, {}, {}});
  put("captions.jsonl", [&](const Take& take) { manifest::write_captions_jsonl(*manifests.clips, take); });
  put_subset("manifest.json", manifests.clips);
  put_subset("audio_val_manifest.json", manifests.audio_val);
  put_vqa("val_manifest.json", manifests.val);
  put_vqa("retention_manifest.json", manifests.retention);
  put_vqa("base_manifest.json", manifests.base);
  put_vqa("unlike_manifest.json", manifests.unlike);
}

}  // namespace

SealedPack seal(StagedPack staged, common::Draft& draft, Missing missing) {
  SealedPack sealed;
  PackInfo& info = sealed.info;
  info.name = staged.plan.name;
  if (missing == Missing::allow) leave_out_equal_bytes(staged, draft);
  state_clip_licences(staged, info);
  account_for_rows(staged, info);
  state_licences(staged, info);
  refuse_leaks(staged);
  std::vector<PlannedClip>().swap(staged.plan.clips);
  std::vector<PlannedImage>().swap(staged.plan.images);

  std::vector<common::SumsLine> sums;
  Listing listing{info.files, sums};
  write_manifests(staged.plan.tables, draft, listing);
  std::vector<std::string> guesses = guessed_clips(staged.clips);
  list_media(staged.clips, listing);
  list_media(staged.images, listing);
  std::sort(info.files.begin(), info.files.end(),
            [](const FileInfo& a, const FileInfo& b) { return a.path < b.path; });
  const common::PackPath info_path(k_info_name), seal_path(common::k_seal_name);
  sums.push_back(
      {info_path,
       draft.put_text(info_path, [&](const common::Draft::TakeText& take) { write_info(info, take); })
           .digest});
  std::sort(sums.begin(), sums.end());
  sealed.remarks = remark_on_clips(info, sums);
  remark_on_guesses(std::move(guesses), sealed.remarks);
  draft.remove_all_but([&](const std::string& path) {
    const auto at = std::lower_bound(
        sums.begin(), sums.end(), path,
        [](const common::SumsLine& line, const std::string& p) { return line.path.text() < p; });
    return path == common::k_seal_name || (at != sums.end() && at->path.text() == path);
  });
  const std::string seal_text = common::write_sums(sums);
  sealed.id = common::digest_of(seal_text);
  draft.put(seal_path, common::view_of(seal_text), sealed.id);
  draft.publish();
  sealed.location = draft.target();
  return sealed;
}

}  // namespace packer
