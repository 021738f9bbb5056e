#include "trainer/run/sources.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/format/write.hpp"
#include "manifest/select.hpp"
#include "manifest/tables/clip_table.hpp"
#include "manifest/tables/vqa_tables.hpp"
#include "packer/build/build.hpp"
#include "packer/synthesize/synthesize.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t k_retention_rows = 600;
constexpr std::int64_t k_held_out_clips = 100;
constexpr std::int64_t k_retention_seed = 321;  // as safe-manifest retention

bool is_pack_source(const std::string& source) { return source.rfind("pack", 0) == 0; }

[[noreturn]] void not_there(const fs::path& path, const std::string& flag) {
  throw common::Error(common::ErrorKind::io, path.string() + " does not exist; check " + flag);
}

// One of the places where people keep a table.
fs::path find_table(const fs::path& root, const std::vector<std::string>& names) {
  if (!fs::is_directory(root)) not_there(root, "--data-path");
  if (!manifest::has_file(root, names))
    throw common::Error(common::ErrorKind::io, "there is no " + names.front() + " in " + root.string() +
                                                   ", nor the same table by another usual name; check "
                                                   "--data-path");
  return manifest::first_file(root, names);
}

packer::OpenOptions open_options(const RunConfig& config) {
  return {config.expected_pack_id, config.threads, config.verbosity, config.required_key};
}

// The folder form of --pack-root serves as a source tree for the half of a run that stays with the pack.
fs::path pack_as_tree(const RunConfig& config) {
  if (!fs::is_directory(config.pack_root))
    throw common::Error(common::ErrorKind::usage,
                        "mixing a pack with other sources needs the pack as a folder; extract " +
                            config.pack_root.string() + " with safe-packer extract and name the folder");
  (void)packer::open_pack(config.pack_root, open_options(config));
  return config.pack_root;
}

// What is made up is made in the original's form.
const manifest::SoundSet& sound_set_of(const RunConfig& config) {
  const manifest::SoundSet* set = manifest::find_sound_set(config.train_source);
  return set == nullptr ? manifest::original_sound_set() : *set;
}

void audio_from_tables(const fs::path& root, const RunConfig& config, const fs::path& manifests,
                       packer::BuildRequest& request) {
  const manifest::SoundSet& set = sound_set_of(config);
  const std::string train(set.train_split), val(set.held_out_split);
  const manifest::ClipChoice subset = manifest::select_clips(
      manifest::read_clip_table(find_table(root, set.tables(train)), &set).rows,
      {train, static_cast<std::uint64_t>(config.subset_size), config.seed, {}, &set}, {});
  request.manifest = manifests / "subset_manifest.json";
  request.source_root = root;
  common::write_file(request.manifest, manifest::write_subset(subset.manifest));
  const std::vector<std::string> held_out = set.tables(val);
  if (!manifest::has_file(root, held_out)) return;
  const std::vector<manifest::ClipEntry> rows =
      manifest::read_clip_table(manifest::first_file(root, held_out), &set).rows;
  const manifest::Excluded excluded = manifest::read_excluded({request.manifest});
  std::unordered_set<std::string> clips;
  for (const manifest::ClipEntry& row : rows)
    if (!excluded.clip_ids.contains(row.clip_id)) clips.insert(row.clip_id);
  const auto count = std::min<std::uint64_t>(clips.size(), k_held_out_clips);
  if (count == 0) return;
  request.audio_val_manifest = manifests / "audio_val_manifest.json";
  common::write_file(
      *request.audio_val_manifest,
      manifest::write_subset(
          manifest::select_clips(rows, {val, count, config.seed, {}, &set}, excluded).manifest));
}

std::uint64_t population_of(const manifest::VqaTables& tables, const manifest::Excluded& excluded) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < tables.size(); ++i)
    if (!excluded.image_ids.contains(tables.image_id(i)) &&
        !excluded.question_ids.contains(tables.question_id(i)))
      ++count;
  return count;
}

