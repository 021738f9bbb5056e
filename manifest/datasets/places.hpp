// Where a file may lie in the trees that people have, and where it does.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace manifest {

// Below a root that the user names: in one of `folders` ("audio/train/", or "" for the root), under one of
// `names`; each best first. The first name is the file's own, the others are those that downloaders give.
struct Places {
  std::vector<std::string> folders, names;
};

// What sources of sound are called, best first. Capitals count as well.
inline constexpr std::string_view k_sound_suffixes[] = {".wav", ".flac", ".mp3",  ".ogg", ".opus",
                                                        ".m4a", ".aac",  ".webm", ".mp4"};
[[nodiscard]] bool has_sound_suffix(std::string_view name);
// "audio/train/x.wav" without the suffix, where it is one that sound has.
[[nodiscard]] std::string clip_stem(const std::string& audio_relpath);

// What somebody knows of a tree.
struct Tree {
  // False where no file of that folder can be called so, whatever its suffix.
  std::function<bool(const std::string& folder, std::string_view stem)> may_have;
  std::function<bool(const std::string& path)> has;
};

struct Found {
  std::string path;  // empty: nothing was found, or not one alone
  // Files that have different names of one sound, in one folder, where none has its own, or one name in two
  // normal forms of Unicode: which one is meant nobody knows.
  std::vector<std::string> rivals;
};
// Names without suffix; a file by its own name wins over all others.
[[nodiscard]] Found find_sound(const Places& places, const Tree& tree);
// Names with suffix, all of one picture.
[[nodiscard]] Found find_picture(const Places& places, const Tree& tree);

// A folder of the host as a tree. Each folder in it is listed once, when a first file is not there by its
// own name: a listing of 100,000 files takes a blink, and 20 names of each that are looked for one by one
// take minutes on a network. What cannot be looked into is an io error: a disk that fails must not look like
// data that is missing.
class FolderTree {
 public:
  explicit FolderTree(std::filesystem::path root) : root_(std::move(root)) {}
  [[nodiscard]] bool may_have(const std::string& folder, std::string_view stem);
  // A file, or a link to one.
  [[nodiscard]] bool has(const std::string& path) const;
  [[nodiscard]] Tree tree();
  // "audio/train/ holds 400 files, such as x.mkv", of the first of `folders` that holds files; empty: none.
  [[nodiscard]] std::string describe(const std::vector<std::string>& folders);

 private:
  struct Listing {
    bool is_known = true;               // a folder may be searched and not listed
    std::vector<std::uint64_t> stems;   // hashes, sorted
    std::vector<std::string> examples;  // a few names
  };
  const Listing& list(const std::string& folder);

  std::filesystem::path root_;
  std::map<std::string, Listing> listings_;
};

// The first of `names` that is a file below `root`; the first of all where none is there.
[[nodiscard]] std::filesystem::path first_file(const std::filesystem::path& root,
                                               const std::vector<std::string>& names);
[[nodiscard]] bool has_file(const std::filesystem::path& root, const std::vector<std::string>& names);

}  // namespace manifest
