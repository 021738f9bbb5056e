#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>

#include "common/error.hpp"
#include "packer/archive/archive.hpp"
#include "packer/check/examine_folder.hpp"
#include "packer/check/sign.hpp"
#include "packer/repair/repair.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::get;
using support::put;

// A good pack, its archives and its sources; cases damage a copy of it.
struct Site {
  support::Scratch scratch;
  fs::path good, bad;
  common::Digest id;
  support::Tree tree;
  Site() {
    const auto built = packer::build_pack(support::small_sources(scratch.path()));
    good = built.location;
    id = built.id;
    bad = scratch / "bad";
    tree = support::tree_of(good);
    renew();
  }
  void renew() const {
    fs::remove_all(bad);
    fs::copy(good, bad, fs::copy_options::recursive);
  }
  [[nodiscard]] fs::path archive(const std::string& name) const {
    (void)packer::archive({good, scratch / name, 1, common::Verbosity::quiet});
    return scratch / name;
  }
  [[nodiscard]] packer::RepairRequest request(std::vector<fs::path> from) const {
    packer::RepairRequest request;
    request.pack = bad;
    request.from = std::move(from);
    request.threads = 2;
    request.verbosity = common::Verbosity::quiet;
    return request;
  }
  [[nodiscard]] common::Findings findings() const {
    packer::ExamineRequest request;
    request.verbosity = common::Verbosity::quiet;
    return packer::examine_folder(bad, request).findings;
  }
  [[nodiscard]] bool left_nothing() const {
    return !fs::exists(scratch / ".bad.repair") && !fs::exists(scratch / "bad.aside");
  }
};

struct Damage {
  const char* name;
  std::function<void(const fs::path& file)> apply;
};

const std::vector<Damage>& damages() {
  static const std::vector<Damage> k_damages{
      {"missing", [](const fs::path& file) { fs::remove(file); }},
      {"flipped",
       [](const fs::path& file) {
         std::string bytes = get(file);
         bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
         put(file, bytes);
       }},
      {"cut short", [](const fs::path& file) { fs::resize_file(file, fs::file_size(file) / 2); }},
      {"emptied", [](const fs::path& file) { fs::resize_file(file, 0); }},
      {"lengthened", [](const fs::path& file) { put(file, get(file) + "x"); }},
      {"an empty folder",
       [](const fs::path& file) {
         fs::remove(file);
         fs::create_directory(file);
       }},
      {"a folder with something in it",
       [](const fs::path& file) {
         fs::remove(file);
         put(file / "deep" / "notes.txt", std::string("years of work"));
       }},
      {"a link",
       [](const fs::path& file) {
         fs::rename(file, file.string() + "_elsewhere");
         fs::create_symlink(file.string() + "_elsewhere", file);
         fs::remove(file.string() + "_elsewhere");
       }},
      {"a FIFO",
       [](const fs::path& file) {
         fs::remove(file);
         REQUIRE(::mkfifo(file.c_str(), 0644) == 0);
       }},
  };
  return k_damages;
}

int code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const common::Error& error) {
    return common::exit_code(error.kind());
  }
  return 0;
}

void flip(const fs::path& file, std::size_t at) {
  std::string bytes = get(file);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  put(file, bytes);
}

const std::string k_clip = "audio/train/video_1.wav";

}  // namespace

namespace {

// Damages the file, repairs it from `from`, and checks that this alone happened.
void check_one_repair(const Site& site, const fs::path& from, const std::string& path, const Damage& damage) {
  INFO(path, " ", damage.name, " from ", from.string());
  site.renew();
  fs::remove_all(site.scratch / "bad.aside");
  damage.apply(site.bad / path);
  packer::RepairRequest request = site.request({from});
  request.expected_id = site.id;
  const packer::RepairOutcome outcome = packer::repair(request);
  CHECK(outcome.report.findings.empty());
  CHECK(outcome.report.id == site.id);
  CHECK(outcome.lost.empty());
  REQUIRE(outcome.repaired.size() == 1);
  CHECK(outcome.repaired[0].path == path);
  CHECK(support::tree_of(site.bad) == site.tree);
  CHECK_FALSE(fs::exists(site.scratch / ".bad.repair"));
}

// What a signer's two halves are, and the pack signed.
packer::KeyFiles sign_good(const Site& site) {
  packer::KeyFiles key = packer::keygen(site.scratch / "KEY.pem");
  (void)packer::sign_pack({site.good, key.secret, 1, common::Verbosity::quiet});
  site.renew();
  return key;
}

}  // namespace

