#include "common/error.hpp"
#include "packer/draft.hpp"
#include "packer/export.hpp"
#include "packer/outline.hpp"

namespace packer {

// The media are not looked at: a recipe is worth what its seal is worth, and a damaged pack has a good one.
ExportSummary export_recipe(const std::filesystem::path& pack, const std::filesystem::path& out) {
  const Outline outline = read_outline(pack);
  std::error_code none;
  if (std::filesystem::exists(out) && !std::filesystem::is_empty(out, none))
    throw common::Error(common::ErrorKind::usage,
                        out.string() + " is there and not empty; name a folder that is not there yet");
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
