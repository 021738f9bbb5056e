// An archive that somebody else made, as foreign_archive.hpp sees it whatever its form: a listing, and a
// reader of chosen entries. foreign_tar.cpp knows tar and foreign_zip.cpp zip; both see the same things as
// entries that cannot be had, and refuse what is damaged or cut short with a format error.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/bytes.hpp"

namespace packer {

// A tar of all of AudioSet has two million; a listing of more would take gigabytes.
inline constexpr std::size_t k_entry_limit = 5'000'000;

struct ForeignEntry {
  std::size_t number = 0;  // which one of the archive's, in the order it lists them
  std::string name;        // as the archive has it
  std::string why_not;     // why its bytes cannot be had (a device, encrypted, there twice); empty: they can
  // Of a link: what it names. A symlink does from its own folder, a hard link from the archive's root.
  std::string target{};
  bool is_hard_link = false;
};

struct WantedEntry {
  ForeignEntry entry;
  std::uint64_t limit_bytes = 0;
};

struct TakenEntry {
  std::size_t which = 0;  // index into what was wanted
  common::Bytes bytes;
  bool is_too_long = false;  // more bytes than the limit, whatever it declares: they are not kept
};

// Gives the wanted entries, each once.
class EntryReader {
 public:
  virtual ~EntryReader() = default;
  // To be called once for each. Safe from many threads.
  virtual TakenEntry next() = 0;
};

// Which of two is meant, nobody knows: unpackers disagree.
void mark_duplicate(ForeignEntry& entry);

// Called for all entries but folders, in ascending order of numbers.
using EntryCall = std::function<void(ForeignEntry)>;

// The errors of both.
[[noreturn]] void refuse_archive(const std::filesystem::path& path, const std::string& why);
[[noreturn]] void refuse_changed_archive(const std::filesystem::path& path);

}  // namespace packer
