// An open folder, the one way to what lies in it. It is opened once, and everything inside is reached through
// its descriptor: beneath it and without following a link, wherever the folder has been moved to meanwhile
// and whatever stands under its old name. Paths inside are relative, with "/" between components. The kernel
// is asked with openat2; one that lacks it is asked for component after component.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "common/file.hpp"
#include "common/sealed/entry.hpp"

namespace common {

// What stands under a name, whoever put it there.
struct Identity {
  std::uint64_t device = 0, inode = 0;
  bool operator==(const Identity&) const = default;
};

enum class ModeSet { yes, refused };

class Folder {
 public:
  // No legal path has more components; nothing is looked for below.
  static constexpr int k_depth_limit = 64;

  // The folder that the user names, by way of links where there are some. Throws io where it is not there or
  // is no folder.
  [[nodiscard]] static Folder open(const std::filesystem::path& path);
  // A folder inside, never by way of a link.
  [[nodiscard]] Folder subfolder(const std::string& inside) const;

  // As messages call it. Not a way to reach anything.
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::filesystem::path path_of(const std::string& inside) const { return path_ / inside; }
  [[nodiscard]] int descriptor() const { return file_.descriptor(); }
  [[nodiscard]] Identity identity() const;

  // Nothing: there is nothing under this name.
  [[nodiscard]] std::optional<Entry> look(const std::string& inside) const;
  // Where something is mounted nothing else can be put. Kernels before 5.8 do not tell; then it is none.
  [[nodiscard]] bool is_mount_point(const std::string& inside) const;
  [[nodiscard]] bool has_file(const std::string& inside) const;
  // Everything in it, sorted by path; a folder comes before what lies in it. Folders deeper than the limit
  // are listed and not entered.
  [[nodiscard]] std::vector<Entry> walk(int depth_limit = k_depth_limit) const;
  [[nodiscard]] bool is_empty() const;

  // Reading, as common/file.hpp reads: regular files only, never blocking.
  [[nodiscard]] File open_to_read(const std::string& inside) const;
  // The same by way of links where there are some, wherever they lead. For folders that are the user's own
  // and no pack or run: a model in the Hugging Face cache consists of links. A file that was never fetched is
  // an io error that says how to get it.
  [[nodiscard]] File open_linked(const std::string& inside) const;
  [[nodiscard]] Bytes read(const std::string& inside, std::uint64_t limit_bytes) const;
  [[nodiscard]] std::string read_text(const std::string& inside, std::uint64_t limit_bytes) const;
  [[nodiscard]] FileDigest digest_of(const std::string& inside) const;

  // A file that must not be there yet, mode 0644 whatever the umask says; its folder must be there.
  [[nodiscard]] File create(const std::string& inside) const;
  // A file that only grows, made where it is not there yet; what is written goes to its end.
  [[nodiscard]] File open_to_append(const std::string& inside) const;
  // The folder and those that it lies in, mode 0755. A file or link in the way is an io error.
  void make_folder(const std::string& inside) const;
  // One folder that must not be there yet. False where something has that name: of several that try, one
  // makes it.
  [[nodiscard]] bool make_new_folder(const std::string& name) const;
  // Publishes a whole file: the old content or the new one is there at every moment. Its draft
  // `.<name>.draft` lies beside it, so the caller must hold this folder's lock. To the disk before it
  // returns.
  void write(const std::string& inside, ByteView bytes) const;
  void write(const std::string& inside, std::string_view text) const { write(inside, view_of(text)); }

  // Moves a file or folder, replacing a file that stands there.
  void rename(const std::string& inside, const Folder& to, const std::string& to_inside) const;
  // The same. False where that cannot be: a folder of a lower layer of overlayfs, as those of a container's
  // image are, can be removed and not renamed.
  [[nodiscard]] bool try_rename(const std::string& inside, const Folder& to,
                                const std::string& to_inside) const;
  // Gives false where the file system cannot exchange two names.
  [[nodiscard]] bool exchange(const std::string& inside, const Folder& to,
                              const std::string& to_inside) const;
  // A file, a link or a whole folder however deep, without following a link. Nothing there: nothing happens.
  void remove(const std::string& inside) const;
  // False where it is not an empty folder.
  bool remove_if_empty(const std::string& inside) const;

  // 0755 for the folder itself, whatever the umask says; setgid, which it has from where it lies, stays.
  ModeSet set_usual_mode() const;
  // Its own entries to the disk. A file system that cannot do that is not an error.
  Synced sync() const;
  // The same once `what` is published in it: that is there whatever this call answers, so a failure is a
  // warning on stderr. What is not supported is left to the caller to say (warn_of_no_sync).
  [[nodiscard]] Synced sync_published(const std::filesystem::path& what) const;

 private:
  Folder(File file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}
  // The folder that `inside` lies in, and the last component.
  struct Place {
    File folder;  // closed: this folder itself
    int descriptor = -1;
    std::string name;
  };
  [[nodiscard]] Place place_of(const std::string& inside) const;
  [[nodiscard]] int open_beneath(const std::string& inside, int flags, mode_t mode) const;

  File file_;
  std::filesystem::path path_;
};

// Sixteen hexadecimal digits that nobody else draws.
[[nodiscard]] std::string random_name();

// Sets the mode whatever the umask says. A file system that refuses modes is not an error.
ModeSet set_mode(const File& file, mode_t mode, const std::filesystem::path& name);

}  // namespace common
