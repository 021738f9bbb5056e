#include "trainer/formats/find_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/shell.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const std::string& why) { throw common::Error(common::ErrorKind::io, why); }

std::string download(const std::string& id) { return "  hf download " + common::quote_for_shell(id); }

bool is_plain(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.front() != '~' &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string::npos;
}

// ORG/NAME as the hub allows it.
bool is_id(const std::string& text) {
  const std::size_t slash = text.find('/');
  return slash != std::string::npos && is_plain(text.substr(0, slash)) && is_plain(text.substr(slash + 1));
}

// models--ORG--NAME -> ORG/NAME; empty for another folder.
std::string id_of(const fs::path& repository) {
  std::string name = (repository.has_filename() ? repository : repository.parent_path()).filename().string();
  if (!name.starts_with("models--")) return {};
  name.erase(0, std::string("models--").size());
  if (const std::size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
  return name;
}

// The commit that the branch `main` was at when it was downloaded last.
std::optional<std::string> main_revision(const fs::path& repository) {
  constexpr std::uint64_t k_limit_bytes = 256;
  const fs::path file = repository / "refs/main";
  if (!fs::exists(file)) return std::nullopt;
  const common::Bytes bytes = common::read_file(file, k_limit_bytes);
  std::string revision(common::text_of(bytes));
  while (!revision.empty() && (revision.back() == '\n' || revision.back() == '\r')) revision.pop_back();
  if (!is_plain(revision))
    refuse(file.string() + " names no revision; download the model again:\n" + download(id_of(repository)));
  return revision;
}

fs::path snapshot_of(const fs::path& repository) {
  const fs::path snapshots = repository / "snapshots";
  if (const std::optional<std::string> revision = main_revision(repository);
      revision && fs::is_directory(snapshots / *revision))
    return snapshots / *revision;
  std::vector<fs::path> all;
  for (const fs::directory_entry& entry : fs::directory_iterator(snapshots))
    if (entry.is_directory()) all.push_back(entry.path());
  if (all.size() == 1) return all.front();
  std::sort(all.begin(), all.end());
  if (all.empty())
    refuse(repository.string() + " holds no snapshot; download the model again:\n" +
           download(id_of(repository)));
  refuse(fmt::format("{} holds {} snapshots and does not say which is main; name one of them, such as {}",
                     repository.string(), all.size(), all.front().string()));
}

bool is_repository(const fs::path& folder) {
  return !id_of(folder).empty() && !fs::exists(folder / "config.json") &&
         fs::is_directory(folder / "snapshots");
}

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

}  // namespace

std::vector<fs::path> hub_caches() {
  std::vector<fs::path> caches;
  if (const std::string cache = from_environment("HF_HUB_CACHE"); !cache.empty()) caches.emplace_back(cache);
  if (const std::string home = from_environment("HF_HOME"); !home.empty())
    caches.push_back(fs::path(home) / "hub");
  if (const std::string home = from_environment("HOME"); !home.empty())
    caches.push_back(fs::path(home) / ".cache/huggingface/hub");
  return caches;
}

std::string hub_id_of(const fs::path& snapshot) {
  const fs::path revision = snapshot.has_filename() ? snapshot : snapshot.parent_path();
  if (revision.parent_path().filename() != "snapshots") return {};
  return id_of(revision.parent_path().parent_path());
}

fs::path find_model(const fs::path& named, const std::vector<fs::path>& caches) {
  if (is_repository(named)) return snapshot_of(named);
  const std::string id = named.string();
  // A link that leads nowhere is there too: whoever opens it says what it is.
  if (fs::symlink_status(named).type() != fs::file_type::not_found || !is_id(id)) return named;
  std::string repository = "models--" + id;
  repository.replace(repository.find('/'), 1, "--");
  std::string looked;
  for (const fs::path& cache : caches) {
    if (is_repository(cache / repository)) return snapshot_of(cache / repository);
    looked += (looked.empty() ? "" : ", ") + cache.string();
  }
  refuse(fmt::format(
      "{0} is no folder, and no model of this name is in the Hugging Face cache ({1}); download it:\n{2}\n"
      "or name a folder",
      id, looked.empty() ? "HOME is not set" : "looked in " + looked, download(id)));
}

}  // namespace trainer
