// What a file system makes weaker that does less than a local disk: a sentence each on stderr, and the work
// goes on. Said by who publishes, so that a command says each once.
#pragma once

#include <filesystem>

namespace common {

// Locks have no effect: the file `held` stands for one.
void warn_of_held_file(const std::filesystem::path& held);
// `what` is published and nothing could be asked to write it to the disk.
void warn_of_no_sync(const std::filesystem::path& what);
// Modes are refused.
void warn_of_modes(const std::filesystem::path& what);
// Two names cannot be exchanged, or the old one not be renamed: before `what` is replaced.
void warn_of_two_steps(const std::filesystem::path& what);
// Before files are moved up into `what`.
void warn_of_mount_point(const std::filesystem::path& what);

}  // namespace common
