#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "common/shell.hpp"
#include "common/terminal.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "packer/build/build.hpp"
#include "packer/build/from_recipe.hpp"
#include "packer/cli/commands.hpp"
#include "packer/leaks/leak_groups.hpp"

namespace packer {
namespace {

std::string archive_name(const std::filesystem::path& pack) {
  return (pack.has_filename() ? pack : pack.parent_path()).filename().string() + ".tar.zst";
}

void print_leaks(const LeakReport& report, const common::CommonFlags& flags) {
  for (const std::string& line : describe_rest(report, {}))
    common::print_line(stderr, common::escape_for_terminal(line));
  for (const std::string& line : describe(report, {}))
    common::print_line(stderr, "near-duplicate: " + common::escape_for_terminal(line));
  common::say(flags, summarise(report));
}

int run_build(const BuildRequest& request, const RecipeTrust& trust, const common::CommonFlags& flags) {
  const BuildRequest whole = with_defaults(request);
  if (!whole.recipe && !whole.retention_manifest)
    common::print_line(
        stderr,
        "warning: no retention_manifest.json beside " + whole.manifest.string() +
            ": no run on this pack can use soft_retention or full_safe; make one (safe-manifest retention), "
            "or name one (--retention-manifest)");
  const BuildSummary summary = whole.recipe ? build_from_recipe(whole, trust) : build_pack(whole);
  for (const MissingItem& item : summary.missing)
    common::print_line(stderr, fmt::format("missing: {} {} ({}): {}", name_of(item.role),
                                           common::escape_for_terminal(item.id),
                                           common::escape_for_terminal(item.file), item.reason));
  for (const std::string& remark : describe(summary.remarks)) common::print_line(stderr, "remark: " + remark);
  if (!std::all_of(summary.remarks.begin(), summary.remarks.end(), is_whole))
    common::print_line(stderr, "safe-packer show --json " +
                                   common::quote_for_shell(request.dest_root.string()) + " lists them all");
  if (summary.leaks) print_leaks(*summary.leaks, flags);
  common::say(flags, fmt::format("packed {} clips, {} images and {} questions, {:.1f} MB{}", summary.clips,
                                 summary.images, summary.questions, static_cast<double>(summary.bytes) / 1e6,
                                 summary.missing.empty() ? "" : "; without the rows above"));
  print_pack(flags, summary.id, request.dest_root.string());
  common::say_next(
      flags, {"safe-packer", "archive", request.dest_root.string(), "-o", archive_name(request.dest_root)});
  return 0;
}

struct BuildValues {
  BuildRequest request;
  bool allow_missing = false;
  std::string sources = "auto";
  TrustFlags trust;
  std::string leaks = "off";
};

void add_manifest_flags(common::Verb& verb, BuildRequest& request) {
  verb.path("--manifest", request.manifest, "Pack the clips of this subset manifest");
  verb.path("--val-manifest", request.val_manifest, "Pack these questions, to validate on");
  const std::string beside = " beside --manifest, where it exists";
  verb.path("--retention-manifest", request.retention_manifest,
            "Pack these questions, which the retention mechanisms see")
      .otherwise("retention_manifest.json" + beside);
  verb.path("--base-manifest", request.base_manifest, "Pack these rows, which a base learns from")
      .otherwise("base_manifest.json" + beside);
  verb.path("--audio-val-manifest", request.audio_val_manifest, "Pack these clips, which are held out")
      .otherwise("audio_val_manifest.json" + beside);
  verb.path("--unlike-manifest", request.unlike_manifest,
            "Pack these questions, to validate on too: retention asks none in the same words")
      .otherwise("unlike_manifest.json" + beside);
}

void add_source_flags(common::Verb& verb, BuildRequest& request) {
  verb.path("--source-root", request.source_root,
            "Take sounds from this folder, .zip or .tar[.gz|.zst|.xz|.bz2], which holds audio/<split>/");
  verb.paths("--image-root", request.image_roots,
             "Take pictures from this folder, .zip or .tar[.gz|.zst|.xz|.bz2]: from it, images/, val2014/, "
             "train2014/ "
             "and coco/ in it; repeatable")
      .otherwise("<source-root>/../vqa and <source-root>/../coco");
  verb.paths("--instances", request.instances,
             "State each picture's licence and source, as COCO's instances_<split>.json, captions_ or "
             "image_info_ file has them; repeatable");
}

}  // namespace

void add_build(common::Program& program) {
  const auto values = std::make_shared<BuildValues>();
  BuildRequest& request = values->request;
  request.manifest = "experiments/overfitting/subset_manifest.json";
  request.source_root = manifest::usual_root(manifest::original_sound_set().name);
  request.dest_root = "experiments/overfitting/data_pack";
  request.val_manifest = "experiments/overfitting/val_manifest.json";
  common::Verb& verb = program.add(
      {"build",
       "Copy what the manifests name into a sealed pack",
       {"build --source-root data/audiocaps --dest-root experiments/overfitting/data_pack",
        "build --from-recipe recipe --source-root data/audiocaps --dest-root data_pack"},
       {{1, "sources are missing or cannot be decoded, or give other bytes than the recipe states"},
        {3, "I/O error: missing, unreadable, no space left, or a manifest that does not parse"},
        {4, k_unsigned},
        {130, k_interrupted}}});
  add_manifest_flags(verb, request);
  add_source_flags(verb, request);
  verb.path("--dest-root,--dest,--output,--out,-o", request.dest_root,
            "Write the pack here; the last part of the path is the pack's name. A pack that is there is "
            "replaced");
  verb.choice("--sources", values->sources,
              {{"auto", "told by their lengths: up to 11 s a clip, beyond that a full video"},
               {"clips", "somebody has cut them: their first ten seconds are kept"},
               {"videos", "full videos: each is cut at its start_time"}},
              "Say what the sources of sound are");
  verb.on("--allow-missing", values->allow_missing, "Pack without the sources that are missing or unusable");
  verb.choice("--leaks", values->leaks,
              {{"off", "do not look; safe-packer leaks does it later"},
               {"list", "list them on standard error"},
               {"fatal", "make no pack where there is one"}},
              "Look for pictures and sounds that are copies of others across splits (needs OpenCV)");
  verb.path("--from-recipe", request.recipe,
            "Make the pack of this recipe (from export --format recipe) or pack again from sources of your "
            "own, byte for byte; its manifests are used")
      .excludes({"--manifest", "--val-manifest", "--retention-manifest", "--base-manifest",
                 "--audio-val-manifest", "--unlike-manifest", "--instances", "--allow-missing", "--sources"});
  verb.pack_id("--expect,--pack-id", values->trust.expected_id,
               "Refuse any recipe but the pack's with this id")
      .needs("--from-recipe");
  verb.path("--trust,--require-signature", values->trust.trusted_key,
            "Refuse a recipe that the owner of this public key (KEY.pub.pem) did not sign")
      .needs("--from-recipe");
  verb.action([values](const common::CommonFlags& flags) {
    values->request.missing = values->allow_missing ? Missing::allow : Missing::refuse;
    values->request.sources = values->sources == "clips"    ? SourceKind::clips
                              : values->sources == "videos" ? SourceKind::videos
                                                            : SourceKind::detect;
    values->request.leaks = values->leaks == "fatal"  ? LeakCheck::fatal
                            : values->leaks == "list" ? LeakCheck::list
                                                      : LeakCheck::off;
    values->request.threads = flags.threads;
    values->request.verbosity = flags.verbosity();
    return run_build(values->request, {values->trust.expected_id, values->trust.trusted_key}, flags);
  });
}

}  // namespace packer
