// Archives as other people make them, written by libarchive, with everything that one may hold.
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/error.hpp"
#include "packer/sources/foreign_archive.hpp"
#include "tests/support/small_pack.hpp"

namespace support {

enum class Kind { file, folder, symbolic_link, hard_link, fifo, device };

struct Member {
  std::string name;
  std::string bytes;  // or where a link points to
  Kind kind = Kind::file;
};

inline archive_entry* entry_of(const Member& member) {
  archive_entry* entry = ::archive_entry_new();
  ::archive_entry_set_pathname(entry, member.name.c_str());
  ::archive_entry_set_perm(entry, 0644);
  ::archive_entry_set_size(entry, 0);
  ::archive_entry_set_filetype(entry, AE_IFREG);
  switch (member.kind) {
    case Kind::file:
      ::archive_entry_set_size(entry, static_cast<la_int64_t>(member.bytes.size()));
      break;
    case Kind::folder:
      ::archive_entry_set_filetype(entry, AE_IFDIR);
      break;
    case Kind::symbolic_link:
      ::archive_entry_set_filetype(entry, AE_IFLNK);
      ::archive_entry_set_symlink(entry, member.bytes.c_str());
      break;
    case Kind::hard_link:
      ::archive_entry_set_hardlink(entry, member.bytes.c_str());
      break;
    case Kind::fifo:
      ::archive_entry_set_filetype(entry, AE_IFIFO);
      break;
    case Kind::device:
      ::archive_entry_set_filetype(entry, AE_IFCHR);
      break;
  }
  return entry;
}

// `bytes` in one member of the filter: a raw form has one nameless entry.
inline std::string compressed(const std::string& bytes, int (*add_filter)(archive*)) {
  archive* writer = ::archive_write_new();
  ::archive_write_set_format_raw(writer);
  ENSURE(add_filter(writer) == ARCHIVE_OK);
  std::string out(bytes.size() + 100'000, '\0');
  std::size_t used = 0;
  ENSURE(::archive_write_open_memory(writer, out.data(), out.size(), &used) == ARCHIVE_OK);
  archive_entry* entry = entry_of({"x", bytes});
  ENSURE(::archive_write_header(writer, entry) == ARCHIVE_OK);
  ENSURE(::archive_write_data(writer, bytes.data(), bytes.size()) == static_cast<la_ssize_t>(bytes.size()));
  ::archive_entry_free(entry);
  ENSURE(::archive_write_close(writer) == ARCHIVE_OK);
  ::archive_write_free(writer);
  return out.substr(0, used);
}

// The suffix decides the form. `options` are libarchive's, such as "zip:compression=store".
inline void write_foreign(const fs::path& path, const std::vector<Member>& members,
                          const char* options = nullptr) {
  const std::string name = path.filename().string();
  archive* writer = ::archive_write_new();
  if (name.ends_with(".zip"))
    ::archive_write_set_format_zip(writer);
  else
    ::archive_write_set_format_gnutar(writer);
  if (name.ends_with("gz")) ::archive_write_add_filter_gzip(writer);
  if (name.ends_with(".zst")) ::archive_write_add_filter_zstd(writer);
  if (options != nullptr) ENSURE(::archive_write_set_options(writer, options) == ARCHIVE_OK);
  if (options != nullptr && std::string(options).find("encryption") != std::string::npos)
    ::archive_write_set_passphrase(writer, "secret");
  fs::create_directories(path.parent_path());
  ENSURE(::archive_write_open_filename(writer, path.c_str()) == ARCHIVE_OK);
  for (const Member& member : members) {
    archive_entry* entry = entry_of(member);
    ENSURE(::archive_write_header(writer, entry) == ARCHIVE_OK);
    if (member.kind == Kind::file)
      ENSURE(::archive_write_data(writer, member.bytes.data(), member.bytes.size()) ==
             static_cast<la_ssize_t>(member.bytes.size()));
    ::archive_entry_free(entry);
  }
  ENSURE(::archive_write_close(writer) == ARCHIVE_OK);
  ::archive_write_free(writer);
}

// All files under `root`, their names behind `before`.
inline std::vector<Member> members_of(const fs::path& root, const std::string& before = "") {
  std::vector<Member> members;
  for (const auto& [path, bytes] : tree_of(root)) members.push_back({before + path, bytes});
  return members;
}

// Why that file is not taken; empty where it is.
inline std::string why_not(const packer::ForeignArchive& archive, const std::string& name) {
  const packer::ForeignArchive::Entry* entry = archive.find(name);
  return entry == nullptr ? "not there" : entry->why_not;
}

}  // namespace support
