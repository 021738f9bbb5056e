#include "common/sealed/mount_place.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "common/sealed/draft.hpp"
#include "common/sealed/sums.hpp"
#include "common/sealed/weaker.hpp"

namespace common {
namespace {

constexpr std::uint64_t k_list_limit_bytes = 64 << 20;

struct Moved {
  std::uint64_t inode = 0;
  std::string name;
};

std::optional<std::uint64_t> inode_of(const Folder& folder, const std::string& name) {
  struct stat status {};
  if (::fstatat(folder.descriptor(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return status.st_ino;
  if (errno == ENOENT) return std::nullopt;
  throw_errno("cannot examine " + folder.path_of(name).string());
}

// The seal is the last, so that a part is never taken for the whole.
std::vector<Moved> entries_of(const Folder& draft) {
  std::vector<Moved> entries;
  for (const Entry& entry : draft.walk(1))
    entries.push_back({inode_of(draft, entry.path).value(), entry.path});
  std::stable_partition(entries.begin(), entries.end(),
                        [](const Moved& entry) { return entry.name != k_seal_name; });
  return entries;
}

std::string write_list(const std::vector<Moved>& entries) {
  std::string text;
  for (const auto& [inode, name] : entries) text += fmt::format("{} {}\n", inode, name);
  return text;
}

std::vector<Moved> parse_list(std::string_view text) {
  std::vector<Moved> entries;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    Moved entry;
    const auto [at, error] = std::from_chars(line.data(), line.data() + line.size(), entry.inode);
    const auto digits = static_cast<std::size_t>(at - line.data());
    // Ours is well-formed; of anything else nothing is moved.
    if (error == std::errc{} && digits + 1 < line.size() && line[digits] == ' ' &&
        line.find('/') == std::string_view::npos) {
      entry.name = line.substr(digits + 1);
      entries.push_back(std::move(entry));
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return entries;
}

}  // namespace

std::optional<MountPlace> MountPlace::find(const Folder& parent, const std::string& name) {
  const auto there = parent.look(name);
  if (!there || there->kind != EntryKind::folder || !parent.is_mount_point(name)) return std::nullopt;
  MountPlace place(parent.subfolder(name));
  if (!place.folder_.look(k_work_name)) place.check_free();
  return place;
}

void MountPlace::check_free() const {
  for (const Entry& entry : folder_.walk(1))
    if (entry.path != k_work_name)
      throw Error(
          ErrorKind::usage,
          fmt::format("{} is a mount point and not empty (it holds \"{}\"), and what is there cannot be "
                      "replaced in one step; empty it, or name a folder in it, which will be made: {}",
                      folder_.path().string(), entry.path, folder_.path_of("data_pack").string()));
}

void MountPlace::take_down(const Folder& work, const std::string& draft_name) const {
  if (work.has_file(k_list_name)) {
    std::vector<Moved> entries = parse_list(work.read_text(k_list_name, k_list_limit_bytes));
    const Folder draft = open_work_folder(work, draft_name).folder;
    std::reverse(entries.begin(), entries.end());
    for (const auto& [inode, name] : entries)
      if (inode_of(folder_, name) == inode && !draft.look(name)) folder_.rename(name, draft, name);
    work.remove(k_list_name);
  }
  check_free();
}

void MountPlace::move_up(const Folder& work, const std::string& draft_name) const {
  check_free();
  warn_of_mount_point(folder_.path());
  const Folder draft = work.subfolder(draft_name);
  const std::vector<Moved> entries = entries_of(draft);
  try {
    work.write(k_list_name, write_list(entries));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::string& name = entries[i].name;
      if (folder_.look(name))
        throw Error(ErrorKind::io, folder_.path_of(name).string() +
                                       " was put there meanwhile, and nothing was published; remove it");
      // All others are on the disk before the seal.
      if (i + 1 == entries.size()) folder_.sync();
      draft.rename(name, folder_, name);
    }
  } catch (const Error& error) {
    try {
      take_down(work, draft_name);
    } catch (const Error&) {
      throw Error(error.kind(), std::string(error.what()) + "; a part may be left in " +
                                    folder_.path().string() + ", which the next run takes down");
    }
    throw;
  }
}

}  // namespace common
