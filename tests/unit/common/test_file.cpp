#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

namespace {
template <typename Action>
ErrorKind kind_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error.kind();
  }
  FAIL("nothing was thrown");
  return ErrorKind::usage;
}
std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}
}  // namespace

TEST_CASE("what is written is read again, and its digest is that of the bytes") {
  const support::Scratch scratch;
  const std::string text(3000000, 'x');
  common::write_file(scratch / "a", text);
  CHECK(common::read_text(scratch / "a", text.size()) == text);
  const common::FileDigest digest = common::digest_file(scratch / "a");
  CHECK(digest.size == text.size());
  CHECK(digest.digest == common::digest_of(text));
}

TEST_CASE("writing replaces a file whole, gives it mode 0644 and leaves nothing beside it") {
  const support::Scratch scratch;
  const mode_t mask = ::umask(0077);
  common::write_file(scratch / "a", "old and longer");
  common::write_file(scratch / "a", "new");
  ::umask(mask);
  CHECK(common::read_text(scratch / "a", 100) == "new");
  CHECK(fs::status(scratch / "a").permissions() == static_cast<fs::perms>(0644));
  CHECK(files_in(scratch.path()) == 1);
}

TEST_CASE("a write that fails leaves nothing behind") {
  const support::Scratch scratch;
  fs::create_directory(scratch / "folder");
  CHECK(kind_of([&] { common::write_file(scratch / "folder", "text"); }) == ErrorKind::io);
  CHECK(kind_of([&] { common::write_file(scratch / "absent/a", "text"); }) == ErrorKind::io);
  CHECK(files_in(scratch.path()) == 1);
  CHECK(fs::is_empty(scratch / "folder"));
}

TEST_CASE("writing over a link replaces the link and leaves its target alone") {
  const support::Scratch scratch;
  common::write_file(scratch / "target", "kept");
  fs::create_symlink("target", scratch / "link");
  common::write_file(scratch / "link", "new");
  CHECK(common::read_text(scratch / "target", 100) == "kept");
  CHECK(!fs::is_symlink(scratch / "link"));
}

TEST_CASE("only regular files are opened; a FIFO, a folder, nothing and links to these are io errors") {
  const support::Scratch scratch;
  common::write_file(scratch / "a", "text");
  fs::create_symlink("fifo", scratch / "link");
  REQUIRE(::mkfifo((scratch / "fifo").c_str(), 0600) == 0);
  for (const char* name : {"link", "fifo", ".", "absent", "a/b"})
    CHECK_MESSAGE(kind_of([&] { (void)common::open_to_read(scratch / name); }) == ErrorKind::io, name);
  CHECK(kind_of([&] { (void)common::open_to_read("/dev/null"); }) == ErrorKind::io);
}

TEST_CASE("a file over the limit is refused before it is read") {
  const support::Scratch scratch;
  common::write_file(scratch / "a", "four");
  CHECK(common::read_text(scratch / "a", 4) == "four");
  CHECK(kind_of([&] { (void)common::read_file(scratch / "a", 3); }) == ErrorKind::format);
}

TEST_CASE("read_at reads less only at the end") {
  const support::Scratch scratch;
  common::write_file(scratch / "a", "0123456789");
  const common::File file = common::open_to_read(scratch / "a");
  char buffer[8] = {};
  CHECK(file.read_at(buffer, 4, 3, "a") == 4);
  CHECK(std::string(buffer, 4) == "3456");
  CHECK(file.read_at(buffer, 8, 6, "a") == 4);
  CHECK(file.read_at(buffer, 8, 10, "a") == 0);
  CHECK(common::size_of(file, "a") == 10);
}

TEST_CASE("a new file must be new") {
  const support::Scratch scratch;
  common::create_new(scratch / "a").close("a");
  CHECK(kind_of([&] { (void)common::create_new(scratch / "a"); }) == ErrorKind::io);
  fs::create_symlink("nowhere", scratch / "link");
  CHECK(kind_of([&] { (void)common::create_new(scratch / "link"); }) == ErrorKind::io);
}

TEST_CASE("a moved file is closed once, by its new owner") {
  const support::Scratch scratch;
  common::File a = common::create_new(scratch / "a");
  common::File b = std::move(a);
  CHECK(b.is_open());
  b.write_all(common::view_of("x"), "a");
  b.sync("a");
  b.close("a");
  CHECK(!b.is_open());
  CHECK(common::read_text(scratch / "a", 1) == "x");
}
