#include "packer/sources/foreign_entry.hpp"

#include "common/error.hpp"
#include "common/sealed/finding.hpp"

namespace packer {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

void refuse_archive(const fs::path& path, const std::string& why) {
  throw Error(ErrorKind::format, path.string() + " cannot be read as an archive: " + why +
                                     "; get it again, or unpack it and name the folder");
}

void refuse_long_entry(const fs::path& path, const std::string& entry, std::uint64_t limit_bytes) {
  refuse_archive(
      path, common::escape_for_terminal(entry) + " has more than " + std::to_string(limit_bytes) + " bytes");
}

void refuse_changed_archive(const fs::path& path) { refuse_archive(path, "it changed while it was read"); }

}  // namespace packer
