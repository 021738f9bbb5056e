#include "packer/sources/foreign_archive.hpp"

#include <algorithm>
#include <mutex>

#include "common/parallel.hpp"
#include "tests/support/foreign.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

using packer::ForeignArchive;
using packer::ForeignReader;
using support::Kind;
using support::Member;
using support::Scratch;

namespace {

constexpr std::uint64_t k_limit_bytes = 1 << 20;

const std::vector<std::string> k_forms{"x.zip", "x.tar", "x.tar.gz", "x.tgz", "x.tar.zst"};

std::string bytes_of(const ForeignArchive& archive, const std::string& name,
                     std::uint64_t limit_bytes = k_limit_bytes) {
  const ForeignArchive::Entry* entry = archive.find(name);
  REQUIRE(entry != nullptr);
  REQUIRE(entry->why_not == "");
  ForeignReader reader(archive.path(), {{*entry, limit_bytes}});
  return std::string(common::text_of(reader.next().bytes));
}

std::string refusal(const std::filesystem::path& path) {
  try {
    const ForeignArchive archive(path);
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("a file is found in every form under the name that it has in the folder") {
  const Scratch scratch;
  for (const std::string& form : k_forms) {
    CAPTURE(form);
    REQUIRE(packer::is_foreign_archive_name(scratch / form));
    support::write_foreign(scratch / form, {{"audio", "", Kind::folder},
                                            {"audio/train/a.wav", "first"},
                                            {"README", "no media"},
                                            {"audio/train/b.flac", std::string(100'000, 'b')}});
    const ForeignArchive archive(scratch / form);
    CHECK(bytes_of(archive, "audio/train/a.wav") == "first");
    CHECK(bytes_of(archive, "audio/train/b.flac") == std::string(100'000, 'b'));
    CHECK(archive.find("audio/train/c.wav") == nullptr);
    CHECK(archive.find("audio") == nullptr);
  }
  CHECK_FALSE(packer::is_foreign_archive_name("x.rar"));
}

TEST_CASE("what lies behind ./ or in the one folder that holds all media is found without it") {
  const Scratch scratch;
  support::write_foreign(scratch / "dot.tar", {{"./audio/a.wav", "1"}, {"././images/b.jpg", "2"}});
  CHECK(bytes_of(ForeignArchive(scratch / "dot.tar"), "images/b.jpg") == "2");
  support::write_foreign(scratch / "top.zip", {{"data/audio/a.wav", "3"}, {"data/LICENCE", "4"}});
  CHECK(bytes_of(ForeignArchive(scratch / "top.zip"), "audio/a.wav") == "3");
  CHECK(bytes_of(ForeignArchive(scratch / "top.zip"), "data/audio/a.wav") == "3");
}

TEST_CASE("an absolute name and one that climbs out match nothing") {
  const Scratch scratch;
  for (const char* name : {"/audio/a.wav", "../audio/a.wav", "x/../audio/a.wav", "audio//a.wav"}) {
    CAPTURE(name);
    support::write_foreign(scratch / "x.tar", {{name, "evil"}});
    CHECK(ForeignArchive(scratch / "x.tar").find("audio/a.wav") == nullptr);
  }
}

TEST_CASE("FIFOs, devices and names that stand there twice cannot be had, and it is said why") {
  const Scratch scratch;
  support::write_foreign(scratch / "x.tar", {{"a.wav", "audio"},
                                             {"d.wav", "", Kind::fifo},
                                             {"e.wav", "", Kind::device},
                                             {"f.wav", "old"},
                                             {"./f.wav", "new"},
                                             {"g.wav", "", Kind::folder}});
  const ForeignArchive archive(scratch / "x.tar");
  CHECK(support::why_not(archive, "a.wav") == "");
  CHECK(support::why_not(archive, "d.wav") == "not a regular file");
  CHECK(support::why_not(archive, "e.wav") == "not a regular file");
  CHECK(support::why_not(archive, "f.wav") == "a duplicate name");
  CHECK(support::why_not(archive, "g.wav") == "not there");
}

TEST_CASE(
    "a link is the file of the archive that it leads to, as in git-annex trees and Hugging Face caches") {
  const Scratch scratch;
  const std::vector<Member> members = {
      {"set/audio/train/a.wav", "../../.git/annex/objects/X1/SHA256-s5--ab/SHA256-s5--ab",
       Kind::symbolic_link},
      {"set/audio/train/b.wav", "./a.wav", Kind::symbolic_link},
      {"set/audio/train/c.wav", "../../blobs/link", Kind::symbolic_link},
      {"set/.git/annex/objects/X1/SHA256-s5--ab/SHA256-s5--ab", "annex"},
      {"set/blobs/link", "0123", Kind::symbolic_link},
      {"set/blobs/0123", "cache"},
      {"set/audio/train/d.wav", "e.wav", Kind::symbolic_link},
      {"set/audio/train/e.wav", "plain"}};
  for (const char* form : {"x.tar", "x.tar.gz", "x.zip"}) {
    CAPTURE(form);
    support::write_foreign(scratch / form, members);
    const ForeignArchive archive(scratch / form);
    CHECK(bytes_of(archive, "audio/train/a.wav") == "annex");
    CHECK(bytes_of(archive, "audio/train/b.wav") == "annex");
    CHECK(bytes_of(archive, "audio/train/c.wav") == "cache");
    CHECK(bytes_of(archive, "audio/train/d.wav") == "plain");
  }
  support::write_foreign(scratch / "hard.tar",
                         {{"./x/a.wav", "first"}, {"./y/b.wav", "./x/a.wav", Kind::hard_link}});
  CHECK(bytes_of(ForeignArchive(scratch / "hard.tar"), "y/b.wav") == "first");
}

TEST_CASE("a link that leads to no file of the archive is refused by its target") {
  const Scratch scratch;
  for (const char* form : {"x.tar", "x.zip"}) {
    CAPTURE(form);
    support::write_foreign(scratch / form, {{"a.wav", "/etc/passwd", Kind::symbolic_link},
                                            {"b.wav", "../b.wav", Kind::symbolic_link},
                                            {"x/c.wav", "../y/./gone", Kind::symbolic_link},
                                            {"d.wav", "e.wav", Kind::symbolic_link},
                                            {"e.wav", "d.wav", Kind::symbolic_link},
                                            {"f.wav", "g", Kind::symbolic_link},
                                            {"g", "one"},
                                            {"./g", "two"},
                                            {"h.wav", "folder", Kind::symbolic_link},
                                            {"folder", "", Kind::folder},
                                            {"i.wav", "g", Kind::symbolic_link},
                                            {"./i.wav", "x/c.wav", Kind::symbolic_link}});
    const ForeignArchive archive(scratch / form);
    CHECK(support::why_not(archive, "a.wav") ==
          "a symlink to /etc/passwd, which lies outside of the archive");
    CHECK(support::why_not(archive, "b.wav") == "a symlink to ../b.wav, which lies outside of the archive");
    CHECK(support::why_not(archive, "x/c.wav") ==
          "a symlink to ../y/./gone, which leads to no file of the archive");
    CHECK(support::why_not(archive, "d.wav") == "a symlink to e.wav, which leads to no file of the archive");
    CHECK(support::why_not(archive, "f.wav") == "a symlink to g, which is a duplicate name");
    CHECK(support::why_not(archive, "h.wav") == "a symlink to folder, which leads to no file of the archive");
    CHECK(support::why_not(archive, "i.wav") == "a duplicate name");
  }
}

TEST_CASE("tars in a row are one archive, compressed or not") {
  const Scratch scratch;
  for (const std::string form : {"x.tar", "x.tar.gz", "x.tar.zst"}) {
    CAPTURE(form);
    support::write_foreign(scratch / ("1" + form), {{"a.wav", "first"}, {"c.wav", "old"}});
    support::write_foreign(scratch / ("2" + form), {{"b.wav", "second"}, {"c.wav", "new"}});
    support::put(scratch / form, support::get(scratch / ("1" + form)) + support::get(scratch / ("2" + form)));
    const ForeignArchive archive(scratch / form);
    CHECK(bytes_of(archive, "a.wav") == "first");
    CHECK(bytes_of(archive, "b.wav") == "second");
    CHECK(support::why_not(archive, "c.wav") == "a duplicate name");
    // What lies behind the last end is neither passed over nor believed.
    if (form != "x.tar") continue;
    support::put(scratch / form, support::get(scratch / form) + std::string(1024, 'x'));
    CHECK_FALSE(refusal(scratch / form).empty());
    support::put(scratch / form, support::get(scratch / "1x.tar") + std::string(100 << 10, '\0'));
    CHECK(bytes_of(ForeignArchive(scratch / form), "a.wav") == "first");
  }
}

TEST_CASE("an xz of several streams, and one that is padded, is one tar") {
  const Scratch scratch;
  support::write_foreign(scratch / "x.tar", {{"a.wav", std::string(5000, 'a')}, {"b.wav", "second"}});
  const std::string tar = support::get(scratch / "x.tar");
  const std::string first = support::compressed(tar.substr(0, 3000), ::archive_write_add_filter_xz),
                    second = support::compressed(tar.substr(3000), ::archive_write_add_filter_xz),
                    padding(8, '\0');
  for (const std::string& bytes : {first + second, first + second + padding, first + padding + second}) {
    support::put(scratch / "x.tar.xz", bytes);
    const ForeignArchive archive(scratch / "x.tar.xz");
    CHECK(bytes_of(archive, "a.wav") == std::string(5000, 'a'));
    CHECK(bytes_of(archive, "b.wav") == "second");
  }
  support::put(scratch / "x.tar.xz", first + second + "garbage!");
  CHECK_FALSE(refusal(scratch / "x.tar.xz").empty());
  support::put(scratch / "x.tar.xz", first);
  CHECK_FALSE(refusal(scratch / "x.tar.xz").empty());
}

TEST_CASE("an encrypted entry cannot be had") {
  const Scratch scratch;
  support::write_foreign(scratch / "x.zip", {{"a.jpg", "secret"}}, "zip:encryption=zipcrypt");
  CHECK(support::why_not(ForeignArchive(scratch / "x.zip"), "a.jpg") == "encrypted");
}

TEST_CASE("an entry is read up to its limit and not beyond, and those behind it are read all the same") {
  const Scratch scratch;
  for (const std::string& form : k_forms) {
    CAPTURE(form);
    support::write_foreign(scratch / form, {{"bomb.jpg", std::string(200'000, '\0')}, {"next.jpg", "next"}});
    const ForeignArchive archive(scratch / form);
    CHECK(bytes_of(archive, "bomb.jpg", 200'000).size() == 200'000);
    ForeignReader reader(archive.path(),
                         {{*archive.find("bomb.jpg"), 199'999}, {*archive.find("next.jpg"), k_limit_bytes}});
    const ForeignReader::Taken bomb = reader.next(), next = reader.next();
    CHECK((bomb.which == 0 && bomb.is_too_long && bomb.bytes.empty()));
    CHECK((next.which == 1 && !next.is_too_long && common::text_of(next.bytes) == "next"));
  }
}

TEST_CASE("many threads take every wanted entry once") {
  const Scratch scratch;
  std::vector<Member> members;
  for (int i = 0; i < 200; ++i)
    members.push_back({"images/" + std::to_string(i) + ".jpg", std::to_string(i)});
  for (const std::string& form : k_forms) {
    CAPTURE(form);
    support::write_foreign(scratch / form, members);
    const ForeignArchive archive(scratch / form);
    std::vector<packer::WantedEntry> wanted;
    for (int i = 1; i < 200; i += 3)
      wanted.push_back({*archive.find(members[static_cast<std::size_t>(i)].name), k_limit_bytes});
    ForeignReader reader(archive.path(), wanted);
    std::vector<std::string> taken(wanted.size());
    std::mutex mutex;
    common::parallel_for(wanted.size(), 4, [&](std::size_t) {
      const ForeignReader::Taken one = reader.next();
      const std::lock_guard lock(mutex);
      taken[one.which] += "<" + std::string(common::text_of(one.bytes)) + ">";
    });
    for (std::size_t k = 0; k < taken.size(); ++k) CHECK(taken[k] == "<" + std::to_string(1 + 3 * k) + ">");
  }
}

TEST_CASE("gzip members and zstd frames in a row are one tar, as gzip and zstd read them") {
  const Scratch scratch;
  for (const std::string form : {"x.tar.gz", "x.tar.zst"}) {
    CAPTURE(form);
    const std::string plain = form.substr(0, 5);
    support::write_foreign(scratch / plain, {{"a.wav", std::string(5000, 'a')}});
    const std::string tar = support::get(scratch / plain);
    std::string whole;
    for (const std::string& half : {tar.substr(0, 3000), tar.substr(3000)}) {
      whole += support::compressed(
          half, form == "x.tar.gz" ? ::archive_write_add_filter_gzip : ::archive_write_add_filter_zstd);
    }
    support::put(scratch / form, whole);
    CHECK(bytes_of(ForeignArchive(scratch / form), "a.wav") == std::string(5000, 'a'));
    support::put(scratch / form, whole + "garbage");
    CHECK_FALSE(refusal(scratch / form).empty());
  }
}

TEST_CASE("a file that is no archive, whatever it is called, is refused in one sentence that names it") {
  const Scratch scratch;
  for (const std::string& form : k_forms)
    for (const std::string& bytes : {std::string(), std::string("no archive"), std::string(3000, 'x')}) {
      CAPTURE(form);
      support::put(scratch / form, bytes);
      const std::string said = refusal(scratch / form);
      CHECK(said.find((scratch / form).string()) != std::string::npos);
      CHECK(said.find('\n') == std::string::npos);
    }
}
