#include <cstdio>
#include <memory>

#include "packer/build/build.hpp"
#include "packer/build/from_recipe.hpp"
#include "packer/cli/commands.hpp"

namespace packer {
namespace {

int run_build(const BuildRequest& request, const RecipeTrust& trust) {
  const BuildRequest whole = with_defaults(request);
  const BuildSummary summary = whole.recipe ? build_from_recipe(whole, trust) : build_pack(whole);
  for (const MissingItem& item : summary.missing)
    std::fprintf(stderr, "missing: %s %s (%s): %s\n", name_of(item.role),
                 common::escape_for_terminal(item.id).c_str(), common::escape_for_terminal(item.file).c_str(),
                 item.reason.c_str());
  if (request.verbosity == common::Verbosity::normal)
    std::fprintf(stderr, "packed %zu clips, %zu images and %zu questions, %.1f MB%s\n", summary.clips,
                 summary.images, summary.questions, static_cast<double>(summary.bytes) / 1e6,
                 summary.missing.empty() ? "" : "; without the rows above");
  std::printf("%s  %s\n", summary.id.hex().c_str(), request.dest_root.c_str());
  return 0;
}

}  // namespace

void add_build(CLI::App& app, CommonFlags& flags, Command& chosen) {
  struct Values {
    BuildRequest request;
    std::string retention, base, audio_val, recipe;
    bool allow_missing = false;
    TrustFlags trust;
  };
  const auto values = std::make_shared<Values>();
  BuildRequest& r = values->request;
  r.manifest = "experiments/overfitting/subset_manifest.json";
  r.source_root = "data/audiocaps";
  r.dest_root = "experiments/overfitting/data_pack";
  r.val_manifest = "experiments/overfitting/val_manifest.json";
  CLI::App* verb = app.add_subcommand("build", "copy what the manifests name into a sealed pack");
  verb->add_option("--manifest", r.manifest, "the subset manifest: which clips")->capture_default_str();
  verb->add_option("--source-root", r.source_root,
                   "the folder, .zip or .tar[.gz|.zst] that holds audio/<split>/")
      ->capture_default_str();
  verb->add_option("--dest-root", r.dest_root, "becomes the pack; its last component is the pack's name")
      ->capture_default_str();
  verb->add_option("--val-manifest", r.val_manifest, "which questions to validate on")->capture_default_str();
  const char* beside = " (default: the file of that name beside --manifest, where it is)";
  verb->add_option("--retention-manifest", values->retention,
                   std::string("which questions retention sees") + beside);
  verb->add_option("--base-manifest", values->base, std::string("which rows a base learns from") + beside);
  verb->add_option("--audio-val-manifest", values->audio_val,
                   std::string("which clips are held out") + beside);
  verb->add_option("--image-root", r.image_roots,
                   "where images lie, a folder, .zip or .tar[.gz|.zst]; repeatable; looks in it, images/, "
                   "val2014/, train2014/ and coco/ "
                   "(default: <source-root>/../vqa and ../coco)");
  verb->add_option(
          "--instances", r.instances,
          "COCO's instances_<split>.json (or captions_, image_info_), repeatable: the licence and the "
          "source of each picture are stated in pack.json")
      ->allow_extra_args(false);
  verb->add_flag("--allow-missing", values->allow_missing,
                 "pack without the sources that are missing or unusable");
  CLI::Option* recipe = verb->add_option(
      "--from-recipe", values->recipe,
      "a folder that export --format recipe made, or a pack: make that very pack again from sources of one's "
      "own, and prove it by its id; its manifests are used");
  for (const char* other : {"--manifest", "--val-manifest", "--retention-manifest", "--base-manifest",
                            "--audio-val-manifest", "--instances", "--allow-missing"})
    recipe->excludes(verb->get_option(other));
  add_trust_flags(*verb, values->trust);
  verb->get_option("--expect")->needs(recipe);
  verb->get_option("--trust")->needs(recipe);
  add_common_flags(*verb, flags);
  verb->callback([values, &flags, &chosen] {
    chosen = [values, &flags] {
      BuildRequest& request = values->request;
      if (!values->recipe.empty()) request.recipe = values->recipe;
      if (!values->retention.empty()) request.retention_manifest = values->retention;
      if (!values->base.empty()) request.base_manifest = values->base;
      if (!values->audio_val.empty()) request.audio_val_manifest = values->audio_val;
      request.missing = values->allow_missing ? Missing::allow : Missing::refuse;
      request.threads = flags.threads;
      request.verbosity = flags.verbosity();
      return run_build(request, {values->trust.expected_id(), values->trust.trusted_key()});
    };
  });
}

}  // namespace packer