void questions_from_tables(const fs::path& root, const RunConfig& config, const fs::path& manifests,
                           packer::BuildRequest& request) {
  const manifest::VqaTables tables = manifest::read_vqa_tables(
      find_table(root, manifest::question_set().questions("val2014")),
      find_table(root, manifest::question_set().annotations("val2014")), config.threads, config.verbosity);
  const auto size =
      std::min<std::uint64_t>(tables.size(), static_cast<std::uint64_t>(config.evaluation.size));
  request.val_manifest = manifests / "val_manifest.json";
  common::write_file(
      request.val_manifest,
      manifest::write_vqa(
          manifest::select_questions(tables, {manifest::VqaSplit::val, size, config.seed, "val2014"}, {})
              .manifest));
  const manifest::Excluded excluded = manifest::read_excluded({request.val_manifest});
  const std::uint64_t rest = std::min<std::uint64_t>(population_of(tables, excluded), k_retention_rows);
  if (rest > 0) {
    request.retention_manifest = manifests / "retention_manifest.json";
    common::write_file(
        *request.retention_manifest,
        manifest::write_vqa(
            manifest::select_questions(
                tables, {manifest::VqaSplit::retention, rest, k_retention_seed, "val2014"}, excluded)
                .manifest));
  }
  request.image_roots = {root};
}

void audio_from_pack(const fs::path& pack, packer::BuildRequest& request) {
  request.manifest = pack / "manifest.json";
  request.source_root = pack;
  if (fs::exists(pack / "audio_val_manifest.json"))
    request.audio_val_manifest = pack / "audio_val_manifest.json";
}

void questions_from_pack(const fs::path& pack, packer::BuildRequest& request) {
  request.val_manifest = pack / "val_manifest.json";
  if (!fs::exists(request.val_manifest)) not_there(request.val_manifest, "--pack-root");
  if (fs::exists(pack / "retention_manifest.json"))
    request.retention_manifest = pack / "retention_manifest.json";
  if (fs::exists(pack / "unlike_manifest.json")) request.unlike_manifest = pack / "unlike_manifest.json";
  request.image_roots = {pack};
}

}  // namespace

void require_source(const RunConfig& config) {
  if ((is_pack_source(config.train_source) || is_pack_source(config.val_source)) &&
      !fs::exists(config.pack_root))
    throw common::Error(common::ErrorKind::io,
                        "there is no pack at " + config.pack_root.string() +
                            "; check --pack-root (or PACK_ROOT), or build one (safe-packer build)");
  const bool reads_tables = manifest::find_sound_set(config.train_source) != nullptr ||
                            config.val_source == manifest::question_set().name;
  if (reads_tables && !fs::is_directory(config.data_path))
    throw common::Error(common::ErrorKind::io, "there is no folder " + config.data_path.string() +
                                                   "; check --data-path (or DATA_ROOT), which holds " +
                                                   std::string(sound_set_of(config).name) + "/ and " +
                                                   std::string(manifest::question_set().name) + "/");
}

bool reads_pack_root(const RunConfig& config) {
  return is_pack_source(config.train_source) && is_pack_source(config.val_source);
}

packer::VerifiedPack open_source(const RunConfig& config, Workplace& workplace) {
  if (reads_pack_root(config)) return packer::open_pack(config.pack_root, open_options(config));
  const common::Folder& work = workplace.folder();
  work.make_folder("manifests");
  const fs::path mock = work.path_of("mock"), manifests = work.path_of("manifests");
  if (config.train_source == "mock" || config.val_source == "mock_vl") {
    packer::SynthesizeRequest request;
    request.out = mock;
    request.clips =
        config.subset_size > 0 ? static_cast<int>(config.subset_size) : packer::SynthesizeRequest{}.clips;
    request.questions = static_cast<int>(std::max<std::int64_t>(2000, 5 * config.evaluation.size));
    request.train_questions = 8;  // nobody reads them here
    request.seed = config.seed;
    request.threads = config.threads;
    request.verbosity = config.verbosity;
    packer::synthesize(request);
  }
  packer::BuildRequest request;
  request.dest_root = work.path_of(k_source_pack);
  request.threads = config.threads;
  request.verbosity = config.verbosity;
  if (is_pack_source(config.train_source))
    audio_from_pack(pack_as_tree(config), request);
  else
    audio_from_tables((config.train_source == "mock" ? mock : config.data_path) / sound_set_of(config).name,
                      config, manifests, request);
  if (is_pack_source(config.val_source))
    questions_from_pack(pack_as_tree(config), request);
  else
    questions_from_tables(
        (config.val_source == "mock_vl" ? mock : config.data_path) / manifest::question_set().name, config,
        manifests, request);
  (void)packer::build_pack(request);
  work.remove("mock");
  return packer::open_pack(request.dest_root, {std::nullopt, config.threads, config.verbosity});
}

}  // namespace trainer
