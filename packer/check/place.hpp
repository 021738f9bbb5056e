// Which copy of a pack was read. A pack's id says nothing of that: a damaged copy has the same. One folder or
// archive that several hosts share has the same file number on all of them, wherever each has mounted it.
#pragma once

#include <filesystem>
#include <string>

namespace packer {

struct Place {
  std::string host;
  std::filesystem::path path;  // absolute
  // Of SHA256SUMS, or of the archive: its number in the file system, and its size and time of change.
  std::string file, written;
  bool operator==(const Place&) const = default;
};

// Of a pack that is there; what cannot be found out stays empty.
[[nodiscard]] Place place_of(const std::filesystem::path& pack);

// unknown: seen from two hosts, one copy looks like two on a file system that numbers its files anew on each
// (sshfs, some S3 mounts).
enum class SameCopy { yes, no, unknown };
[[nodiscard]] SameCopy is_same_copy(const Place& a, const Place& b);

// "node1:/data/pack".
[[nodiscard]] std::string describe(const Place& place);

}  // namespace packer
