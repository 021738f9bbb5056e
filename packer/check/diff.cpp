#include "packer/check/diff.hpp"

namespace packer {
namespace {

using manifest::Change;

std::vector<FileChange> diff_files(const std::vector<PackFile>& a, const std::vector<PackFile>& b) {
  std::vector<FileChange> changes;
  std::size_t i = 0, j = 0;  // both lists are sorted by path
  while (i < a.size() || j < b.size()) {
    if (j == b.size() || (i < a.size() && a[i].path < b[j].path)) {
      changes.push_back({Change::removed, a[i].path.text(), a[i], {}});
      ++i;
    } else if (i == a.size() || b[j].path < a[i].path) {
      changes.push_back({Change::added, b[j].path.text(), {}, b[j]});
      ++j;
    } else {
      if (a[i].digest != b[j].digest) changes.push_back({Change::changed, a[i].path.text(), a[i], b[j]});
      ++i;
      ++j;
    }
  }
  return changes;
}

Signatures compare_signatures(const Examination& a, const Examination& b) {
  const std::string name(common::k_signature_name);
  if (!a.has_signature()) return b.has_signature() ? Signatures::only_b : Signatures::none;
  if (!b.has_signature()) return Signatures::only_a;
  return a.control.at(name) == b.control.at(name) ? Signatures::same : Signatures::differ;
}

}  // namespace

PackDiff diff_packs(const Outline& a, const Outline& b) {
  PackDiff diff;
  diff.id_a = *a.examination.id;
  diff.id_b = *b.examination.id;
  diff.files = diff_files(a.examination.files, b.examination.files);
  for (const auto& [name, manifest] : a.manifests)
    if (const auto at = b.manifests.find(name); at != b.manifests.end())
      for (manifest::RowChange& row : manifest::diff_manifests(manifest, at->second))
        diff.manifests.push_back({name, std::move(row)});
  diff.signatures = compare_signatures(a.examination, b.examination);
  return diff;
}

}  // namespace packer
