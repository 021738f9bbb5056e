// Which calls on files below the chosen folder count, and which of them the fault strikes: what the functions
// of system_calls.cpp ask. system_calls.hpp is what tests say.
#pragma once

#include <dirent.h>
#include <sys/types.h>

#include <cstddef>

#include "tests/support/system_calls.hpp"

namespace support {

// What a call does decides which faults can strike it.
enum class Does { look, move_bytes, take_room, remove };

[[nodiscard]] bool tracked(const char* path);
[[nodiscard]] bool tracked(int descriptor);
[[nodiscard]] bool tracked(DIR* folder);
// What was opened below a tracked folder; gives it back.
int track(int descriptor, bool is_tracked);
DIR* track(DIR* folder, bool is_tracked);
void forget(DIR* folder);

// True where this call is to be struck; errno is set then.
[[nodiscard]] bool strikes(const char* name, Does does);
// A write moves bytes and takes room: which of them counts depends on the fault.
[[nodiscard]] Does writing();
// How many of `size` bytes to move; negative: the call fails.
[[nodiscard]] ssize_t allowed(const char* name, Does does, std::size_t size);
// True where every such call is refused; errno is set then.
[[nodiscard]] bool refuses(const char* name);
[[nodiscard]] bool lacks(Lacks what);
[[nodiscard]] unsigned mode_of_all();
[[nodiscard]] bool is_mounted(const char* name);
// As readdir, which `read` is, in the order that was asked for.
[[nodiscard]] struct dirent* next_entry(DIR* folder, struct dirent* (*read)(DIR*));

}  // namespace support
