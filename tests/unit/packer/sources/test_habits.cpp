// What programs and operating systems put into archives and around them, beside what people wanted to pack.
#include <zlib.h>
#include <zstd.h>

#include "packer/sources/foreign_archive.hpp"
#include "tests/support/foreign.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/tar_parts.hpp"
#include "tests/support/zip_parts.hpp"

#include <doctest/doctest.h>

using packer::ForeignArchive;
using support::Member;
using support::Scratch;

namespace {

const std::string k_name = "audio/train/a.wav";

std::string bytes_at(const std::filesystem::path& path, const std::string& name = k_name) {
  const ForeignArchive archive(path);
  const ForeignArchive::Entry* entry = archive.find(name);
  if (entry == nullptr) return "not there";
  if (!entry->why_not.empty()) return entry->why_not;
  packer::ForeignReader reader(path, {{*entry, 1 << 20}});
  return std::string(common::text_of(reader.next().bytes));
}

std::string refusal_of_archive(const std::filesystem::path& path) {
  try {
    const ForeignArchive archive(path);
  } catch (const common::Error& error) {
    return error.what();
  }
  return "";
}

std::string gzip_of(const std::string& text) {
  z_stream stream{};
  ENSURE(::deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(::deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ENSURE(::deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::string zstd_of(const std::string& text) {
  std::string out(::ZSTD_compressBound(text.size()), '\0');
  out.resize(::ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string skippable(int kind, const std::string& content) {
  return support::little_endian(0x184d2a50U + static_cast<unsigned>(kind), 4) +
         support::little_endian(content.size(), 4) + content;
}

std::string tar_of_one(const Scratch& scratch) {
  support::write_foreign(scratch / "plain.tar", {{k_name, std::string(5000, 'a')}});
  return support::get(scratch / "plain.tar");
}

}  // namespace

TEST_CASE("what lies beside the one folder, and what macOS and Windows add, does not hide what is in it") {
  const Scratch scratch;
  const std::vector<std::vector<Member>> beside = {
      {{"__MACOSX/TOP/audio/train/._a.wav", "mac"}, {"__MACOSX/._TOP", "mac"}},
      {{"._TOP", "mac"}, {"TOP/audio/train/._a.wav", "mac"}, {"TOP/audio/._train", "mac"}},
      {{"README.md", "read"}, {"LICENSE", "law"}},
      {{".DS_Store", "mac"},
       {"TOP/.DS_Store", "mac"},
       {"TOP/audio/Thumbs.db", "windows"},
       {"desktop.ini", "w"}},
      {{"docs/index.html", "page"}, {"metadata/train.csv", "table"}},
  };
  const std::vector<std::string> tops = {"audiocaps", "my data (1)", "données", "データ",
                                         "Ω'\"$",     "outer/inner", "a/b/c/d", std::string(150, 'x')};
  for (const char* form : {"x.zip", "x.tar"})
    for (const std::string& top : tops)
      for (std::vector<Member> members : beside) {
        CAPTURE(form);
        CAPTURE(top);
        for (Member& member : members)
          if (const std::size_t at = member.name.find("TOP"); at != std::string::npos)
            member.name.replace(at, 3, top);
        CAPTURE(members.front().name);
        members.push_back({top + "/" + k_name, "right"});
        support::write_foreign(scratch / form, members);
        CHECK(bytes_at(scratch / form) == "right");
        CHECK(ForeignArchive(scratch / form).find("audio/train/._a.wav") == nullptr);
      }
}

TEST_CASE("names in pax headers are found in any script, whatever the locale") {
  const Scratch scratch;
  for (const std::string top : {"données", "データ"}) {
    const std::string folder = top + "/" + std::string(120, 'y');
    archive* writer = ::archive_write_new();
    ::archive_write_set_format_pax(writer);
    // The names here are bytes of UTF-8, and are stored as such.
    ENSURE(::archive_write_set_options(writer, "hdrcharset=BINARY") == ARCHIVE_OK);
    ENSURE(::archive_write_open_filename(writer, (scratch / "binary.tar").c_str()) == ARCHIVE_OK);
    archive_entry* entry = support::entry_of({folder + "/" + k_name, "right"});
    ENSURE(::archive_write_header(writer, entry) <= ARCHIVE_OK);
    ENSURE(::archive_write_data(writer, "right", 5) == 5);
    ::archive_entry_free(entry);
    ::archive_write_close(writer);
    ::archive_write_free(writer);
    CHECK(bytes_at(scratch / "binary.tar") == "right");
    // As GNU tar and Python write them: path=, in UTF-8.
    const std::string name = folder + "/" + k_name;
    std::string record = " path=" + name + "\n";
    std::size_t size = record.size() + 3;
    record = std::to_string(size) + record;
    std::string tar = support::tar_member("PaxHeaders/a", record, [](std::string& h) { h[156] = 'x'; });
    tar += support::tar_member("a.wav", "right");
    support::put(scratch / "pax.tar", support::tar_of({tar}));
    CHECK(bytes_at(scratch / "pax.tar") == "right");
  }
}

TEST_CASE("one name below two folders is refused by both names; names of different ones are found in each") {
  const Scratch scratch;
  support::write_foreign(scratch / "x.zip", {{"part 1/audio/train/a.wav", "1"},
                                             {"part 2/audio/train/b.wav", "2"},
                                             {"old/audio/train/c.wav", "3"},
                                             {"new/audio/train/c.wav", "4"},
                                             {"thumbs/d.jpg", "5"}});
  CHECK(bytes_at(scratch / "x.zip") == "1");
  CHECK(bytes_at(scratch / "x.zip", "audio/train/b.wav") == "2");
  const ForeignArchive archive(scratch / "x.zip");
  const auto both = archive.search("audio/train/c.wav");
  CHECK(both.entry == nullptr);
  CHECK(both.rivals == std::vector<std::string>{"new/audio/train/c.wav", "old/audio/train/c.wav"});
  // Thumbnails have the names of their pictures.
  CHECK(archive.find("d.jpg") == nullptr);
}

TEST_CASE("a .tar.zst is read as zstd reads it: frames in a row, with skippable ones anywhere") {
  const Scratch scratch;
  const std::string tar = tar_of_one(scratch), a = tar.substr(0, 3000), b = tar.substr(3000);
  for (const std::string& bytes :
       {skippable(0, "1234") + zstd_of(a) + skippable(0, "5678") + zstd_of(b),  // pzstd
        zstd_of(a) + zstd_of(b) + skippable(14, std::string(200, 't')),         // seekable
        skippable(15, "") + skippable(3, std::string(300'000, 's')) + zstd_of(tar),
        zstd_of(tar) + support::zeros(10'000)}) {
    support::put(scratch / "x.tar.zst", bytes);
    CHECK(bytes_at(scratch / "x.tar.zst") == std::string(5000, 'a'));
    support::put(scratch / "x.tzst", bytes);
    CHECK(bytes_at(scratch / "x.tzst") == std::string(5000, 'a'));
    support::put(scratch / "x.tar.zst", bytes + "garbage");
    CHECK_FALSE(refusal_of_archive(scratch / "x.tar.zst").empty());
  }
}

TEST_CASE("a .tar.gz is read as gzip reads it: members in a row, zeros behind the last") {
  const Scratch scratch;
  const std::string tar = tar_of_one(scratch), a = tar.substr(0, 3000), b = tar.substr(3000);
  for (const std::string& bytes :
       {gzip_of(tar) + support::zeros(1), gzip_of(tar) + support::zeros(300'000),
        gzip_of(a) + gzip_of(b) + support::zeros(512), gzip_of(a) + support::zeros(512) + gzip_of(b)}) {
    support::put(scratch / "x.tar.gz", bytes);
    CHECK(bytes_at(scratch / "x.tar.gz") == std::string(5000, 'a'));
    support::put(scratch / "x.tar.gz", bytes + "garbage");
    CHECK_FALSE(refusal_of_archive(scratch / "x.tar.gz").empty());
  }
}

TEST_CASE(
    "xz and bzip2 are read, checked and refused where they are cut or changed; so is what lies about its "
    "form") {
  const Scratch scratch;
  const std::string tar = tar_of_one(scratch);
  const auto compressed = [&](int (*filter)(archive*)) {
    archive* writer = ::archive_write_new();
    ::archive_write_set_format_raw(writer);
    ENSURE(filter(writer) == ARCHIVE_OK);
    std::string out(100'000, '\0');
    std::size_t used = 0;
    ::archive_write_open_memory(writer, out.data(), out.size(), &used);
    archive_entry* entry = support::entry_of({"x", tar});
    ::archive_write_header(writer, entry);
    ::archive_write_data(writer, tar.data(), tar.size());
    ::archive_entry_free(entry);
    ::archive_write_close(writer);
    ::archive_write_free(writer);
    return out.substr(0, used);
  };
  const std::string xz = compressed(::archive_write_add_filter_xz),
                    bz = compressed(::archive_write_add_filter_bzip2);
  for (const auto& form : std::vector<std::pair<const char*, std::string>>{{"x.tar.xz", xz},
                                                                           {"x.txz", xz},
                                                                           {"x.tar.bz2", bz},
                                                                           {"x.tbz2", bz},
                                                                           {"x.tar.gz", tar},
                                                                           {"x.tar", xz}}) {
    CAPTURE(form.first);
    REQUIRE(packer::is_foreign_archive_name(form.first));
    support::put(scratch / form.first, form.second);
    CHECK(bytes_at(scratch / form.first) == std::string(5000, 'a'));
  }
  for (const std::string& bytes : {xz, bz}) {
    for (std::size_t size = 1; size < bytes.size(); size += 7) {
      support::put(scratch / "x.tar.xz", bytes.substr(0, size));
      CHECK_MESSAGE(!refusal_of_archive(scratch / "x.tar.xz").empty(), size);
    }
    // Behind the first bytes, which name the form.
    for (std::size_t at = 6; at < bytes.size(); at += 11) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ 0x10);
      support::put(scratch / "x.tar.xz", changed);
      const std::string said = refusal_of_archive(scratch / "x.tar.xz");
      if (said.empty()) CHECK_MESSAGE(bytes_at(scratch / "x.tar.xz") == std::string(5000, 'a'), at);
    }
  }
}