TEST_CASE("whatever happens to any one file, another copy of the pack makes it whole again") {
  const Site site;
  std::size_t cases = 0;
  for (const auto& file : site.tree)
    for (const Damage& damage : damages()) {
      check_one_repair(site, site.good, file.first, damage);
      ++cases;
    }
  std::printf("repair: %zu cases\n", cases);
  CHECK(cases > 100);
}

TEST_CASE("an archive of any form gives every file back") {
  const Site site;
  for (const fs::path& from : {site.archive("x.tar"), site.archive("x.tar.zst"), site.archive("x.tgz")})
    for (const auto& file : site.tree)
      for (const std::size_t which : {0U, 1U}) check_one_repair(site, from, file.first, damages()[which]);
}

TEST_CASE(
    "sources give every clip and image back, wherever in them the bytes lie and whatever they are called") {
  const Site site;
  for (const auto& [path, bytes] : site.tree) {
    if (packer::is_control(path)) continue;
    site.renew();
    flip(site.bad / path, 50);
    const auto outcome = packer::repair(site.request({site.scratch / "audiocaps", site.scratch / "vqa"}));
    CHECK(outcome.report.findings.empty());
    CHECK(support::tree_of(site.bad) == site.tree);
  }
  site.renew();
  const fs::path odd = site.scratch / "odd";
  int number = 0;
  for (const auto& [path, bytes] : site.tree)
    if (!packer::is_control(path)) put(odd / ("x" + std::to_string(number++)), bytes);
  fs::create_directory_symlink(odd, odd / "loop");
  fs::remove_all(site.bad / "audio");
  fs::remove_all(site.bad / "images");
  CHECK(packer::repair(site.request({odd})).report.findings.empty());
  CHECK(support::tree_of(site.bad) == site.tree);
}

TEST_CASE("a file of the right name and size but other bytes is never taken, and what is lost is named") {
  const Site site;
  fs::remove(site.bad / k_clip);
  std::string other = site.tree.at(k_clip);
  other[60] = static_cast<char>(other[60] ^ 1);
  put(site.scratch / "wrong" / k_clip, other);
  const support::Tree before = support::tree_of(site.bad);
  const auto outcome = packer::repair(site.request({site.scratch / "wrong"}));
  REQUIRE(outcome.lost.size() == 1);
  CHECK(outcome.lost[0].path == k_clip);
  CHECK(outcome.repaired.empty());
  CHECK(outcome.report.findings.size() == 1);
  CHECK(support::tree_of(site.bad) == before);
  CHECK(site.left_nothing());
}

TEST_CASE("two damaged copies make one good one") {
  const Site site;
  const fs::path tar = site.archive("x.tar");
  std::string bytes = get(tar);
  const std::string image = site.tree.at("images/" + support::image_name(2));
  bytes[bytes.find(image) + 30] ^= 4;  // one file of the archive
  put(tar, bytes);
  flip(site.bad / k_clip, 70);
  flip(site.bad / "images" / support::image_name(1), 70);
  CHECK(packer::repair(site.request({tar})).report.findings.empty());
  CHECK(support::tree_of(site.bad) == site.tree);
}

TEST_CASE("a file that was renamed inside the pack is found there, and its old name is listed or moved") {
  const Site site;
  fs::rename(site.bad / k_clip, site.bad / "audio" / "train" / "renamed.wav");
  packer::RepairOutcome outcome = packer::repair(site.request({}));
  CHECK(outcome.lost.empty());
  REQUIRE(outcome.report.findings.size() == 1);
  CHECK(outcome.report.findings[0].rule == "F3");
  packer::RepairRequest again = site.request({});
  again.extras = packer::Extras::move_aside;
  outcome = packer::repair(again);
  CHECK(outcome.report.findings.empty());
  CHECK(get(outcome.aside / "audio" / "train" / "renamed.wav") == site.tree.at(k_clip));
}

