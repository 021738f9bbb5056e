#include "packer/sources/foreign_archive.hpp"

#include "common/sealed/draft_file.hpp"
#include "packer/tar/compress.hpp"
#include "packer/tar/compression.hpp"
#include "tests/support/foreign.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

using packer::ForeignArchive;
using support::Scratch;

namespace {

const std::map<std::string, std::string> k_files{
    {"audio/a.wav", "one"}, {"images/b.jpg", std::string(700, 'b')}, {"images/c.png", "a third file"}};

enum class Outcome { whole, refused, lacking, different };

// What becomes of the three files when they are taken out of `path`.
Outcome take(const std::filesystem::path& path) {
  try {
    const ForeignArchive archive(path);
    std::map<std::size_t, ForeignArchive::Entry> wanted;
    for (const auto& [name, bytes] : k_files)
      if (const auto* entry = archive.find(name); entry != nullptr && entry->why_not.empty())
        wanted[entry->number] = *entry;
    std::vector<packer::WantedEntry> entries;
    for (const auto& [number, entry] : wanted) entries.push_back({entry, 1 << 20});
    packer::ForeignReader reader(path, entries);
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const auto taken = reader.next();
      if (taken.is_too_long) return Outcome::refused;
      if (k_files.at(entries[taken.which].entry.name) != common::text_of(taken.bytes))
        return Outcome::different;
    }
    return entries.size() == k_files.size() ? Outcome::whole : Outcome::lacking;
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    return Outcome::refused;
  }
}

std::string intact(const std::filesystem::path& path) {
  std::vector<support::Member> members;
  for (const auto& [name, bytes] : k_files) members.push_back({name, bytes});
  support::write_foreign(path, members);
  if (path.filename() == "x.tar.zst") {
    // With the checksum that the zstd program writes, and libarchive does not.
    support::write_foreign(path.parent_path() / "plain.tar", members);
    const std::string tar = support::get(path.parent_path() / "plain.tar");
    std::filesystem::remove(path);
    common::DraftFile file(path);
    const auto zstd = packer::compress(packer::Compression::zstd, file, 1);
    zstd->write(common::view_of(tar));
    zstd->finish();
    file.publish();
  }
  REQUIRE(take(path) == Outcome::whole);
  return support::get(path);
}

}  // namespace

TEST_CASE("an archive cut short anywhere is refused") {
  const Scratch scratch;
  for (const char* form : {"x.zip", "x.tar", "x.tar.gz", "x.tar.zst"}) {
    CAPTURE(form);
    const std::string bytes = intact(scratch / form);
    // The zeros that fill a tar's last record may be cut; the first 512 of them say that it has ended.
    const bool is_tar = std::string(form) == "x.tar";
    std::size_t ends = bytes.size();
    if (is_tar) ends = bytes.find_last_not_of('\0') / 512 * 512 + 1024;
    for (std::size_t keep = 0; keep<ends; keep += bytes.size()> 4000 ? 61 : 1) {
      CAPTURE(keep);
      support::put(scratch / form, bytes.substr(0, keep));
      CHECK(take(scratch / form) == Outcome::refused);
    }
  }
}

TEST_CASE("no changed byte of a zip or a compressed tar becomes another file's content") {
  const Scratch scratch;
  for (const std::string form : {"x.zip", "x.tar.gz", "x.tar.zst"}) {
    const std::string bytes = intact(scratch / form);
    std::map<Outcome, int> outcomes;
    for (std::size_t at = 0; at < bytes.size(); ++at)
      for (const int flip : {0x01, 0x80, 0xff}) {
        std::string changed = bytes;
        changed[at] = static_cast<char>(changed[at] ^ flip);
        support::put(scratch / form, changed);
        ++outcomes[take(scratch / form)];
      }
    MESSAGE(form << ": " << 3 * bytes.size() << " cases, " << outcomes[Outcome::refused] << " refused, "
                 << outcomes[Outcome::lacking] << " lacking, " << outcomes[Outcome::whole] << " whole");
    CHECK(outcomes[Outcome::different] == 0);
    CHECK(outcomes[Outcome::refused] > 0);
  }
}

TEST_CASE("no changed byte of a plain tar is a crash, and a changed header is never read") {
  // The content of a tar has no checksum: what was packed from it is known by the digest in the pack.
  const Scratch scratch;
  const std::string bytes = intact(scratch / "x.tar");
  for (std::size_t at = 0; at < bytes.find_last_not_of('\0'); at += 3) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x01);
    support::put(scratch / "x.tar", changed);
    const Outcome outcome = take(scratch / "x.tar");
    CAPTURE(at);
    if (at < 512) CHECK(outcome == Outcome::refused);
  }
}
