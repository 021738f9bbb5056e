// A pack that somebody changes while it is read: before the n-th system call a file becomes another one, or
// none, or a FIFO. Nothing hangs, and no archive appears that is not the pack whose id it states.
#include <sys/stat.h>

#include <cstdio>

#include "common/error.hpp"
#include "packer/archive/archive.hpp"
#include "tests/faults/packer/apart.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

struct Change {
  const char* name;
  std::function<void(const fs::path& file)> apply;
};

const std::vector<Change>& changes() {
  static const std::vector<Change> k_changes{
      {"other bytes",
       [](const fs::path& file) {
         std::string bytes = support::get(file);
         bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
         support::put(file, bytes);
       }},
      {"shorter", [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }},
      {"longer", [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) + 5000); }},
      {"removed", [](const fs::path& file) { fs::remove(file); }},
      {"a FIFO",
       [](const fs::path& file) {
         fs::remove(file);
         if (::mkfifo(file.c_str(), 0644) != 0) std::abort();
       }},
      {"a link",
       [](const fs::path& file) {
         fs::remove(file);
         fs::create_symlink("/dev/zero", file);
       }},
      {"a folder", [](const fs::path& file) {
         fs::remove(file);
         fs::create_directory(file);
       }}};
  return k_changes;
}

}  // namespace

TEST_CASE("a pack that changes while it is archived or verified is refused, or was read before the change") {
  const support::Scratch scratch;
  const fs::path good = packer::build_pack(support::small_sources(scratch.path())).location;
  const common::Digest id = *faults::id_at(good);
  const fs::path pack = scratch / "changing" / "data_pack", out = scratch / "x.tar";
  const std::function<void()> works[] = {[&] {
                                           (void)packer::archive({pack, out, 1, common::Verbosity::quiet});
                                         },
                                         [&] {
                                           if (!faults::id_at(pack))
                                             throw common::Error(common::ErrorKind::mismatch, "found");
                                         }};
  // Every call for every change would be thousands of runs: each change strikes each seventh, beginning with
  // another.
  std::size_t cases = 0, refused = 0, first = 0;
  for (const auto& work : works)
    for (const char* path : {"images/COCO_val2014_000000000002.jpg", "val_manifest.json", "SHA256SUMS"})
      for (const Change& change : changes()) {
        CAPTURE(std::string(change.name));
        CAPTURE(std::string(path));
        support::before_call([&] { change.apply(pack / path); });
        for (std::uint64_t at = 1 + first++ % changes().size();; at += changes().size()) {
          CAPTURE(at);
          fs::remove_all(scratch / "changing");
          fs::create_directory(scratch / "changing");
          fs::copy(good, pack, fs::copy_options::recursive);
          fs::remove(out);
          const int code = faults::run_apart(scratch / "changing", support::Fault::changed, at, work);
          const bool struck = support::count_calls().struck;
          CHECK((code == 0 || (struck && (code == 1 || code == 3))));
          if (fs::exists(out)) CHECK(faults::id_at(out) == id);
          CHECK(fs::exists(out) == (code == 0 && &work == works));
          CHECK_FALSE(fs::exists(scratch / ".x.tar.draft"));
          if (!struck) break;
          ++cases;
          refused += code != 0 ? 1 : 0;
        }
      }
  std::printf("changed while it is read: %zu cases, %zu refused\n", cases, refused);
}