TEST_CASE("extras are left alone; moved when asked, and never over what was moved before") {
  const Site site;
  for (int round = 0; round < 2; ++round) {
    put(site.bad / "notes" / "thesis.tex", std::string("years of work"));
    fs::create_directories(site.bad / "empty" / "folder");
    fs::create_symlink("/etc/passwd", site.bad / "images" / "link");
    CHECK(packer::repair(site.request({site.good})).report.findings.size() == 3);
    CHECK(get(site.bad / "notes" / "thesis.tex") == "years of work");
    packer::RepairRequest request = site.request({site.good});
    request.extras = packer::Extras::move_aside;
    const auto outcome = packer::repair(request);
    CHECK(outcome.report.findings.empty());
    CHECK(outcome.aside == site.scratch / (round == 0 ? "bad.aside" : "bad.aside-2"));
    CHECK(get(outcome.aside / "notes" / "thesis.tex") == "years of work");
    CHECK(fs::is_symlink(outcome.aside / "images" / "link"));
    CHECK(support::tree_of(site.bad) == site.tree);
  }
}

TEST_CASE("nothing is written through a link: it is moved aside and what it points to stays as it was") {
  const Site site;
  fs::rename(site.bad / "audio", site.scratch / "elsewhere");
  fs::create_directory_symlink(site.scratch / "elsewhere", site.bad / "audio");
  const support::Tree elsewhere = support::tree_of(site.scratch / "elsewhere");
  const auto outcome = packer::repair(site.request({site.good}));
  CHECK(outcome.report.findings.empty());
  CHECK(outcome.moved == std::vector<std::string>{"audio"});
  CHECK(fs::is_symlink(site.scratch / "bad.aside" / "audio"));
  CHECK(support::tree_of(site.scratch / "elsewhere") == elsewhere);
}

TEST_CASE("a clip that was cut or decoded is made again from its own source, and from no other") {
  const support::Scratch scratch;
  const packer::BuildRequest build = support::small_sources(scratch.path());
  const fs::path video = scratch.path() / "audiocaps/audio/train/video_1.wav";
  put(video, common::encode_wav16(support::tone(45 * 8000, 0.01)));
  const auto built = packer::build_pack(build);
  const support::Tree tree = support::tree_of(built.location);
  packer::RepairRequest request{
      built.location, {scratch.path() / "audiocaps"}, {}, packer::Extras::leave, 1, common::Verbosity::quiet};
  fs::remove(built.location / k_clip);
  const auto outcome = packer::repair(request);
  CHECK(outcome.report.findings.empty());
  CHECK(support::tree_of(built.location) == tree);

  put(video, common::encode_wav16(support::tone(45 * 8000, 0.02)));
  fs::remove(built.location / k_clip);
  const auto refused = packer::repair(request);
  REQUIRE(refused.lost.size() == 1);
  CHECK(refused.lost[0].why.find("the sound that it was made from") != std::string::npos);
}

TEST_CASE("a damaged seal is fetched only where something proves it") {
  const Site site;
  const fs::path seal = site.bad / "SHA256SUMS";
  const support::Tree damaged = [&] {
    std::string bytes = site.tree.at("SHA256SUMS");
    bytes[3] = bytes[3] == 'a' ? 'b' : 'a';  // still legible: nothing tells which of seal and file is right
    put(seal, bytes);
    return support::tree_of(site.bad);
  }();
  CHECK(packer::repair(site.request({site.good})).report.findings.size() == 1);
  CHECK(support::tree_of(site.bad) == damaged);

  // Illegible, and every file confirms the other copy's line.
  put(seal, "G" + site.tree.at("SHA256SUMS").substr(1));
  CHECK(packer::repair(site.request({site.good})).report.id == site.id);
  CHECK(support::tree_of(site.bad) == site.tree);

  // Lost, and one file is damaged too: the other copy is a pack, but who says which?
  fs::remove(seal);
  flip(site.bad / k_clip, 60);
  const support::Tree before = support::tree_of(site.bad);
  CHECK(code_of([&] { (void)packer::repair(site.request({site.good})); }) == 1);
  CHECK(support::tree_of(site.bad) == before);
  packer::RepairRequest told = site.request({site.good});
  told.expected_id = site.id;
  CHECK(packer::repair(told).report.findings.empty());
  CHECK(support::tree_of(site.bad) == site.tree);
}

TEST_CASE("with the id, a lost seal follows from the files alone; with another id nothing is touched") {
  const Site site;
  fs::remove(site.bad / "SHA256SUMS");
  packer::RepairRequest request = site.request({});
  request.expected_id = common::digest_of("another pack");
  CHECK(code_of([&] { (void)packer::repair(request); }) == 1);
  CHECK_FALSE(fs::exists(site.bad / "SHA256SUMS"));
  request.expected_id = site.id;
  CHECK(packer::repair(request).report.id == site.id);
}

