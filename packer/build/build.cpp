#include "packer/build/build.hpp"

#include <set>

#include "common/error.hpp"
#include "common/file.hpp"
#include "manifest/format/parse.hpp"
#include "packer/build/seal.hpp"
#include "packer/format/replaceable.hpp"

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
  // The second is where the Python original's converter expects COCO.
  if (request.image_roots.empty()) {
    // Nothing has a ".." that is a file, as an archive is.
    const fs::path beside_sounds = fs::is_regular_file(request.source_root)
                                       ? request.source_root.parent_path()
                                       : request.source_root / "..";
    request.image_roots = {beside_sounds / "vqa", beside_sounds / "coco"};
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
    return summarise(seal(std::move(staged), draft, request.missing));
  } catch (const common::Error& error) {
    if (error.kind() == common::ErrorKind::interrupted) draft.keep();
    throw;
  }
}

}  // namespace packer
