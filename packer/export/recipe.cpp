#include "packer/check/outline.hpp"
#include "packer/export/export.hpp"
#include "packer/format/draft.hpp"

namespace packer {

// The media are not looked at: a recipe is worth what its seal is worth, and a damaged pack has a good one.
ExportSummary export_recipe(const std::filesystem::path& pack, const std::filesystem::path& out) {
  const Outline outline = read_outline(pack);
  check_new_folder(out);
  ExportSummary summary;
  Draft draft(out);
  draft.remove_all_but([&](const std::string& path) { return outline.examination.control.count(path) > 0; });
  for (const auto& [name, bytes] : outline.examination.control) {
    draft.put(common::PackPath(name), bytes, common::digest_of(bytes));
    ++summary.files;
    summary.bytes += bytes.size();
  }
  draft.publish();
  return summary;
}

}  // namespace packer
