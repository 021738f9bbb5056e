// Interrupted builds and extractions go on from what verifies in their draft, and from nothing else.
#include <functional>

#include "common/error.hpp"
#include "packer/archive/archive.hpp"
#include "packer/archive/extract.hpp"
#include "packer/check/verify.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::put;

const std::string k_clip = "audio/train/video_1.wav";
const std::string k_flac = "audio/train/video_2.flac";
const std::string k_held_out = "audio/val/video_3.wav";

// A draft as a kill may leave it: one file right, one of the right size with another byte, one cut short, one
// a link to the right bytes, files of another pack, and a folder where a file must be.
void leave_draft(const fs::path& draft, const support::Tree& good) {
  put(draft / k_clip, good.at(k_clip));
  std::string wrong = good.at(k_flac);
  wrong.back() = static_cast<char>(wrong.back() ^ 1);
  put(draft / k_flac, wrong);
  put(draft / "images" / support::image_name(1), good.at("images/" + support::image_name(1)).substr(0, 20));
  put(draft.parent_path() / "outside.wav", good.at(k_held_out));
  fs::create_directories(draft / "audio" / "val");
  fs::create_symlink(draft.parent_path() / "outside.wav", draft / k_held_out);
  put(draft / "images" / "stale.jpg", std::string("from another pack"));
  put(draft / "images" / support::image_name(2) / "x", std::string("a folder"));
  put(draft / "manifest.json", std::string("{}"));
}

}  // namespace

TEST_CASE("a draft's file is believed for its digest, never for its size: build") {
  const support::Scratch scratch;
  const packer::BuildRequest request = support::small_sources(scratch.path());
  const auto first = packer::build_pack(request);
  const support::Tree tree = support::tree_of(first.location);
  fs::remove_all(first.location);
  leave_draft(scratch / ".data_pack.draft", tree);
  const auto kept = fs::last_write_time(scratch.path() / ".data_pack.draft" / k_clip);
  CHECK(packer::build_pack(request).id == first.id);
  CHECK(support::tree_of(first.location) == tree);
  CHECK(fs::last_write_time(first.location / k_clip) == kept);
  CHECK_FALSE(fs::exists(scratch / ".data_pack.draft"));
}

TEST_CASE("a draft's file is believed for its digest, never for its size: extract, from every form") {
  const support::Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  const support::Tree tree = support::tree_of(built.location);
  for (const std::string name : {"x.tar", "x.tar.zst", "x.tgz"}) {
    CAPTURE(name);
    (void)packer::archive({built.location, scratch / name, 1, common::Verbosity::quiet});
    const fs::path draft = scratch / ("." + name + "d.draft"), dest = scratch / (name + "d");
    leave_draft(draft, tree);
    const auto kept = fs::last_write_time(draft / k_clip);
    const auto out = packer::extract({scratch / name, dest, built.id, 3, common::Verbosity::quiet});
    CHECK(out.id == built.id);
    CHECK(support::tree_of(dest) == tree);
    CHECK(fs::last_write_time(dest / k_clip) == kept);
    CHECK(fs::is_regular_file(fs::symlink_status(dest / k_held_out)));
    packer::ExamineRequest request;
    request.verbosity = common::Verbosity::quiet;
    CHECK(packer::verify(dest, request).findings.empty());
    CHECK_FALSE(fs::exists(draft));
  }
}

TEST_CASE(
    "of a .tar, what the draft holds is not read again; damage there does not matter, elsewhere it does") {
  const support::Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  const support::Tree tree = support::tree_of(built.location);
  (void)packer::archive({built.location, scratch / "x.tar", 1, common::Verbosity::quiet});
  std::string tar = support::get(scratch / "x.tar");
  tar[tar.find(tree.at(k_clip)) + 50] ^= 1;
  put(scratch / "x.tar", tar);
  const auto extract = [&] {
    (void)packer::extract({scratch / "x.tar", scratch / "out", {}, 2, common::Verbosity::quiet});
  };
  CHECK_THROWS_AS(extract(), common::Error);
  CHECK_FALSE(fs::exists(scratch / "out"));
  put(scratch.path() / ".out.draft" / k_clip, tree.at(k_clip));
  extract();
  CHECK(support::tree_of(scratch / "out") == tree);
}

TEST_CASE("an extraction gives the same folder with any number of threads") {
  const support::Scratch scratch;
  const auto built = packer::build_pack(support::small_sources(scratch.path()));
  (void)packer::archive({built.location, scratch / "x.tar", 1, common::Verbosity::quiet});
  for (const unsigned threads : {1U, 2U, 7U}) {
    const fs::path dest = scratch / ("out" + std::to_string(threads));
    (void)packer::extract({scratch / "x.tar", dest, {}, threads, common::Verbosity::quiet});
    CHECK(support::tree_of(dest) == support::tree_of(built.location));
  }
}
