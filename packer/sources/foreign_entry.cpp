#include "packer/sources/foreign_entry.hpp"

#include "common/error.hpp"

namespace packer {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

void mark_duplicate(ForeignEntry& entry) {
  entry.why_not = "a duplicate name";
  entry.target.clear();
}

void refuse_archive(const fs::path& path, const std::string& why) {
  throw Error(ErrorKind::format, path.string() + " cannot be read as an archive: " + why +
                                     "; get it again, or unpack it and name the folder");
}

void refuse_changed_archive(const fs::path& path) { refuse_archive(path, "it changed while it was read"); }

}  // namespace packer
