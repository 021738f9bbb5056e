#include "packer/build/build.hpp"

#include <map>
#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/format/parse.hpp"
#include "packer/build/seal.hpp"
#include "packer/format/replaceable.hpp"
#include "packer/leaks/leak_groups.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

std::string read_table(const fs::path& path, Role role, Tables& tables) {
  std::string text = common::read_text(path, manifest::k_manifest_limit_bytes);
  tables.digests[role] = common::digest_of(text);
  return text;
}

template <typename Manifest>
void read_recipe(const fs::path& path, Role role, const Manifest& manifest, Tables& tables) {
  auto recipe = manifest.recipe;
  if (!recipe) recipe = manifest::read_recipe_file(path, tables.digests.at(role));
  if (recipe) tables.recipes.emplace(role, *std::move(recipe));
}

Tables read_tables(const BuildRequest& request) {
  Tables tables;
  Manifests& manifests = tables.manifests;
  tables.subset_text = read_table(request.manifest, Role::subset_manifest, tables);
  tables.subset_bytes = tables.subset_text.size();
  manifests.subset = manifest::parse_subset(tables.subset_text, request.manifest.string());
  read_recipe(request.manifest, Role::subset_manifest, *manifests.subset, tables);
  const auto vqa = [&](const fs::path& path, Role role) {
    manifest::VqaManifest questions = manifest::parse_vqa(read_table(path, role, tables), path.string());
    read_recipe(path, role, questions, tables);
    return questions;
  };
  manifests.val = vqa(request.val_manifest, Role::val_manifest);
  if (request.retention_manifest)
    manifests.retention = vqa(*request.retention_manifest, Role::retention_manifest);
  if (request.base_manifest) manifests.base = vqa(*request.base_manifest, Role::base_manifest);
  if (request.unlike_manifest) manifests.unlike = vqa(*request.unlike_manifest, Role::unlike_manifest);
  if (request.audio_val_manifest) {
    const Role role = Role::audio_val_manifest;
    manifests.audio_val = manifest::parse_subset(read_table(*request.audio_val_manifest, role, tables),
                                                 request.audio_val_manifest->string());
    read_recipe(*request.audio_val_manifest, role, *manifests.audio_val, tables);
  }
  return tables;
}

// As it is, and before everything else: 13 MB of text for 50,000 clips need not wait for the seal.
void put_subset_table(Tables& tables, const common::Draft& draft) {
  draft.put(common::PackPath(k_subset_table_name), common::view_of(tables.subset_text),
            tables.digests.at(Role::subset_manifest));
  std::string().swap(tables.subset_text);
}

std::set<std::string> image_names(const Plan& planned) {
  std::set<std::string> names;
  for (const PlannedImage& image : planned.images) names.emplace(image.file_name());
  return names;
}

std::vector<LeakItem> media_of(const StagedPack& staged) {
  std::vector<LeakItem> items;
  const Manifests& manifests = staged.plan.tables.manifests;
  for (std::size_t i = 0; i < staged.clips.size(); ++i) {
    if (!staged.clips[i].file) continue;
    const PlannedClip& clip = staged.plan.clips[i];
    const bool held_out = clip.role == Role::audio_val_manifest;
    const auto& subset = held_out ? manifests.audio_val : manifests.subset;
    items.push_back({0, held_out ? Role::audio_val_manifest : Role::manifest,
                     staged.clips[i].file->info.path.text(), subset->entries[clip.row].clip_id,
                     staged.clips[i].file->digest});
  }
  std::map<std::string_view, const StagedFile*> images;
  for (std::size_t i = 0; i < staged.images.size(); ++i)
    if (staged.images[i].file) images.emplace(staged.plan.images[i].file_name(), &*staged.images[i].file);
  const auto take = [&](const std::optional<manifest::VqaManifest>& vqa, Role split) {
    if (!vqa) return;
    for (const manifest::QuestionEntry& entry : vqa->entries) {
      const auto at = images.find(entry.image_filename);
      if (at == images.end()) continue;
      items.push_back(
          {0, split, at->second->info.path.text(), std::to_string(entry.image_id), at->second->digest});
      images.erase(at);  // a picture has many rows
    }
  };
  take(manifests.val, Role::val_manifest);
  take(manifests.retention, Role::retention_manifest);
  take(manifests.base, Role::base_manifest);
  take(manifests.unlike, Role::unlike_manifest);
  return items;
}

