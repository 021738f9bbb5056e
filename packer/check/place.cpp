#include "packer/check/place.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <system_error>

#include "common/sealed/sums.hpp"

namespace packer {
namespace fs = std::filesystem;

Place place_of(const fs::path& pack) {
  Place place;
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0) place.host = host;
  std::error_code failure;
  place.path = fs::canonical(pack, failure);
  struct stat status {};
  if (::stat((pack / common::k_seal_name).c_str(), &status) == 0 || ::stat(pack.c_str(), &status) == 0) {
    place.file = std::to_string(status.st_ino);
    place.written = fmt::format("{} {}.{:09}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
  }
  return place;
}

SameCopy is_same_copy(const Place& a, const Place& b) {
  if (a.file.empty() || b.file.empty()) return SameCopy::unknown;
  const bool same_host = a.host == b.host;
  // There a number may change too, and a copy that was replaced was written later.
  const bool same_file = a.file == b.file || (same_host && a.path == b.path);
  if (same_file && a.written == b.written) return SameCopy::yes;
  return same_host ? SameCopy::no : SameCopy::unknown;
}

std::string describe(const Place& place) {
  if (place.path.empty()) return "an unknown place";
  return place.host + ":" + place.path.string();
}

}  // namespace packer
