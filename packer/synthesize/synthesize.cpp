#include "packer/synthesize/synthesize.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <system_error>
#include <vector>

#include "common/error.hpp"
#include "common/file.hpp"
#include "packer/synthesize/parts.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

void check_count(const char* what, int value, int least, int most) {
  if (value < least || value > most)
    throw Error(ErrorKind::usage,
                fmt::format("cannot synthesize {} {}; ask for {} to {}", value, what, least, most));
}

void check_request(const SynthesizeRequest& request) {
  // More pictures than this and the ids of COCO's range run out; more clips and the disk does.
  check_count("clips", request.clips, 1, 50'000);
  check_count("questions", request.questions, 1, 200'000);
  check_count("train questions", request.train_questions, 0, 800'000);
  if (request.out.empty()) throw Error(ErrorKind::usage, "no folder to synthesize into; name one");
}

// The destination's absolute name. Absent or an empty folder, or a usage error.
fs::path check_destination(const fs::path& out) {
  std::error_code error;
  fs::path target = fs::weakly_canonical(fs::absolute(out), error);
  if (error) throw Error(ErrorKind::io, "cannot examine " + out.string() + ": " + error.message());
  if (!target.has_filename()) target = target.parent_path();
  const fs::file_status status = fs::status(target, error);
  if (status.type() == fs::file_type::not_found) return target;
  if (status.type() != fs::file_type::directory)
    throw Error(ErrorKind::usage, out.string() + " is not a folder; name one that is absent or empty");
  const fs::directory_iterator first(target, error);
  if (error) throw Error(ErrorKind::io, "cannot list " + out.string() + ": " + error.message());
  if (first != fs::directory_iterator())
    throw Error(
        ErrorKind::usage,
        out.string() + " is not empty; name a folder that is absent or empty, or remove what is in it");
  return target;
}

// A folder beside the destination that vanishes, with every parent made for it, unless it is published.
class Draft {
 public:
  explicit Draft(fs::path target) : target_(std::move(target)) {
    for (fs::path parent = target_.parent_path(); !fs::exists(parent); parent = parent.parent_path())
      parents_.push_back(parent);
    std::error_code error;
    fs::create_directories(target_.parent_path(), error);
    path_ = target_.parent_path() / fmt::format(".{}.draft{}", target_.filename().string(), ::getpid());
    if (!error) fs::remove_all(path_, error);
    if (!error) fs::create_directory(path_, error);
    if (error) {
      remove();
      throw Error(ErrorKind::io, "cannot create " + path_.string() + ": " + error.message());
    }
  }
  ~Draft() { remove(); }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  [[nodiscard]] const fs::path& path() const { return path_; }

  void publish() {
    common::File folder(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open() || ::syncfs(folder.descriptor()) != 0)
      common::throw_errno("cannot sync " + path_.string());
    // Takes the place of an empty folder, and of nothing else.
    if (::rename(path_.c_str(), target_.c_str()) != 0)
      common::throw_errno("cannot rename " + path_.string() + " to " + target_.string());
    path_.clear();
    common::sync_folder(target_.parent_path());
  }

 private:
  void remove() {
    if (path_.empty()) return;
    std::error_code ignored;
    fs::remove_all(path_, ignored);
    for (const fs::path& parent : parents_) fs::remove(parent, ignored);
  }

  fs::path target_, path_;
  std::vector<fs::path> parents_;  // innermost first
};

}  // namespace

void TreeWriter::put(const fs::path& name, common::ByteView bytes) {
  const fs::path path = root_ / name;
  common::File file = common::create_new(path);
  file.write_all(bytes, path);
  file.close(path);
  bytes_ += bytes.size();
}

void TreeWriter::make_folder(const fs::path& name) {
  std::error_code error;
  fs::create_directories(root_ / name, error);
  if (error) throw Error(ErrorKind::io, "cannot create " + (root_ / name).string() + ": " + error.message());
}

SynthesizeSummary synthesize(const SynthesizeRequest& request) {
  check_request(request);
  Draft draft(check_destination(request.out));
  TreeWriter tree(draft.path());
  SynthesizeSummary summary;
  write_audiocaps(request, tree, summary);
  write_vqa(request, tree, summary);
  summary.bytes = tree.bytes();
  draft.publish();
  return summary;
}

}  // namespace packer