std::optional<LeakReport> look_for_leaks(const StagedPack& staged, const common::Draft& draft,
                                         const BuildRequest& request) {
  if (request.leaks == LeakCheck::off) return std::nullopt;
  const auto read = [&](const LeakItem& item) {
    return draft.folder().read(item.path, k_source_limit_bytes);
  };
  LeakReport report = find_near_duplicates(media_of(staged), read, {request.threads, request.verbosity});
  if (request.leaks == LeakCheck::list || report.leaks.empty()) return report;
  std::string lines;
  for (const std::string& line : describe(report, {})) lines += "\n  " + line;
  throw common::Error(
      common::ErrorKind::mismatch,
      "splits of this pack hold copies of each other:" + lines +
          "\nSelect the manifests again without one of each two files, or build with --leaks list");
}

}  // namespace

BuildSummary summarise(const SealedPack& sealed) {
  BuildSummary summary;
  summary.id = sealed.id;
  summary.location = sealed.location;
  summary.missing = sealed.info.missing;
  summary.remarks = sealed.remarks;
  for (const FileInfo& file : sealed.info.files) {
    summary.bytes += file.bytes;
    summary.clips += file.role == Role::clip ? 1 : 0;
    summary.images += file.role == Role::image ? 1 : 0;
  }
  for (const RecipeInput& input : sealed.info.inputs)
    if (input.role != Role::subset_manifest && input.role != Role::audio_val_manifest)
      summary.questions += input.packed;
  return summary;
}

BuildRequest with_defaults(BuildRequest request) {
  const auto beside = [&](std::optional<fs::path>& path, const char* name) {
    const fs::path usual = request.manifest.parent_path() / name;
    // A link that leads nowhere is one to complain of, not one to go on without.
    if (!path && fs::exists(fs::symlink_status(usual))) path = usual;
  };
  beside(request.retention_manifest, "retention_manifest.json");
  beside(request.base_manifest, "base_manifest.json");
  beside(request.audio_val_manifest, "audio_val_manifest.json");
  beside(request.unlike_manifest, "unlike_manifest.json");
  if (request.image_roots.empty()) {
    // Nothing has a ".." that is a file, as an archive is.
    const fs::path beside_sounds = fs::is_regular_file(request.source_root)
                                       ? request.source_root.parent_path()
                                       : request.source_root / "..";
    for (const std::string_view name : manifest::question_set().image_roots)
      request.image_roots.push_back(beside_sounds / name);
  }
  return request;
}

BuildSummary build_pack(const BuildRequest& request) {
  const fs::path target = common::resolve_target(request.dest_root);
  common::check_replaceable(target, pack_replaceable());
  const std::string name = target.filename().string();
  Plan planned = plan(name, read_tables(request));
  if (!request.instances.empty())
    planned.tables.coco =
        manifest::read_coco_images(request.instances, image_names(planned), request.verbosity);
  Collection collection =
      collect(std::move(planned), {request.source_root, request.image_roots}, request.missing);
  common::Draft draft(target, pack_replaceable());
  try {
    put_subset_table(collection.plan.tables, draft);
    StagedPack staged =
        copy(std::move(collection), draft,
             {request.missing, request.probe, request.threads, request.verbosity, request.sources});
    std::optional<LeakReport> leaks = look_for_leaks(staged, draft, request);
    BuildSummary summary = summarise(seal(std::move(staged), draft, request.missing));
    summary.leaks = std::move(leaks);
    return summary;
  } catch (const common::Error& error) {
    if (error.kind() == common::ErrorKind::interrupted) draft.keep();
    throw;
  }
}

}  // namespace packer