TEST_CASE("a signature of the wrong length is replaced by that of a copy with the same seal") {
  const Site site;
  put(site.good / "SHA256SUMS.sig", std::string(64, 's'));
  site.renew();
  put(site.bad / "SHA256SUMS.sig", std::string(63, 's'));
  CHECK(packer::repair(site.request({site.good})).report.findings.empty());
  CHECK(get(site.bad / "SHA256SUMS.sig") == std::string(64, 's'));
}

TEST_CASE("a trusted key proves a seal wherever it lies, and brings its signature back") {
  const Site site;
  const packer::KeyFiles key = sign_good(site);
  const support::Tree tree = support::tree_of(site.good);
  const auto from_good = [&](const fs::path& trusted) {
    packer::RepairRequest request = site.request({site.good});
    request.trusted_key = trusted;
    return packer::repair(request);
  };
  fs::remove(site.bad / "SHA256SUMS");
  flip(site.bad / k_clip, 60);
  CHECK(from_good(key.public_half).report.findings.empty());
  CHECK(support::tree_of(site.bad) == tree);

  flip(site.bad / "SHA256SUMS.sig", 5);  // of the right length: without the key nobody sees it
  CHECK(packer::repair(site.request({site.good})).report.findings.empty());
  CHECK(from_good(key.public_half).report.findings.empty());
  CHECK(support::tree_of(site.bad) == tree);

  fs::remove(site.bad / "SHA256SUMS");
  packer::RepairRequest alone = site.request({});
  alone.trusted_key = key.public_half;
  CHECK(packer::repair(alone).report.id == site.id);

  flip(site.bad / k_clip, 60);
  const support::Tree before = support::tree_of(site.bad);
  const packer::KeyFiles other = packer::keygen(site.scratch / "OTHER.pem");
  CHECK(code_of([&] { (void)from_good(other.public_half); }) == 4);
  CHECK(support::tree_of(site.bad) == before);
}

TEST_CASE("a link in the place of a file that is lost for good is left there") {
  const Site site;
  fs::remove(site.bad / k_clip);
  fs::create_symlink("nowhere", site.bad / k_clip);
  packer::RepairRequest request = site.request({});
  request.extras = packer::Extras::move_aside;
  CHECK(packer::repair(request).lost.size() == 1);
  CHECK(fs::is_symlink(site.bad / k_clip));
  CHECK(site.left_nothing());
}

TEST_CASE("what cannot be meant is refused before anything is touched") {
  const Site site;
  CHECK(code_of([&] { (void)packer::repair(site.request({site.bad})); }) == 2);
  CHECK(code_of([&] { (void)packer::repair(site.request({"-"})); }) == 2);
  CHECK(code_of([&] { (void)packer::repair(site.request({site.scratch / "not_there"})); }) == 3);
  packer::RepairRequest request = site.request({site.good});
  request.pack = site.archive("x.tar");
  CHECK(code_of([&] { (void)packer::repair(request); }) == 2);
  request.pack = site.scratch / "audiocaps";
  CHECK(code_of([&] { (void)packer::repair(request); }) == 1);
  request.pack = site.scratch / "not_there";
  CHECK(code_of([&] { (void)packer::repair(request); }) == 3);
  CHECK(support::tree_of(site.bad) == site.tree);
  CHECK(site.left_nothing());
}

TEST_CASE("a repair that is killed at any moment leaves the pack no worse, and the next one ends it") {
  const Site site;
  const fs::path tar = site.archive("x.tar");
  for (int moment = 0; moment < 25; ++moment) {
    site.renew();
    for (const auto& [path, bytes] : site.tree)
      if (!packer::is_control(path)) flip(site.bad / path, 40);
    fs::remove(site.bad / "README.txt");
    const common::Findings before = site.findings();
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      (void)packer::repair(site.request({tar}));
      ::_exit(0);
    }
    ::usleep(static_cast<useconds_t>(moment * 400));
    ::kill(child, SIGKILL);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    for (const common::Finding& finding : site.findings())
      CHECK(std::find(before.begin(), before.end(), finding) != before.end());
    CHECK(packer::repair(site.request({tar})).report.findings.empty());
    CHECK(support::tree_of(site.bad) == site.tree);
    CHECK(site.left_nothing());
  }
}
