#include "packer/check/join_parts.hpp"

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "packer/archive/archive.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using packer::Part;

packer::PackFile file_of(const std::string& path, std::uint64_t bytes) {
  return {common::PackPath(path), bytes, {}};
}

packer::PartReport report_of(const packer::Report& report) {
  return {"part.json", *report.part, report.id, report.files, report.bytes, report.findings, report.place};
}

// Every part by itself.
std::vector<packer::PartReport> verify_parts(const fs::path& pack, std::uint64_t count) {
  std::vector<packer::PartReport> parts;
  for (std::uint64_t number = 1; number <= count; ++number) {
    packer::ExamineRequest request = support::quiet_examination();
    request.part = Part{number, count};
    parts.push_back(report_of(packer::verify(pack, request)));
  }
  return parts;
}

packer::Report verify_in_parts(const fs::path& pack, std::uint64_t count) {
  return packer::join_parts(pack, {verify_parts(pack, count), {}}, support::quiet_examination());
}

void check_alike(const packer::Report& joined, const packer::Report& whole) {
  CHECK(joined.findings == whole.findings);
  CHECK(joined.id == whole.id);
  CHECK(joined.files == whole.files);
  CHECK(joined.bytes == whole.bytes);
  CHECK(joined.depth == whole.depth);
  CHECK_FALSE(joined.part.has_value());
}

struct PartsSetting {
  support::Scratch scratch;
  fs::path pack;

  PartsSetting() {
    packer::BuildRequest request = support::small_sources(scratch.path());
    request.verbosity = common::Verbosity::quiet;
    pack = packer::build_pack(request).location;
  }
};

}  // namespace

