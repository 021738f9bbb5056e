#include "common/unfetched.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "common/file.hpp"
#include "common/shell.hpp"

namespace common {
namespace {

namespace fs = std::filesystem;

bool holds(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string annex_command(const fs::path& name) {
  const std::string file = quote_for_shell(name.string());
  return "fetch it (git annex get " + file + ", or datalad get " + file + ")";
}

// "models--llava-hf--llava-1.5-7b-hf" in a cache of Hugging Face is llava-hf/llava-1.5-7b-hf on its hub.
std::string hugging_face_command(const fs::path& path) {
  for (const fs::path& part : path) {
    const std::string folder = part.string();
    for (const std::string_view kind : {"model", "dataset", "space"}) {
      const std::string before = std::string(kind) + "s--";
      if (!folder.starts_with(before)) continue;
      std::string name = folder.substr(before.size());
      if (const std::size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
      return "download it again (hf download " + quote_for_shell(name) +
             (kind == "model" ? "" : " --repo-type " + std::string(kind)) + ")";
    }
  }
  return "download it again (hf download)";
}

std::string command_for_link(const fs::path& link, const std::string& target) {
  if (holds(target, ".git/annex/")) return annex_command(link);
  if (holds(target, ".dvc/") || holds(target, "/files/md5/")) return "fetch it (dvc pull)";
  if (holds(target, "blobs/")) return hugging_face_command(fs::absolute(link));
  return "put the file there, or make the link anew";
}

// Empty where `link` is no link, or one that leads to something.
std::string why_link_leads_nowhere(const fs::path& link) {
  std::error_code failure;
  const fs::path target = fs::read_symlink(link, failure);
  if (failure) return {};
  struct stat status {};
  if (::stat(link.c_str(), &status) == 0) return {};
  if (errno == ELOOP) return "is a symlink that leads back to itself; make it anew";
  if (errno != ENOENT && errno != ENOTDIR) return {};
  return "is a symlink that leads nowhere: there is no " + target.string() + "; " +
         command_for_link(link, target.string());
}

bool is_there(const fs::path& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

std::string why_pointer(const fs::path& path, const struct stat& status) {
  if (!S_ISREG(status.st_mode) || status.st_size >= static_cast<off_t>(k_pointer_limit_bytes)) return {};
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  std::uint8_t bytes[k_pointer_limit_bytes];
  const ssize_t got = file.is_open() ? ::pread(file.descriptor(), bytes, sizeof bytes, 0) : -1;
  return got <= 0 ? std::string() : why_unfetched(ByteView(bytes, static_cast<std::size_t>(got)), path);
}

}  // namespace

std::string why_unfetched(ByteView bytes, const fs::path& name) {
  if (bytes.size() >= k_pointer_limit_bytes) return {};
  const std::string_view text = text_of(bytes);
  for (const std::string_view version :
       {"version https://git-lfs.github.com/spec/", "version https://hawser.github.com/spec/"})
    if (text.starts_with(version))
      return "is a Git LFS pointer, not the file itself; fetch it (git lfs pull --include " +
             quote_for_shell(name.filename().string()) + ")";
  // An unlocked file of git-annex; and its link where git writes links as texts, as it does on Windows.
  const std::string_view line = text.substr(0, text.find('\n'));
  const bool is_one_line = line.size() + 1 >= text.size() && !holds(line, " ");
  if (text.starts_with("/annex/objects/") || (is_one_line && holds(line, ".git/annex/objects/")))
    return "is a git-annex pointer, not the file itself; " + annex_command(name);
  return {};
}

std::string why_unfetched(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return why_pointer(path, status);
  // The nearest that is there is a folder; what is missing begins behind it.
  for (fs::path at = path; !at.empty(); at = at.parent_path()) {
    if (at != path && is_there(at)) break;
    const std::string before = at == path ? "" : "lies in " + at.string() + ", which ";
    if (const std::string why = why_link_leads_nowhere(at); !why.empty()) return before + why;
    if (fs::path record = at; is_there(record += ".dvc"))
      return before + "is not here; fetch it (dvc pull " + quote_for_shell(record.string()) + ")";
    if (at == at.parent_path()) break;
  }
  return {};
}

}  // namespace common
