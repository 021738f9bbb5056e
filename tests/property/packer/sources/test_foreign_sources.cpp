#include "tests/support/foreign.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using packer::BuildRequest;
using support::Member;
using support::Scratch;

namespace {

std::string refusal(const BuildRequest& request, common::ErrorKind kind) {
  try {
    (void)packer::build_pack(request);
  } catch (const common::Error& error) {
    CHECK(error.kind() == kind);
    CHECK_FALSE(fs::exists(request.dest_root));
    return error.what();
  }
  return "";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a pack built from archives is the pack that their folders give, byte for byte") {
  const Scratch scratch;
  const fs::path root = scratch.path();
  BuildRequest request = support::small_sources(root);
  // One sound is a full video, so that a clip is cut out of an archive too.
  support::put(root / "audiocaps/audio/train/video_1.wav",
               common::encode_wav16(support::tone(45 * 8000, 0.3)));
  const packer::BuildSummary from_folders = packer::build_pack(request);
  const support::Tree expected = support::tree_of(request.dest_root);
  REQUIRE(contains(expected.at("pack.json"), "\"made\": \"cut\""));

  const std::string sounds = (root / "audiocaps").string(), images = (root / "vqa").string();
  for (const char* form : {".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst"}) {
    support::write_foreign(sounds + form, support::members_of(sounds));
    // As `zip -r val2014.zip val2014` has it, and libarchive's own choice of compression.
    support::write_foreign(images + form, support::members_of(root / "vqa/images/val2014", "val2014/"));
  }
  struct Mix {
    std::string sounds, images;
  };
  for (const Mix& mix : {Mix{".zip", ".zip"}, Mix{".tar", ".tar"}, Mix{".tar.gz", ".tgz"},
                         Mix{".tar.zst", ""}, Mix{"", ".tar.zst"}})
    for (const unsigned threads : {1U, 4U}) {
      CAPTURE(mix.sounds);
      CAPTURE(mix.images);
      request.source_root = sounds + mix.sounds;
      request.image_roots = {images + mix.images};
      request.threads = threads;
      CHECK(packer::build_pack(request).id == from_folders.id);
      CHECK(support::tree_of(request.dest_root) == expected);
    }
}

TEST_CASE("images beside an archive of sounds are found as beside its folder") {
  const Scratch scratch;
  BuildRequest request = support::small_sources(scratch.path());
  support::write_foreign(scratch / "audiocaps.tar", support::members_of(scratch / "audiocaps"));
  request.source_root = scratch / "audiocaps.tar";
  request.image_roots.clear();
  CHECK_FALSE(packer::build_pack(packer::with_defaults(request)).id.hex().empty());
}

TEST_CASE("of several image roots the first that holds a picture gives it, folder or archive") {
  const Scratch scratch;
  BuildRequest request = support::small_sources(scratch.path());
  const std::string name = support::image_name(1);
  const std::string first = std::string(common::text_of(support::picture(101)));
  const std::string second = std::string(common::text_of(support::picture(102)));
  support::write_foreign(scratch / "some.zip", {{"images/" + name, first}});
  support::put(scratch / "folder" / "images" / name, second);
  const fs::path rest = scratch / "vqa";
  request.image_roots = {scratch / "some.zip", scratch / "folder", rest};
  (void)packer::build_pack(request);
  CHECK(support::get(request.dest_root / "images" / name) == first);
  request.image_roots = {scratch / "folder", scratch / "some.zip", rest};
  (void)packer::build_pack(request);
  CHECK(support::get(request.dest_root / "images" / name) == second);
}

TEST_CASE("what an archive lacks is listed with its name, and what cannot be had with the reason") {
  const Scratch scratch;
  BuildRequest request = support::small_sources(scratch.path());
  std::vector<Member> members = support::members_of(scratch / "vqa");
  members[0] = {members[0].name, "/etc/passwd", support::Kind::symbolic_link};
  members.pop_back();
  support::write_foreign(scratch / "images.tar", members);
  request.image_roots = {scratch / "images.tar", scratch / "nowhere"};
  const std::string said = refusal(request, common::ErrorKind::mismatch);
  CHECK(contains(said, "2 source files are missing"));
  CHECK(contains(said, support::image_name(1) + " (in " + (scratch / "images.tar").string() +
                           " it is a symlink to /etc/passwd, which lies outside of the archive)"));
  CHECK(contains(said, "\n  " + support::image_name(3) + "\n"));
  CHECK(contains(said, "ictures were looked for in " + (scratch / "images.tar").string() + ", " +
                           (scratch / "nowhere").string() + " (which does not exist)"));
  request.missing = packer::Missing::allow;
  request.retention_manifest.reset();
  CHECK(packer::build_pack(request).missing.size() == 2);
}

TEST_CASE("a picture in an archive that does not decode is named with its archive") {
  const Scratch scratch;
  BuildRequest request = support::small_sources(scratch.path());
  std::vector<Member> members = support::members_of(scratch / "vqa");
  members[1].bytes.resize(members[1].bytes.size() / 2);
  support::write_foreign(scratch / "images.zip", members);
  request.image_roots = {scratch / "images.zip"};
  const std::string said = refusal(request, common::ErrorKind::mismatch);
  CHECK(contains(said, (scratch / "images.zip").string() + ": " + members[1].name));
}

TEST_CASE("a root that is a file but no archive is refused with the forms that there are") {
  const Scratch scratch;
  BuildRequest request = support::small_sources(scratch.path());
  support::put(scratch / "images.rar", "Rar!");
  request.image_roots = {scratch / "images.rar"};
  CHECK(contains(refusal(request, common::ErrorKind::usage), ".zip"));
}

TEST_CASE(
    "sources that were never fetched are listed with the command that fetches them, in folders and "
    "archives") {
  const Scratch scratch;
  BuildRequest request = support::small_sources(scratch.path());
  const fs::path sound = scratch / "audiocaps/audio/train/video_1.wav";
  const fs::path picture = scratch / "vqa/images/val2014" / support::image_name(1);
  REQUIRE(fs::exists(sound));
  REQUIRE(fs::exists(picture));
  std::vector<Member> members = support::members_of(scratch / "vqa");
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n";
  for (Member& member : members)
    if (member.name.ends_with(support::image_name(1))) member.bytes = pointer;
  support::write_foreign(scratch / "vqa.zip", members);
  fs::remove(sound);
  fs::create_symlink("../../.git/annex/objects/aa/bb/KEY/KEY", sound);
  support::put(picture, pointer);
  const std::string said = refusal(request, common::ErrorKind::mismatch);
  CHECK(contains(said, "2 source files are missing"));
  CHECK(contains(said, "leads nowhere"));
  CHECK(contains(said, "git annex get " + sound.string() + ", or datalad get"));
  CHECK(contains(said, "git lfs pull --include " + support::image_name(1)));
  request.image_roots = {scratch / "vqa.zip"};
  CHECK(contains(refusal(request, common::ErrorKind::mismatch), "is a Git LFS pointer"));
  request.missing = packer::Missing::allow;
  CHECK(packer::build_pack(request).missing.size() >= 2);
}
