// What lies in an open folder, listed and removed by its descriptor: no link is followed, and nothing outside
// of the folder is reached whatever is moved meanwhile.
#pragma once

#include <fcntl.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace common {

enum class EntryKind { file, folder, link, other };  // other: a FIFO, a socket, a device
// "a symbolic link", for messages.
[[nodiscard]] const char* name_of(EntryKind kind);

struct Entry {
  std::string path;  // inside the folder that was asked
  EntryKind kind = EntryKind::file;
  std::uint64_t size = 0;  // of a file
  bool operator==(const Entry&) const = default;
};

inline constexpr int k_folder_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;

// `folder` is the descriptor, `shown` what messages call the entry or the folder.

// What stands under `name`, as the entry `path`. Nothing where the name is gone again.
[[nodiscard]] std::optional<Entry> entry_at(int folder, const std::string& name, std::string path,
                                            const std::filesystem::path& shown);
// Everything below, sorted by path; a folder comes before what lies in it. Folders deeper than the limit are
// listed and not entered.
[[nodiscard]] std::vector<Entry> list_entries(int folder, const std::filesystem::path& shown,
                                              int depth_limit);
[[nodiscard]] bool is_empty_folder(int folder, const std::filesystem::path& shown);
// A file, a link or a whole folder however deep. Nothing there: nothing happens.
void remove_entry(int folder, const std::string& name, const std::filesystem::path& shown);

}  // namespace common
