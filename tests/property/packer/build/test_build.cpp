#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "common/error.hpp"
#include "manifest/format/parse.hpp"
#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/build/build.hpp"
#include "packer/check/open.hpp"
#include "packer/check/verify.hpp"
#include "packer/format/replaceable.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Scratch;

packer::ExamineRequest quiet() {
  packer::ExamineRequest request;
  request.verbosity = common::Verbosity::quiet;
  return request;
}

int kind_of_failure(const std::function<void()>& call) {
  try {
    call();
  } catch (const common::Error& error) {
    return common::exit_code(error.kind());
  }
  return 0;
}

void archive_to(const fs::path& pack, const fs::path& out, unsigned threads = 1) {
  (void)packer::archive({pack, out, threads, common::Verbosity::quiet});
}

// Same bytes everywhere, other things different.
class Umask {
 public:
  explicit Umask(mode_t mask) : old_(::umask(mask)) {}
  ~Umask() { ::umask(old_); }

 private:
  mode_t old_;
};

}  // namespace

TEST_CASE("a pack's id and archive depend on content and name alone") {
  const Scratch one, other;
  const auto first = packer::build_pack(support::small_sources(one.path()));
  archive_to(first.location, one / "a.tar", 1);

  packer::BuildRequest request = support::small_sources(other.path());
  request.threads = 1;
  request.dest_root = other.path() / "deep" / "er" / "data_pack";
  for (const auto& entry : fs::recursive_directory_iterator(other.path()))
    if (entry.is_regular_file())
      fs::last_write_time(entry.path(), fs::file_time_type{} + std::chrono::hours(24));
  // Another directory order: the files are created again, backwards.
  const support::Tree tree = support::tree_of(other.path() / "vqa");
  fs::remove_all(other.path() / "vqa");
  for (auto at = tree.rbegin(); at != tree.rend(); ++at)
    support::put(other.path() / "vqa" / at->first, at->second);
  const Umask strict(0077);
  const auto second = packer::build_pack(request);
  archive_to(second.location, other / "b.tar", 3);

  CHECK(first.id == second.id);
  CHECK(support::tree_of(first.location) == support::tree_of(second.location));
  CHECK(support::get(one / "a.tar") == support::get(other / "b.tar"));
  CHECK((fs::status(second.location / "SHA256SUMS").permissions() & fs::perms::mask) == fs::perms(0644));
  CHECK((fs::status(second.location / "audio" / "train").permissions() & fs::perms::mask) == fs::perms(0755));
}

TEST_CASE("the pack's name is content") {
  const Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  const auto first = packer::build_pack(request);
  request.dest_root = scratch / "other_name";
  CHECK_FALSE(first.id == packer::build_pack(request).id);
}

TEST_CASE("a build without probing gives the same pack") {
  const Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  const auto probed = packer::build_pack(request);
  request.probe = common::Probe::skip;
  CHECK(probed.id == packer::build_pack(request).id);
}

TEST_CASE("what is built verifies, and opens to the bytes of its sources") {
  const Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  const packer::Report report = packer::verify(built.location, quiet());
  CHECK(report.findings.empty());
  CHECK(report.id == built.id);
  archive_to(built.location, scratch / "x.tar");
  for (const fs::path& place : {built.location, scratch / "x.tar"}) {
    const packer::VerifiedPack pack = packer::open_pack(place, {built.id, 1, common::Verbosity::quiet});
    CHECK(pack.id() == built.id);
    CHECK(pack.name() == "data_pack");
    CHECK(pack.files().size() == report.files);
    CHECK_FALSE(pack.contains(common::PackPath("images/none.jpg")));
    CHECK(pack.read(common::PackPath("audio/train/video_2.flac")) ==
          common::read_file(scratch.path() / "audiocaps/audio/train/video_2.flac", 1 << 20));
    for (const packer::PackFile& file : pack.files())
      CHECK(common::text_of(pack.read(file.path)) == support::get(built.location / file.path.text()));
  }
}

TEST_CASE("an opened pack hands out no byte that changed after it was verified") {
  const Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  const packer::VerifiedPack pack = packer::open_pack(built.location, {{}, 1, common::Verbosity::quiet});
  const common::PackPath path("audio/train/video_1.wav");
  std::string bytes = support::get(built.location / path.text());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  support::put(built.location / path.text(), bytes);
  CHECK(kind_of_failure([&] { (void)pack.read(path); }) == 1);
}

TEST_CASE("archive, verify and extract agree in every single-file form") {
  const Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  for (const char* suffix : {".tar", ".tar.zst", ".tgz", ".tar.gz"}) {
    const fs::path file = scratch / (std::string("x") + suffix);
    archive_to(built.location, file, 2);
    CHECK(packer::verify(file, quiet()).id == built.id);
    CHECK(packer::verify(file, quiet()).findings.empty());
    const fs::path dest = scratch / (std::string("out") + suffix + "d");
    const auto out = packer::extract({file, dest, built.id, 1, common::Verbosity::quiet});
    CHECK(out.id == built.id);
    CHECK(support::tree_of(dest) == support::tree_of(built.location));
    // What was extracted under another folder name is still the same pack, and gives the same archive.
    archive_to(dest, scratch / "again.tar");
    CHECK(support::get(scratch / "again.tar").size() % 10240 == 0);
    archive_to(built.location, scratch / "first.tar");
    CHECK(support::get(scratch / "again.tar") == support::get(scratch / "first.tar"));
  }
}