TEST_CASE("the shares of all parts have every file once, whatever its size") {
  const std::vector<std::vector<packer::PackFile>> packs = {
      {},
      {file_of("pack.json", 100)},
      {file_of("audio/train/a.wav", 0), file_of("audio/train/b.wav", 8'000'000'000),
       file_of("images/a.jpg", 1), file_of("pack.json", 5), file_of("val_manifest.json", 7)},
      std::vector<packer::PackFile>(1000, file_of("images/a.jpg", 100'000))};
  for (const auto& files : packs)
    for (const std::uint64_t count : {1U, 2U, 3U, 7U, 4096U}) {
      std::size_t next = 0, media = 0;
      std::uint64_t bytes = 0;
      for (std::uint64_t number = 1; number <= count; ++number) {
        const packer::Share share = packer::share_of(files, Part{number, count});
        if (share.begin < share.end) {
          CHECK(share.begin == next);
          next = share.end;
        }
        media += share.files;
        bytes += share.bytes;
      }
      CHECK(next == files.size());
      std::size_t all = 0;
      std::uint64_t all_bytes = 0;
      for (const packer::PackFile& file : files) {
        if (packer::is_control(file.path.text())) continue;
        ++all;
        all_bytes += file.bytes;
      }
      CHECK(media == all);
      CHECK(bytes == all_bytes);
    }
}

TEST_CASE("shares of equal files are equal to one file") {
  const std::vector<packer::PackFile> files(1000, file_of("images/a.jpg", 100'000));
  for (std::uint64_t number = 1; number <= 7; ++number) {
    const std::size_t count = packer::share_of(files, Part{number, 7}).files;
    CHECK(count >= 142);
    CHECK(count <= 143);
  }
}

TEST_CASE("a part is I/N from 1/N to N/N, or the process of srun") {
  CHECK(packer::parse_part("2/4") == Part{2, 4});
  CHECK(packer::parse_part("1/1") == Part{1, 1});
  for (const char* wrong :
       {"", "0/4", "5/4", "2", "2/", "/4", "2/4/8", "-1/4", "2/4097", "a/b", " 2/4", "1/0"})
    CHECK_THROWS_AS((void)packer::parse_part(wrong), common::Error);
  ::unsetenv("SLURM_PROCID");
  ::setenv("SLURM_NTASKS", "8", 1);
  CHECK_THROWS_WITH_AS((void)packer::parse_part("auto"), doctest::Contains("SLURM_PROCID is not set"),
                       common::Error);
  ::setenv("SLURM_PROCID", "7", 1);
  CHECK(packer::parse_part("auto") == Part{8, 8});
  ::setenv("SLURM_PROCID", "8", 1);
  CHECK_THROWS_AS((void)packer::parse_part("auto"), common::Error);
  ::unsetenv("SLURM_PROCID");
  ::unsetenv("SLURM_NTASKS");
}

TEST_CASE("parts that are joined say what one verify says, of whole packs and of damaged ones") {
  using Damage = std::function<void(const fs::path&)>;
  const std::string clip = "audio/train/video_1.wav", image = "images/" + support::image_name(1);
  const std::vector<Damage> damages = {
      [](const fs::path&) {},
      [&](const fs::path& pack) {
        support::put(pack / clip, std::string(support::get(pack / clip).size(), 'x'));
      },
      [&](const fs::path& pack) {
        support::put(pack / clip, support::get(pack / clip) + "x");
        support::put(pack / image, std::string("no picture"));
      },
      [&](const fs::path& pack) { fs::remove(pack / image); },
      [](const fs::path& pack) { support::put(pack / "stray", std::string("x")); },
      [](const fs::path& pack) { support::put(pack / "val_manifest.json", std::string("{}")); },
      [](const fs::path& pack) { support::put(pack / "pack.json", std::string("{}")); },
      [&](const fs::path& pack) {
        support::replace_file(pack, clip,
                              std::string(common::text_of(common::encode_wav16(support::tone(21, 0.3)))));
      },
      [](const fs::path& pack) { fs::remove(pack / "SHA256SUMS"); }};
  for (std::size_t i = 0; i < damages.size(); ++i) {
    CAPTURE(i);
    const PartsSetting setting;
    damages[i](setting.pack);
    const packer::Report whole = packer::verify(setting.pack, support::quiet_examination());
    CHECK(whole.findings.empty() == (i == 0));
    for (const std::uint64_t count : {1U, 2U, 3U, 20U})
      check_alike(verify_in_parts(setting.pack, count), whole);
  }
}

TEST_CASE("parts of a .tar find a changed byte in any of its files") {
  const PartsSetting setting;
  const fs::path tar = setting.scratch / "pack.tar";
  (void)packer::archive({setting.pack, tar, 1, common::Verbosity::quiet});
  const std::string bytes = support::get(tar);
  check_alike(verify_in_parts(tar, 3), packer::verify(tar, support::quiet_examination()));
  for (std::size_t at = 700; at < bytes.size(); at += 509) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    support::put(tar, changed);
    const packer::Report whole = packer::verify(tar, support::quiet_examination());
    REQUIRE_FALSE(whole.findings.empty());
    check_alike(verify_in_parts(tar, 2), whole);
  }
}

TEST_CASE("a part needs a folder or a .tar") {
  const PartsSetting setting;
  const fs::path archive = setting.scratch / "pack.tar.zst";
  (void)packer::archive({setting.pack, archive, 1, common::Verbosity::quiet});
  packer::ExamineRequest request = support::quiet_examination();
  request.part = Part{1, 2};
  CHECK_THROWS_WITH_AS((void)packer::verify(archive, request),
                       doctest::Contains("--part needs a folder or a .tar"), common::Error);
}

TEST_CASE("parts that do not make one whole are refused, and the message names what to do") {
  const PartsSetting setting;
  const auto join = [&](const std::vector<packer::PartReport>& parts) {
    return packer::join_parts(setting.pack, {parts, {}}, support::quiet_examination());
  };
  const auto refused = [&](const std::vector<packer::PartReport>& parts, common::ErrorKind kind,
                           const std::string& words) {
    CAPTURE(words);
    try {
      (void)join(parts);
      FAIL("joined");
    } catch (const common::Error& error) {
      CHECK(error.kind() == kind);
      CHECK(std::string(error.what()).find(words) != std::string::npos);
    }
  };
  std::vector<packer::PartReport> parts = verify_parts(setting.pack, 3);
  CHECK(join(parts).findings.empty());
  refused({}, common::ErrorKind::usage, "needs the reports");
  refused({parts[0], parts[2]}, common::ErrorKind::io, "part 2/3 is missing");
  refused({parts[1]}, common::ErrorKind::io, "parts 1/3, 3/3 are missing");
  refused({parts[0], parts[1], parts[1], parts[2]}, common::ErrorKind::usage, "both part 2/3");
  refused({parts[0], parts[1], verify_parts(setting.pack, 4)[2]}, common::ErrorKind::usage,
          "parts of one whole");
  std::vector<packer::PartReport> smaller = parts;
  smaller[1].files -= 1;
  refused(smaller, common::ErrorKind::mismatch, "verify that part again");
  std::vector<packer::PartReport> another = parts;
  another[2].id = common::digest_of(std::string_view("another"));
  refused(another, common::ErrorKind::mismatch, "--part 3/3");
}

TEST_CASE("a file that goes or grows after its part was verified is found when the parts are joined") {
  const PartsSetting setting;
  const std::vector<packer::PartReport> parts = verify_parts(setting.pack, 2);
  const fs::path image = setting.pack / "images" / support::image_name(2);
  support::put(image, support::get(image) + "x");
  const packer::Report joined = packer::join_parts(setting.pack, {parts, {}}, support::quiet_examination());
  REQUIRE(joined.findings.size() == 1);
  CHECK(joined.findings[0].rule == "F6");
}

namespace {

// As safe-packer verify --part prints it.
std::string text_of(const packer::PartReport& report) {
  return "{\"path\":\"p\",\"id\":\"" + report.id->hex() +
         "\",\"verified\":false,\"mode\":\"part\",\"part\":" + std::to_string(report.part.number) +
         ",\"parts\":" + std::to_string(report.part.count) + ",\"read_at\":{\"host\":\"" +
         report.read_at.host + "\",\"path\":\"" + report.read_at.path.string() + "\",\"file\":\"" +
         report.read_at.file + "\",\"written\":\"" + report.read_at.written +
         "\"},\"signature\":\"absent\",\"files\":" + std::to_string(report.files) +
         ",\"bytes\":" + std::to_string(report.bytes) + ",\"findings\":[]}\n";
}

std::string refusal_of(const fs::path& pack, const packer::PartReports& parts) {
  try {
    (void)packer::join_parts(pack, parts, support::quiet_examination());
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::io);
    return error.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a part that a killed task left empty or cut off, wherever, is missing, and the message makes it") {
  const PartsSetting setting;
  const std::vector<packer::PartReport> parts = verify_parts(setting.pack, 3);
  const fs::path folder = setting.scratch / "parts", second = folder / "p2.json";
  for (const packer::PartReport& part : parts)
    support::put(folder / ("p" + std::to_string(part.part.number) + ".json"), text_of(part));
  const packer::PartReports whole = packer::read_part_reports({folder});
  CHECK(whole.read.size() == 3);
  CHECK(whole.unread.empty());
  CHECK(whole.read[1].read_at == parts[1].read_at);
  CHECK(packer::is_verified(packer::join_parts(setting.pack, whole, support::quiet_examination())));
  const std::string text = text_of(parts[1]);
  for (std::size_t length = 0; length + 1 < text.size(); ++length) {  // without its line feed it is whole
    CAPTURE(length);
    support::put(second, text.substr(0, length));
    const std::string said = refusal_of(setting.pack, packer::read_part_reports({folder}));
    CAPTURE(said);
    CHECK(has(said, "part 2/3 is missing"));
    CHECK(has(said, second.string() + (length == 0 ? " is empty" : " is truncated")));
    CHECK(
        has(said, "safe-packer verify " + setting.pack.string() + " --part 2/3 --json > " + second.string()));
  }
  fs::remove(second);
  const std::vector<fs::path> files = {folder / "p1.json", second, folder / "p3.json"};
  const std::string said = refusal_of(setting.pack, packer::read_part_reports(files));
  CHECK(has(said, "part 2/3 is missing"));
  CHECK(has(said, second.string() + " cannot be read"));
  // What was made again under another name leaves the rest of the first try without consequence.
  support::put(second, text.substr(0, 9));
  support::put(folder / "again.json", text);
  const packer::PartReports again = packer::read_part_reports({folder});
  CHECK(again.unread.size() == 1);
  CHECK(packer::is_verified(packer::join_parts(setting.pack, again, support::quiet_examination())));
  for (const char* name : {"p1.json", "p3.json", "again.json"}) support::put(folder / name, std::string());
  CHECK(has(refusal_of(setting.pack, packer::read_part_reports({folder})), "all are missing"));
}

TEST_CASE("parts of one copy do not speak for another of the same id") {
  const PartsSetting setting;
  const fs::path copy = setting.scratch / "copy", link = setting.scratch / "elsewhere";
  fs::copy(setting.pack, copy, fs::copy_options::recursive);
  const fs::path image = copy / "images" / support::image_name(1);
  std::string bytes = support::get(image);
  bytes[bytes.size() / 2] ^= 1;
  support::put(image, bytes);
  std::vector<packer::PartReport> parts = verify_parts(setting.pack, 2);
  const auto join = [&](const fs::path& pack) {
    return packer::join_parts(pack, {parts, {}}, support::quiet_examination());
  };
  CHECK_THROWS_WITH_AS((void)join(copy), doctest::Contains("is not the copy at"), common::Error);
  // The same by another way, as a host that has mounted it elsewhere.
  fs::create_directory_symlink(setting.pack, link);
  CHECK(packer::is_verified(join(link)));
  for (packer::PartReport& part : parts) part.read_at.host = "another";
  CHECK(packer::is_verified(join(link)));
  // From another host nobody can tell a copy from a file system that numbers files anew.
  const packer::Report unknown = join(copy);
  CHECK(unknown.findings.empty());
  CHECK_FALSE(packer::is_verified(unknown));
  REQUIRE(unknown.parts_read.size() == 2);
  CHECK(unknown.parts_read[0].place.path == fs::canonical(setting.pack));
  CHECK(unknown.parts_read[0].same_copy == packer::SameCopy::unknown);
  // A report that does not say where it was read.
  for (packer::PartReport& part : parts) part.read_at = {};
  CHECK_FALSE(packer::is_verified(join(setting.pack)));
}

TEST_CASE("on one host the number of a file may change, and what was written since is another copy") {
  const packer::Place here{"n1", "/data/pack", "7", "100 5.0"};
  const auto same = [&](const packer::Place& there) { return packer::is_same_copy(there, here); };
  CHECK(same(here) == packer::SameCopy::yes);
  CHECK(same({"n1", "/data/pack", "8", "100 5.0"}) == packer::SameCopy::yes);
  CHECK(same({"n1", "/data/pack", "8", "100 6.0"}) == packer::SameCopy::no);
  CHECK(same({"n1", "/mnt/pack", "7", "100 5.0"}) == packer::SameCopy::yes);
  CHECK(same({"n1", "/mnt/pack", "8", "100 5.0"}) == packer::SameCopy::no);
  CHECK(same({"n2", "/mnt/pack", "7", "100 5.0"}) == packer::SameCopy::yes);
  CHECK(same({"n2", "/mnt/pack", "8", "100 5.0"}) == packer::SameCopy::unknown);
  CHECK(same({"n2", "/data/pack", "8", "100 5.0"}) == packer::SameCopy::unknown);
  CHECK(same({}) == packer::SameCopy::unknown);
}
