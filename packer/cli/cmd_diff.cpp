#include <cstdio>
#include <memory>

#include "common/error.hpp"
#include "common/json.hpp"
#include "packer/check/diff.hpp"
#include "packer/cli/commands.hpp"

namespace packer {
namespace {

using common::Json;
using manifest::Change;

const char* name_of(Change change) {
  if (change == Change::removed) return "removed";
  return change == Change::added ? "added" : "changed";
}

const char* name_of(Signatures signatures) {
  switch (signatures) {
    case Signatures::only_a:
      return "only A is signed";
    case Signatures::only_b:
      return "only B is signed";
    case Signatures::same:
      return "same signature";
    case Signatures::differ:
      return "other signature";
    default:
      return "no signature";
  }
}

Json side_of(const PackFile& file) { return {{"sha256", file.digest.hex()}, {"bytes", file.bytes}}; }

void print_line(const Json& row) { std::printf("%s\n", common::dump_line(row).c_str()); }

void print_json(const PackDiff& diff) {
  for (const FileChange& file : diff.files) {
    Json row{{"change", name_of(file.change)}, {"what", "file"}, {"path", file.path}};
    if (file.a) row["a"] = side_of(*file.a);
    if (file.b) row["b"] = side_of(*file.b);
    print_line(row);
  }
  for (const ManifestChange& change : diff.manifests) {
    Json row = manifest::to_json(change.row);
    row["manifest"] = change.manifest;
    print_line(row);
  }
  print_line({{"equal", diff.same_content()},
              {"id_a", diff.id_a.hex()},
              {"id_b", diff.id_b.hex()},
              {"signatures", name_of(diff.signatures)}});
}

void print_text(const PackDiff& diff) {
  for (const FileChange& file : diff.files) {
    const char sign = file.change == Change::removed ? '-' : file.change == Change::added ? '+' : '~';
    std::printf("%c %s\n", sign, file.path.c_str());
  }
  for (const ManifestChange& change : diff.manifests)
    std::printf("  %s %s\n", change.manifest.c_str(), manifest::describe(change.row).c_str());
  if (diff.same_content()) std::printf("same content, %s\n", name_of(diff.signatures));
}

}  // namespace

void add_diff(CLI::App& app, CommonFlags& flags, Command& chosen) {
  struct Values {
    std::string a, b;
  };
  const auto values = std::make_shared<Values>();
  CLI::App* verb = app.add_subcommand(
      "diff",
      "files and manifest rows that differ between two packs, from their control files; exit 1 where any do");
  verb->add_option("A", values->a, "a pack's folder, or an archive")->required();
  verb->add_option("B", values->b, "another")->required();
  add_common_flags(*verb, flags);
  verb->add_flag("--json", flags.json, "one JSON object a line; the last says whether the packs are equal");
  verb->callback([values, &flags, &chosen] {
    chosen = [values, &flags] {
      const PackDiff diff = diff_packs(read_outline(values->a), read_outline(values->b));
      if (flags.json)
        print_json(diff);
      else
        print_text(diff);
      if (!flags.quiet) std::fprintf(stderr, "from the control files; media was NOT VERIFIED\n");
      return diff.same_content() ? 0 : common::exit_code(common::ErrorKind::mismatch);
    };
  });
}

}  // namespace packer