TEST_CASE("a signature travels with the pack, is not trusted, and does not change the id") {
  const Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  support::put(built.location / "SHA256SUMS.sig", std::string(64, 's'));
  archive_to(built.location, scratch / "x.tar.zst");
  (void)packer::extract({scratch / "x.tar.zst", scratch / "out", {}, 1, common::Verbosity::quiet});
  CHECK(support::tree_of(scratch / "out") == support::tree_of(built.location));
  const packer::Report report = packer::verify(scratch / "out", quiet());
  CHECK(report.findings.empty());
  CHECK(report.id == built.id);
  CHECK((report.signature == packer::SignatureState::not_checked));
}

TEST_CASE("another id than the expected one is refused everywhere, and nothing is extracted") {
  const Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  archive_to(built.location, scratch / "x.tgz");
  const common::Digest other = common::digest_of("another pack");
  packer::ExamineRequest request = quiet();
  request.expected_id = other;
  CHECK(packer::verify(built.location, request).findings.at(0).rule == "E1");
  CHECK(kind_of_failure([&] {
          (void)packer::open_pack(built.location, {other, 1, common::Verbosity::quiet});
        }) == 1);
  CHECK(kind_of_failure([&] {
          (void)packer::extract({scratch / "x.tgz", scratch / "out", other, 1, common::Verbosity::quiet});
        }) == 1);
  CHECK_FALSE(fs::exists(scratch / "out"));
  CHECK_FALSE(fs::exists(scratch / ".out.draft"));
}

TEST_CASE("missing sources are all named, nothing is left behind; allowed, they stand in pack.json") {
  const Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  request.dest_root = scratch.path() / "new" / "data_pack";
  fs::remove(scratch.path() / "audiocaps/audio/train/video_1.wav");
  fs::remove(scratch.path() / "vqa/images/val2014" / support::image_name(2));
  try {
    (void)packer::build_pack(request);
    FAIL("a pack was built without its sources");
  } catch (const common::Error& error) {
    CHECK(common::exit_code(error.kind()) == 1);
    CHECK(std::string(error.what()).find("video_1") != std::string::npos);
    CHECK(std::string(error.what()).find(support::image_name(2)) != std::string::npos);
  }
  CHECK_FALSE(fs::exists(scratch.path() / "new"));

  request.missing = packer::Missing::allow;
  const auto built = packer::build_pack(request);
  REQUIRE(built.missing.size() == 2);
  CHECK(built.missing[0].id == "video_1");
  CHECK(built.missing[1].id == "20");
  CHECK(packer::verify(built.location, quiet()).findings.empty());
  CHECK(manifest::read_subset(built.location / "manifest.json").entries.size() == 1);
  CHECK(manifest::read_subset(built.location / "subset_manifest.json").entries.size() == 2);
}

TEST_CASE("media that does not decode is refused with its name, and leaves nothing behind") {
  const Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  request.dest_root = scratch.path() / "new" / "data_pack";
  support::put(scratch.path() / "vqa/images/val2014" / support::image_name(3),
               std::string("\xff\xd8 no picture"));
  support::put(scratch.path() / "audiocaps/audio/val/video_3.wav", std::string("RIFF no sound"));
  try {
    (void)packer::build_pack(request);
    FAIL("a pack was built from media that does not decode");
  } catch (const common::Error& error) {
    CHECK(common::exit_code(error.kind()) == 1);
    CHECK(std::string(error.what()).find("video_3.wav") != std::string::npos);
    CHECK(std::string(error.what()).find(support::image_name(3)) != std::string::npos);
  }
  CHECK_FALSE(fs::exists(scratch.path() / "new"));
}

TEST_CASE("two splits with the same picture under two names are refused") {
  const Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  support::put(scratch.path() / "vqa/images/val2014" / support::image_name(3), support::picture(11));
  CHECK(kind_of_failure([&] { (void)packer::build_pack(request); }) == 1);
  CHECK_FALSE(fs::exists(request.dest_root));
}

TEST_CASE("a full video becomes the ten seconds that its row asks for") {
  const Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  const common::Waveform video = support::tone(45 * 8000, 0.01);
  support::put(scratch.path() / "audiocaps/audio/train/video_1.wav", common::encode_wav16(video));
  const auto built = packer::build_pack(request);
  const common::Bytes clip = common::read_file(built.location / "audio/train/video_1.wav", 1 << 20);
  common::Waveform expected = video;
  expected.samples.assign(video.samples.begin() + 30 * 8000, video.samples.begin() + 40 * 8000);
  CHECK((clip == common::encode_wav16(expected)));
  common::Findings none;
  const auto info = packer::parse_info(support::get(built.location / "pack.json"), none);
  for (const packer::FileInfo& file : info->files)
    if (file.path.text() == "audio/train/video_1.wav") {
      CHECK((file.clip->making == packer::Making::cut));
      CHECK(file.clip->first_frame == 30U * 8000U);
      CHECK(file.clip->source ==
            common::digest_file(scratch.path() / "audiocaps/audio/train/video_1.wav").digest);
    }
}

