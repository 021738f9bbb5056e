#include <fmt/format.h>

#include <memory>

#include "packer/cli/commands.hpp"
#include "packer/export/croissant.hpp"
#include "packer/export/export_summary.hpp"
#include "packer/export/recipe.hpp"
#include "packer/export/webdataset.hpp"

namespace packer {
namespace {

struct ExportValues {
  std::filesystem::path pack;
  std::string form;
  TrustFlags trust;
  std::uint64_t shard_mib = 256;
  CroissantRequest croissant;  // its `out` is that of every form
};

VerifiedPack open(const ExportValues& values, const common::CommonFlags& flags) {
  return open_pack(values.pack,
                   {values.trust.expected_id, flags.threads, flags.verbosity(), values.trust.trusted_key});
}

int run_export(const ExportValues& values, const common::CommonFlags& flags) {
  const std::filesystem::path& out = values.croissant.out;
  ExportSummary summary;
  if (values.form == "webdataset")
    summary = export_webdataset(open(values, flags),
                                {out, values.shard_mib << 20, flags.threads, flags.verbosity()});
  else if (values.form == "croissant")
    summary = export_croissant(open(values, flags), values.croissant);
  else
    summary = export_recipe(values.pack, out);
  common::say(flags, fmt::format("wrote {} files, {:.1f} MB", summary.files,
                                 static_cast<double>(summary.bytes) / 1e6));
  print_path(flags, out.string());
  if (values.form == "recipe")
    common::say_next(flags,
                     {"safe-packer", "build", "--from-recipe", out.string(), "--dest-root", "data_pack"});
  return 0;
}

void add_croissant_flags(common::Verb& verb, CroissantRequest& croissant) {
  verb.texts("--creator", croissant.creators, "croissant: state who made the data set; repeatable");
  verb.text("--url", croissant.url, "croissant: state the data set's page");
  verb.text("--date", croissant.date_published, "croissant: state when it was published, YYYY-MM-DD");
  verb.texts("--licence", croissant.licences,
             "croissant: state a licence by URL or name, beside those that the pack states; repeatable");
  verb.text("--description", croissant.description, "croissant: state what it is")
      .otherwise("counts and pack id");
}

}  // namespace

void add_export(common::Program& program) {
  const auto values = std::make_shared<ExportValues>();
  common::Verb& verb = program.add(
      {"export",
       "Write a verified pack as WebDataset shards, describe it in Croissant, or copy its control files",
       {"export data_pack --format webdataset -o shards",
        "export data_pack --format croissant -o . --creator NAME --url https://example.org --date "
        "2026-01-31"},
       {{1, k_damaged}, {3, k_io}, {4, k_unsigned}, {130, k_interrupted}}});
  verb.path("PACK,--pack,--pack-root", values->pack, "Read this pack, a folder or a .tar").required();
  verb.choice("--format", values->form,
              {{"webdataset", "a folder of tar shards"},
               {"croissant", "croissant.json in a folder that holds the pack"},
               {"recipe", "a folder for build --from-recipe, without media, which are not verified"}},
              "Write this form")
      .required();
  verb.path("--output,--out,-o", values->croissant.out, "Write to this folder").required();
  verb.whole("--shard-mib", values->shard_mib, {1, 1 << 20},
             "webdataset: end a shard at this many MiB, or behind one sample");
  add_croissant_flags(verb, values->croissant);
  add_trust_flags(verb, values->trust);
  verb.action([values](const common::CommonFlags& flags) { return run_export(*values, flags); });
}

}  // namespace packer
