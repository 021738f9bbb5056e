#include "packer/export/recipe.hpp"

#include "common/sealed/draft.hpp"
#include "packer/check/outline.hpp"
#include "packer/export/export_summary.hpp"

namespace packer {

// The media are not looked at: a recipe is worth what its seal is worth, and a damaged pack has a good one.
ExportSummary export_recipe(const std::filesystem::path& pack, const std::filesystem::path& out) {
  const Outline outline = read_outline(pack);
  common::check_replaceable(out, common::never_replaceable());
  ExportSummary summary;
  common::Draft draft(out, common::never_replaceable());
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
