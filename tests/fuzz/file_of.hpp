// A file for readers that want one; on /dev/shm it costs no disk.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/unfetched.hpp"

namespace fuzz {

// Removed at the end. `name` tells several of one target apart, and has the suffix.
class FileOf {
 public:
  FileOf(const std::string& name, std::string_view bytes) {
    static const std::filesystem::path k_folder =
        std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path();
    path_ = k_folder / ("safe-fuzz-" + std::to_string(::getpid()) + "-" + name);
    ::unlink(path_.c_str());
    common::File file = common::create_new(path_);
    file.write_all(common::view_of(bytes), path_);
  }
  ~FileOf() { ::unlink(path_.c_str()); }
  FileOf(const FileOf&) = delete;
  FileOf& operator=(const FileOf&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Whether the file may be refused with this error: as data are, or as what was never fetched where it is the
// text that stands in the place of such a file.
inline bool may_refuse_file(const FileOf& file, const common::Error& error) {
  if (*error.what() == '\0') return false;
  if (error.kind() == common::ErrorKind::io) return !common::why_unfetched(file.path()).empty();
  return error.kind() == common::ErrorKind::format || error.kind() == common::ErrorKind::mismatch;
}

}  // namespace fuzz
