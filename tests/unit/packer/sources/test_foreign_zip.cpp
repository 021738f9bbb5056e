// What is special about a zip: its directory says everything, and not always the truth.
#include "packer/sources/foreign_archive.hpp"
#include "tests/support/foreign.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"
#include "tests/support/zip_parts.hpp"

#include <doctest/doctest.h>

using packer::ForeignArchive;
using support::Scratch;
using support::ZipPart;
using support::ZipWidth;

namespace {

packer::ForeignReader::Taken taken_from(const ForeignArchive& archive, const std::string& name) {
  const ForeignArchive::Entry* entry = archive.find(name);
  REQUIRE(entry != nullptr);
  REQUIRE(entry->why_not == "");
  packer::ForeignReader reader(archive.path(), {{*entry, 1 << 20}});
  return reader.next();
}
std::string bytes_in_zip(const ForeignArchive& archive, const std::string& name) {
  return std::string(common::text_of(taken_from(archive, name).bytes));
}

// Why the zip, or its file a.jpg, is refused.
std::string refusal_of_zip(const std::filesystem::path& path) {
  try {
    if (taken_from(ForeignArchive(path), "a.jpg").is_too_long) return "too long";
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    CHECK(std::string(error.what()).find(path.string()) == 0);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE(
    "a zip's Unix modes tell files from links, devices and folders; where there is none, it is a file") {
  const Scratch scratch;
  support::put(scratch / "x.zip", support::zip_of({{"a.jpg", "file"},
                                                   {"b.jpg", "/etc/passwd", 0120777},
                                                   {"c.jpg", "", 0010644},
                                                   {"d.jpg", "", 0020644},
                                                   {"e.jpg", "no type", 0644},
                                                   {"f.jpg", "no mode", 0},
                                                   {"g.jpg", "", 0040755},
                                                   {"h.jpg/", "", 0}}));
  const ForeignArchive archive(scratch / "x.zip");
  CHECK(bytes_in_zip(archive, "a.jpg") == "file");
  CHECK(support::why_not(archive, "b.jpg") == "a symlink to /etc/passwd, which lies outside of the archive");
  CHECK(support::why_not(archive, "c.jpg") == "not a regular file");
  CHECK(support::why_not(archive, "d.jpg") == "not a regular file");
  CHECK(bytes_in_zip(archive, "e.jpg") == "no type");
  CHECK(bytes_in_zip(archive, "f.jpg") == "no mode");
  CHECK(support::why_not(archive, "g.jpg") == "not there");
  CHECK(support::why_not(archive, "h.jpg") == "not there");
}

TEST_CASE("a name that stands twice in a zip, and an unknown method of compression, cannot be had") {
  const Scratch scratch;
  support::put(scratch / "x.zip",
               support::zip_of(
                   {{"a.jpg", "one"}, {"b.jpg", "other"}, {"./a.jpg", "two"}, {"c.jpg", "?", 0100644, 98}}));
  const ForeignArchive archive(scratch / "x.zip");
  CHECK(support::why_not(archive, "a.jpg") == "a duplicate name");
  CHECK(support::why_not(archive, "b.jpg") == "");
  CHECK(support::why_not(archive, "c.jpg") == "compressed by method 98, which is not supported");
}

TEST_CASE("backslashes that a Windows program wrote are slashes") {
  const Scratch scratch;
  support::put(scratch / "x.zip", support::zip_of({{"images\\val2014\\a.jpg", "1", 0}}));
  CHECK(bytes_in_zip(ForeignArchive(scratch / "x.zip"), "images/val2014/a.jpg") == "1");
}

TEST_CASE("a zip whose sizes and offsets are all of 64 bits is read as any other") {
  const Scratch scratch;
  const std::vector<ZipPart> parts{{"images/a.jpg", std::string(70'000, 'a')}, {"images/b.jpg", "second"}};
  support::put(scratch / "x.zip", support::zip_of(parts, ZipWidth::wide));
  const ForeignArchive archive(scratch / "x.zip");
  CHECK(bytes_in_zip(archive, "images/a.jpg") == parts[0].bytes);
  CHECK(bytes_in_zip(archive, "images/b.jpg") == parts[1].bytes);
}

TEST_CASE("a zip may end with a comment, and hold more entries than 16 bits can count") {
  const Scratch scratch;
  std::string zip = support::zip_of({{"a.jpg", "1"}});
  zip.replace(zip.size() - 2, 2, support::little_endian(7, 2));
  support::put(scratch / "x.zip", zip + "comment");
  CHECK(bytes_in_zip(ForeignArchive(scratch / "x.zip"), "a.jpg") == "1");
  support::put(scratch / "x.zip", zip + "comm");
  CHECK_FALSE(refusal_of_zip(scratch / "x.zip").empty());

  std::vector<ZipPart> many;
  for (int i = 0; i < 70'000; ++i) many.push_back({std::to_string(i) + ".jpg", ""});
  many.back().bytes = "last";
  for (const auto& [width, count] :
       {std::pair(ZipWidth::wide, many.size()), {ZipWidth::narrow, 70'000 % 0x10000}}) {
    support::put(scratch / "x.zip", support::zip_of(many, width, count));
    CHECK(bytes_in_zip(ForeignArchive(scratch / "x.zip"), "69999.jpg") == "last");
  }
}

TEST_CASE("a zip whose directory does not tell the truth is refused") {
  const Scratch scratch;
  const ZipPart honest{"a.jpg", std::string(300, 'a')};
  struct Lie {
    const char* about;
    void (*tell)(ZipPart&);
  };
  for (const Lie& lie : {Lie{"a smaller size", [](ZipPart& part) { part.size = 299; }},
                         Lie{"a larger size", [](ZipPart& part) { part.size = 301; }},
                         Lie{"a size beyond every limit", [](ZipPart& part) { part.size = 0xfffffff0; }},
                         Lie{"fewer packed bytes", [](ZipPart& part) { part.packed = 299; }},
                         Lie{"no packed bytes", [](ZipPart& part) { part.packed = 0; }},
                         Lie{"no bytes", [](ZipPart& part) { part.packed = part.size = 0; }},
                         Lie{"packed bytes behind the end", [](ZipPart& part) { part.packed = 9'999; }},
                         Lie{"another CRC", [](ZipPart& part) { part.crc = 7; }},
                         Lie{"another place", [](ZipPart& part) { part.offset = 1; }},
                         Lie{"a place behind the end", [](ZipPart& part) { part.offset = 99'999; }}})
    for (const ZipWidth width : {ZipWidth::narrow, ZipWidth::wide}) {
      CAPTURE(lie.about);
      ZipPart part = honest;
      lie.tell(part);
      support::put(scratch / "x.zip", support::zip_of({part, {"b.jpg", "other"}}, width));
      CHECK_FALSE(refusal_of_zip(scratch / "x.zip").empty());
    }
  // The number of entries, beyond what the bytes can hold too.
  for (const std::uint64_t count :
       {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{3}, std::uint64_t{1} << 40}) {
    CAPTURE(count);
    support::put(scratch / "x.zip", support::zip_of({honest, {"b.jpg", "other"}}, ZipWidth::wide, count));
    CHECK_FALSE(refusal_of_zip(scratch / "x.zip").empty());
  }
}
