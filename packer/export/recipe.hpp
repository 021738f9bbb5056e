// A pack without its media.
#pragma once

#include <filesystem>

#include "packer/export/export_summary.hpp"

namespace packer {

// The control files alone, for data that must not be handed on: whoever has the sources makes the very pack
// again with `build --from-recipe`.
ExportSummary export_recipe(const std::filesystem::path& pack, const std::filesystem::path& out);

}  // namespace packer
