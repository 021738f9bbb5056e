// A model in Hugging Face's layout, opened once. Its digest names the files that were read through it, by the
// very bytes that were read: what is replaced on the disk afterwards, or lies there unused, does not count.
// Links are followed, as nowhere else: the user names the folder, and in a cache of the Hugging Face hub
// every file of it is a link.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "common/bytes.hpp"
#include "common/digest.hpp"
#include "common/file.hpp"
#include "common/json.hpp"

namespace trainer {

// What a model's folder consists of, by name.
using ModelFiles = std::map<std::string, common::Bytes>;

class ModelFolder {
 public:
  ModelFolder(const std::filesystem::path& folder);  // not explicit: a path will do where a model is loaded
  ~ModelFolder();
  ModelFolder(ModelFolder&&) noexcept;
  ModelFolder& operator=(ModelFolder&&) noexcept;

  [[nodiscard]] const std::filesystem::path& path() const;
  [[nodiscard]] std::filesystem::path path_of(const std::string& name) const { return path() / name; }
  // True for a link that leads nowhere too, so that it is called that.
  [[nodiscard]] bool has(const std::string& name) const;
  // Regular files only; one that was never fetched is an io error that says how to get it.
  [[nodiscard]] std::string read_text(const std::string& name, std::uint64_t limit_bytes) const;
  [[nodiscard]] common::Json read_json(const std::string& name, std::uint64_t limit_bytes) const;
  // For a reader that is too large for memory: it hashes what it reads, and says so with note().
  [[nodiscard]] common::File open(const std::string& name) const;
  // What to do about a file that is missing, for the end of a sentence.
  [[nodiscard]] std::string advice() const;
  // A file that was read before and had other bytes then is a mismatch error.
  void note(const std::string& name, const common::Digest& digest) const;

  // SHA-256 of the lines "<sha256>  <name>\n" of what was read, in byte order of the names: what sha256sum
  // prints of these files. It names the model in a run's record.
  [[nodiscard]] common::Digest digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace trainer
