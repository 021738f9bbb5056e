// The zips that people have: made by Info-ZIP's zip and by Python's zipfile, which differ in modes, in where
// sizes stand and in what a name's bytes mean.
#include "packer/sources/foreign_archive.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using packer::ForeignArchive;
using support::Scratch;

std::string bytes_of(const ForeignArchive& archive, const std::string& name) {
  const ForeignArchive::Entry* entry = archive.find(name);
  REQUIRE(entry != nullptr);
  REQUIRE(entry->why_not == "");
  packer::ForeignReader reader(archive.path(), {{*entry, 1 << 20}});
  return std::string(common::text_of(reader.next().bytes));
}

const std::string k_long(200'000, 'j');

}  // namespace

TEST_CASE("what Python's zipfile writes is read, however it packs") {
  if (!support::has_python()) {
    MESSAGE("needs python3");
    return;
  }
  const Scratch scratch;
  const support::Finished made = support::run_process({"python3", "-c", R"(
import io, stat, zipfile
from zipfile import *
class Pipe(io.RawIOBase):  # cannot seek back: sizes stand behind the bytes
    def __init__(self): self.file = open('streamed.zip', 'wb')
    def writable(self): return True
    def write(self, b): return self.file.write(b)
long = b'j' * 200000
for name, method in (('stored', ZIP_STORED), ('deflated', ZIP_DEFLATED), ('bzip2', ZIP_BZIP2), ('lzma', ZIP_LZMA)):
    with ZipFile(name + '.zip', 'w', method) as z:
        z.writestr('val2014/', '')
        z.writestr('val2014/a.jpg', 'first')
        z.writestr('val2014/b.jpg', long)
        link = ZipInfo('val2014/c.jpg')
        link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
        z.writestr(link, 'a.jpg')
        z.writestr('val2014/\u00fc.jpg', 'umlaut')
        with z.open('val2014/d.jpg', 'w', force_zip64=True) as f: f.write(long)
with Pipe() as p, ZipFile(p, 'w', ZIP_DEFLATED) as z:
    z.writestr('val2014/a.jpg', 'first')
    z.writestr('val2014/b.jpg', long)
)"},
                                                      scratch.path());
  CHECK(made.err == "");
  REQUIRE(made.code == 0);
  for (const std::string name : {"stored.zip", "deflated.zip", "bzip2.zip", "streamed.zip"}) {
    CAPTURE(name);
    const ForeignArchive archive(scratch / name);
    CHECK(bytes_of(archive, "a.jpg") == "first");
    CHECK(bytes_of(archive, "val2014/b.jpg") == k_long);
    if (name == "streamed.zip") continue;
    CHECK(bytes_of(archive, "c.jpg") == "first");  // a symlink
    CHECK(bytes_of(archive, "d.jpg") == k_long);
    CHECK(bytes_of(archive, "val2014/\u00fc.jpg") == "umlaut");
  }
  // Known to libzip or not, as it was built: had, or said why not.
  const ForeignArchive lzma(scratch / "lzma.zip");
  const std::string& why_not = lzma.find("b.jpg")->why_not;
  if (why_not.empty())
    CHECK(bytes_of(lzma, "b.jpg") == k_long);
  else
    CHECK(why_not == "compressed by method 14, which is not supported");
}

TEST_CASE("what Info-ZIP's zip writes is read, to a file and to a pipe") {
  if (support::run_process({"sh", "-c", "command -v zip"}).code != 0) {
    MESSAGE("needs zip");
    return;
  }
  const Scratch scratch;
  support::put(scratch / "val2014" / "a.jpg", "first");
  support::put(scratch / "val2014" / "b.jpg", k_long);
  fs::create_symlink("a.jpg", scratch / "val2014" / "c.jpg");
  const support::Finished made = support::run_process(
      {"sh", "-c",
       "zip -qry x.zip val2014 && zip -qr0y stored.zip val2014 && zip -qr - val2014 | cat >streamed.zip && "
       "zip -qry -fz wide.zip val2014 && zip -qry -P secret encrypted.zip val2014"},
      scratch.path());
  CHECK(made.err == "");
  REQUIRE(made.code == 0);
  for (const char* name : {"x.zip", "stored.zip", "streamed.zip", "wide.zip"}) {
    CAPTURE(name);
    const ForeignArchive archive(scratch / name);
    CHECK(bytes_of(archive, "val2014/a.jpg") == "first");
    CHECK(bytes_of(archive, "b.jpg") == k_long);
    CHECK(bytes_of(archive, "c.jpg") == "first");  // a symlink; to a pipe, zip writes what it points to
  }
  CHECK(ForeignArchive(scratch / "encrypted.zip").find("b.jpg")->why_not == "encrypted");
}