TEST_CASE("the source decides the suffix, and the manifest of the pack says what is there") {
  const Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  CHECK(manifest::read_subset(built.location / "manifest.json").entries[1].audio_relpath ==
        "audio/train/video_2.flac");
  CHECK(support::get(built.location / "subset_manifest.json") ==
        support::get(scratch.path() / "E/subset_manifest.json"));
}

TEST_CASE("only a folder that is absent, empty or a pack is replaced") {
  const Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  fs::create_directory(request.dest_root);
  const auto first = packer::build_pack(request);
  support::put(request.dest_root / "images" / "stray.jpg", std::string("damage"));
  CHECK(packer::build_pack(request).id == first.id);
  CHECK(packer::verify(request.dest_root, quiet()).findings.empty());
  CHECK_FALSE(fs::exists(scratch / ".data_pack.draft"));

  support::put(request.dest_root / "thesis.tex", std::string("years of work"));
  CHECK(kind_of_failure([&] { (void)packer::build_pack(request); }) == 2);
  CHECK(support::get(request.dest_root / "thesis.tex") == "years of work");
  request.dest_root = scratch.path() / "audiocaps";
  CHECK(kind_of_failure([&] { (void)packer::build_pack(request); }) == 2);
  fs::create_directory_symlink(scratch / "E", scratch / "link");
  request.dest_root = scratch / "link";
  CHECK(kind_of_failure([&] { (void)packer::build_pack(request); }) == 2);
}

TEST_CASE("the draft that a killed run left is taken up, and what is wrong in it never reaches the pack") {
  const Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  const fs::path draft = scratch / ".data_pack.draft";
  const std::string good = support::get(scratch.path() / "audiocaps/audio/train/video_1.wav");
  support::put(draft / "audio/train/video_1.wav", good);
  const auto kept = fs::last_write_time(draft / "audio/train/video_1.wav");
  support::put(draft / "audio/train/video_2.flac", std::string("half a fi"));
  support::put(draft / "images/stale.jpg", std::string("from another manifest"));
  fs::create_directories(draft / "audio" / "empty");
  fs::create_symlink("/etc/passwd", draft / "manifest.json");
  const auto built = packer::build_pack(request);
  CHECK(packer::verify(built.location, quiet()).findings.empty());
  CHECK(fs::last_write_time(built.location / "audio/train/video_1.wav") == kept);
  CHECK_FALSE(fs::exists(draft));
}

TEST_CASE("two builds of one pack at a time are one build and one refusal") {
  const Scratch scratch;
  common::Draft first(scratch / "pack", packer::pack_replaceable());
  CHECK(kind_of_failure([&] { const common::Draft second(scratch / "pack", packer::pack_replaceable()); }) ==
        3);
  CHECK(fs::exists(first.folder().path()));
}

TEST_CASE("a pack whose place was left empty between two renames comes back") {
  const Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  const auto built = packer::build_pack(request);
  fs::rename(built.location, scratch / ".data_pack.0123456789abcdef.old");
  { const common::Draft dropped(request.dest_root, packer::pack_replaceable()); }
  CHECK(packer::verify(request.dest_root, quiet()).id == built.id);
}

TEST_CASE("a damaged pack is never archived, and no file appears") {
  const Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  std::string bytes = support::get(built.location / "audio/train/video_1.wav");
  bytes[60] = static_cast<char>(bytes[60] ^ 1);
  support::put(built.location / "audio/train/video_1.wav", bytes);
  for (const char* name : {"x.tar", "x.tar.zst", "x.tgz"}) {
    CHECK(kind_of_failure([&] { archive_to(built.location, scratch / name); }) == 1);
    CHECK_FALSE(fs::exists(scratch / name));
  }
  for (const auto& entry : fs::directory_iterator(scratch.path()))
    CHECK(entry.path().filename().string().find(".draft") == std::string::npos);
}

TEST_CASE("an archive is never written into its own pack, nor under an unknown suffix") {
  const Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  CHECK(kind_of_failure([&] { archive_to(built.location, built.location / "x.tar"); }) == 2);
  CHECK(kind_of_failure([&] { archive_to(built.location, scratch / "x.zip"); }) == 2);
  CHECK(packer::verify(built.location, quiet()).findings.empty());
}

TEST_CASE("a compressed archive cannot be opened in place, and the refusal names the command") {
  const Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  archive_to(built.location, scratch / "x.tgz");
  try {
    (void)packer::open_pack(scratch / "x.tgz", {});
    FAIL("opened");
  } catch (const common::Error& error) {
    CHECK(common::exit_code(error.kind()) == 2);
    CHECK(std::string(error.what()).find("safe-packer extract") != std::string::npos);
  }
}
