// A pack described for search engines and loaders of MLCommons.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "packer/check/open.hpp"
#include "packer/export/export_summary.hpp"

namespace packer {

// Croissant 1.0 (JSON-LD of MLCommons): `croissant.json` in the folder `out`, which must hold the pack,
// because files are named relative to it. Says of the pack what its control files say; who made it, where it
// is and since when is for the user to say.
struct CroissantRequest {
  std::filesystem::path out;
  std::vector<std::string> creators;  // at least one
  std::string url;                    // of the data set's page
  std::string date_published;         // YYYY-MM-DD
  std::vector<std::string> licences;  // beside those that the pack states; together at least one
  std::string description;            // empty: what the pack holds
};
ExportSummary export_croissant(const VerifiedPack& pack, const CroissantRequest& request);

}  // namespace packer
