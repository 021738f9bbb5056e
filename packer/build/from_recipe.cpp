#include "packer/build/from_recipe.hpp"

#include <map>

#include "common/error.hpp"
#include "common/sealed/draft.hpp"
#include "common/sealed/signature.hpp"
#include "common/sealed/sums.hpp"
#include "packer/build/seal.hpp"
#include "packer/check/outline.hpp"
#include "packer/format/replaceable.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

Outline read_recipe(const BuildRequest& request, const RecipeTrust& trust) {
  const fs::path& recipe = *request.recipe;
  if (!fs::is_directory(recipe))
    throw Error(ErrorKind::usage, recipe.string() +
                                      " is not a folder; a recipe is the folder that safe-packer export "
                                      "--format recipe makes, or a pack's");
  std::optional<common::PublicKey> key;
  if (trust.trusted_key) key = common::read_trusted_key(*trust.trusted_key, recipe);
  return read_outline(recipe, trust.expected_id, key);
}

template <typename Manifest>
std::optional<Manifest> manifest_of(Outline& outline, const char* name) {
  const auto at = outline.manifests.find(name);
  if (at == outline.manifests.end()) return std::nullopt;
  return std::get<Manifest>(std::move(at->second));
}

// What the pack holds, under the names by which its sources were asked for.
Tables tables_of(Outline& outline) {
  Tables tables;
  Manifests& manifests = tables.manifests;
  manifests.subset = manifest_of<manifest::SubsetManifest>(outline, "manifest.json");
  manifests.audio_val = manifest_of<manifest::SubsetManifest>(outline, "audio_val_manifest.json");
  manifests.val = manifest_of<manifest::VqaManifest>(outline, "val_manifest.json");
  manifests.retention = manifest_of<manifest::VqaManifest>(outline, "retention_manifest.json");
  manifests.base = manifest_of<manifest::VqaManifest>(outline, "base_manifest.json");
  manifests.unlike = manifest_of<manifest::VqaManifest>(outline, "unlike_manifest.json");
  std::map<std::string, std::string> asked;
  if (const auto subset = manifest_of<manifest::SubsetManifest>(outline, "subset_manifest.json"))
    for (const manifest::ClipEntry& entry : subset->entries) asked[entry.clip_id] = entry.audio_relpath;
  for (manifest::ClipEntry& entry : manifests.subset->entries)
    if (const auto at = asked.find(entry.clip_id); at != asked.end()) entry.audio_relpath = at->second;
  return tables;
}

// How the clip was made: the rule that decided it then may not be the one of now.
std::optional<ClipFacts> facts_of(const PackInfo& info, const std::string& stem) {
  for (const char* suffix : {".wav", ".flac"})
    if (const FileInfo* file = find_file(info, common::PackPath(stem + suffix))) return file->clip;
  return std::nullopt;
}

// Every media file of the seal, and nothing else, with the very bytes that it lists.
void prove(const StagedPack& staged, const std::vector<common::SumsLine>& sums) {
  std::map<std::string_view, const common::Digest*> made;
  for (const auto* group : {&staged.clips, &staged.images})
    for (const Staged& one : *group) made.emplace(one.file->info.path.text(), &one.file->digest);
  std::string differ;
  std::size_t count = 0;
  for (const common::SumsLine& line : sums) {
    const std::string& path = line.path.text();
    if (is_control(path)) continue;
    const auto at = made.find(path);
    if (at != made.end() && *at->second == line.digest) continue;
    ++count;
    differ += "\n  " + path +
              (at == made.end() ? ": no manifest row names it"
                                : ": the sources give SHA-256 " + at->second->hex() + ", the recipe has " +
                                      line.digest.hex());
  }
  if (count > 0)
    throw Error(ErrorKind::mismatch, std::to_string(count) + " files differ from the recipe:" + differ +
                                         "\nGet the sources from which the pack was made, or build a pack of "
                                         "your own from its manifests");
}

}  // namespace

BuildSummary build_from_recipe(const BuildRequest& request, const RecipeTrust& trust) {
  const fs::path target = common::resolve_target(request.dest_root);
  common::check_replaceable(target, pack_replaceable());
  Outline outline = read_recipe(request, trust);
  std::error_code none;
  if (fs::equivalent(*request.recipe, target, none))
    throw Error(ErrorKind::usage, target.string() + " is the recipe itself; name another --dest-root");
  Plan planned = plan(outline.examination.info->name, tables_of(outline));
  for (PlannedClip& clip : planned.clips) clip.as_packed = facts_of(*outline.examination.info, clip.stem);
  Collection collection =
      collect(std::move(planned), {request.source_root, request.image_roots}, Missing::refuse);
  common::Draft draft(target, pack_replaceable());
  try {
    const StagedPack staged = copy(std::move(collection), draft,
                                   {Missing::refuse, request.probe, request.threads, request.verbosity});
    const Examination& pack = outline.examination;
    prove(staged, pack.sums);
    for (const auto& [name, bytes] : pack.control)
      draft.put(common::PackPath(name), bytes, common::digest_of(bytes));
    draft.remove_all_but(
        [&](const std::string& path) { return pack.control.count(path) != 0 || index_of(pack.files, path); });
    draft.publish();
    return summarise({*pack.id, *pack.info, draft.target(), remark_on_clips(*pack.info, pack.sums)});
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) draft.keep();
    throw;
  }
}

}  // namespace packer
