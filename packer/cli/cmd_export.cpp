#include <cstdio>
#include <memory>

#include "common/error.hpp"
#include "packer/cli/commands.hpp"
#include "packer/export/croissant.hpp"
#include "packer/export/export_summary.hpp"
#include "packer/export/recipe.hpp"
#include "packer/export/webdataset.hpp"

namespace packer {
namespace {

struct Values {
  std::string pack, form;
  TrustFlags trust;
  std::uint64_t shard_mib = 256;
  CroissantRequest croissant;  // its `out` is that of every form
};

VerifiedPack open(const Values& values, const CommonFlags& flags) {
  return open_pack(values.pack, {values.trust.expected_id(), flags.threads, flags.verbosity(),
                                 values.trust.trusted_key()});
}

int run_export(const Values& values, const CommonFlags& flags) {
  const std::filesystem::path& out = values.croissant.out;
  ExportSummary summary;
  if (values.form == "webdataset")
    summary = export_webdataset(open(values, flags),
                                {out, values.shard_mib << 20, flags.threads, flags.verbosity()});
  else if (values.form == "croissant")
    summary = export_croissant(open(values, flags), values.croissant);
  else
    summary = export_recipe(values.pack, out);
  if (!flags.quiet)
    std::fprintf(stderr, "wrote %zu files, %.1f MB\n", summary.files,
                 static_cast<double>(summary.bytes) / 1e6);
  std::printf("%s\n", out.c_str());
  return 0;
}

}  // namespace

void add_export(CLI::App& app, CommonFlags& flags, Command& chosen) {
  const auto values = std::make_shared<Values>();
  CLI::App* verb = app.add_subcommand("export",
                                      "a verified pack as WebDataset shards, described in Croissant, "
                                      "or its control files alone");
  CroissantRequest& croissant = values->croissant;
  verb->add_option("PACK", values->pack, "a pack's folder, or a .tar")->required();
  verb->add_option("--format", values->form,
                   "webdataset: a folder of tar shards; croissant: croissant.json in a folder that holds the "
                   "pack; recipe: a folder for build --from-recipe, without media (media are not verified)")
      ->check(CLI::IsMember({"webdataset", "croissant", "recipe"}))
      ->required();
  verb->add_option("-o,--output", croissant.out, "the folder to write")->required();
  verb->add_option("--shard-mib", values->shard_mib,
                   "webdataset: a shard has at most as many MiB, or one sample")
      ->check(CLI::Range(std::uint64_t{1}, std::uint64_t{1} << 20))
      ->capture_default_str();
  verb->add_option("--creator", croissant.creators, "croissant: who made the data set, repeatable")
      ->allow_extra_args(false);
  verb->add_option("--url", croissant.url, "croissant: the data set's page");
  verb->add_option("--date", croissant.date_published, "croissant: when it was published, YYYY-MM-DD");
  verb->add_option("--licence", croissant.licences,
                   "croissant: a licence's URL or name, repeatable, beside those that the pack states")
      ->allow_extra_args(false);
  verb->add_option("--description", croissant.description,
                   "croissant: what it is (default: counts and pack id)");
  add_trust_flags(*verb, values->trust);
  add_common_flags(*verb, flags);
  verb->callback(
      [values, &flags, &chosen] { chosen = [values, &flags] { return run_export(*values, flags); }; });
}

}  // namespace packer
