#include <cstdio>
#include <memory>

#include "common/cli/print_json.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "common/terminal.hpp"
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

void print_row(const Json& row) { common::print_json(row, common::JsonLayout::line); }

void print_json(const PackDiff& diff) {
  for (const FileChange& file : diff.files) {
    Json row{{"change", name_of(file.change)}, {"what", "file"}, {"path", file.path}};
    if (file.a) row["a"] = side_of(*file.a);
    if (file.b) row["b"] = side_of(*file.b);
    print_row(row);
  }
  for (const ManifestChange& change : diff.manifests) {
    Json row = manifest::to_json(change.row);
    row["manifest"] = change.manifest;
    print_row(row);
  }
  print_row({{"equal", diff.same_content()},
             {"id_a", diff.id_a.hex()},
             {"id_b", diff.id_b.hex()},
             {"signatures", name_of(diff.signatures)}});
}

void print_text(const PackDiff& diff) {
  for (const FileChange& file : diff.files) {
    const char sign = file.change == Change::removed ? '-' : file.change == Change::added ? '+' : '~';
    common::print_line(stdout, std::string(1, sign) + " " + file.path);
  }
  for (const ManifestChange& change : diff.manifests)
    common::print_line(stdout, "  " + change.manifest + " " + manifest::describe(change.row));
  if (diff.same_content())
    common::print_line(stdout, std::string("same content, ") + name_of(diff.signatures));
}

}  // namespace

void add_diff(common::Program& program) {
  struct Values {
    std::filesystem::path a, b;
  };
  const auto values = std::make_shared<Values>();
  common::Verb& verb = program.add(
      {"diff",
       "List the files and manifest rows that differ between two packs, from their control files",
       {"diff old_pack new_pack", "diff --json data_pack data_pack.tar.zst"},
       {{0, "the two hold the same"}, {1, "the two differ, or one of them is malformed"}, {3, k_io}}});
  verb.path("A", values->a, "Compare this pack, a folder or an archive").required();
  verb.path("B", values->b, "Compare it with this one").required();
  verb.action([values](const common::CommonFlags& flags) {
    const PackDiff diff = diff_packs(read_outline(values->a), read_outline(values->b));
    if (flags.json)
      print_json(diff);
    else
      print_text(diff);
    common::say(flags, "from the control files; media was NOT VERIFIED");
    return diff.same_content() ? 0 : common::exit_code(common::ErrorKind::mismatch);
  });
}

}  // namespace packer
