#include "common/sealed/entry.hpp"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;

// Deeper than this, what is removed is moved up first.
constexpr int k_removed_depth = 64;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};
using FolderStream = std::unique_ptr<DIR, CloseFolder>;

// The next entry but "." and ".."; null at the end.
const dirent* next_entry(DIR* folder, const fs::path& name) {
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(folder);
    if (entry == nullptr) {
      if (errno != 0) throw_errno("cannot list " + name.string());
      return nullptr;
    }
    if (std::strcmp(entry->d_name, ".") != 0 && std::strcmp(entry->d_name, "..") != 0) return entry;
  }
}

// Takes the descriptor over.
FolderStream list(int descriptor, const fs::path& name) {
  File file(descriptor);
  if (!file.is_open()) throw_errno("cannot open the folder " + name.string());
  FolderStream stream(::fdopendir(file.descriptor()));
  if (!stream) throw_errno("cannot list " + name.string());
  (void)file.release();
  return stream;
}

EntryKind kind_of(mode_t mode) {
  if (S_ISREG(mode)) return EntryKind::file;
  if (S_ISDIR(mode)) return EntryKind::folder;
  return S_ISLNK(mode) ? EntryKind::link : EntryKind::other;
}

void walk_into(int descriptor, const fs::path& root, const std::string& prefix, int depth_left,
               std::vector<Entry>& entries) {
  const fs::path shown = root / prefix;
  const FolderStream folder = list(descriptor, shown);
  while (const dirent* next = next_entry(folder.get(), shown)) {
    auto entry = entry_at(::dirfd(folder.get()), next->d_name, prefix + next->d_name, shown / next->d_name);
    if (!entry) continue;
    entries.push_back(*entry);
    if (entry->kind != EntryKind::folder || depth_left <= 1) continue;
    walk_into(::openat(::dirfd(folder.get()), next->d_name, k_folder_flags), root, entry->path + "/",
              depth_left - 1, entries);
  }
}

// Removes what lies in a folder. What lies deeper than `depth_left` folders is moved up into `top`, from
// where the caller goes on: so neither the stack nor the number of descriptors limits the depth. Returns
// whether anything was moved.
bool empty_folder(int descriptor, const fs::path& shown, int depth_left, int top, std::uint64_t& moved);

bool remove_or_move(int folder, const char* name, const fs::path& shown, int depth_left, int top,
                    std::uint64_t& moved) {
  if (::unlinkat(folder, name, 0) == 0 || errno == ENOENT) return false;
  if (errno != EISDIR && errno != EPERM) throw_errno("cannot remove " + shown.string());
  if (::unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT) return false;
  if (errno != ENOTEMPTY && errno != EEXIST) throw_errno("cannot remove " + shown.string());
  bool any = false;
  if (depth_left == 0) {
    for (;;) {
      const std::string free_name = ".deep" + std::to_string(moved++);
      if (::renameat2(folder, name, top, free_name.c_str(), RENAME_NOREPLACE) == 0) return true;
      if (errno != EEXIST) throw_errno("cannot remove " + shown.string());
    }
  }
  any = empty_folder(::openat(folder, name, k_folder_flags), shown, depth_left - 1, top, moved);
  if (::unlinkat(folder, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
    throw_errno("cannot remove " + shown.string());
  return any;
}

bool empty_folder(int descriptor, const fs::path& shown, int depth_left, int top, std::uint64_t& moved) {
  const FolderStream folder = list(descriptor, shown);
  bool any = false;
  while (const dirent* next = next_entry(folder.get(), shown))
    any |= remove_or_move(::dirfd(folder.get()), next->d_name, shown / next->d_name, depth_left,
                          top < 0 ? ::dirfd(folder.get()) : top, moved);
  return any;
}

}  // namespace

const char* name_of(EntryKind kind) {
  switch (kind) {
    case EntryKind::file:
      return "a file";
    case EntryKind::folder:
      return "a folder";
    case EntryKind::link:
      return "a symlink";
    case EntryKind::other:
      return "a FIFO, socket or device";
  }
  return "";
}

std::optional<Entry> entry_at(int folder, const std::string& name, std::string path, const fs::path& shown) {
  struct stat status {};
  if (::fstatat(folder, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_errno("cannot examine " + shown.string());
  }
  const EntryKind kind = kind_of(status.st_mode);
  return Entry{std::move(path), kind,
               kind == EntryKind::file ? static_cast<std::uint64_t>(status.st_size) : 0};
}

std::vector<Entry> list_entries(int folder, const fs::path& shown, int depth_limit) {
  std::vector<Entry> entries;
  walk_into(::openat(folder, ".", k_folder_flags), shown, "", depth_limit, entries);
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.path < b.path; });
  return entries;
}

bool is_empty_folder(int folder, const fs::path& shown) {
  const FolderStream stream = list(::openat(folder, ".", k_folder_flags), shown);
  return next_entry(stream.get(), shown) == nullptr;
}

void remove_entry(int folder, const std::string& name, const fs::path& shown) {
  if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) return;
  if (errno != EISDIR && errno != EPERM) throw_errno("cannot remove " + shown.string());
  std::uint64_t moved = 0;
  for (;;) {
    if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return;
    if (errno != ENOTEMPTY && errno != EEXIST) throw_errno("cannot remove " + shown.string());
    (void)empty_folder(::openat(folder, name.c_str(), k_folder_flags), shown, k_removed_depth, -1, moved);
  }
}

}  // namespace common
