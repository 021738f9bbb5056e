
#include "common/error.hpp"
#include "manifest/format/write.hpp"
#include "packer/archive/archive.hpp"
#include "packer/build/build.hpp"
#include "packer/check/open.hpp"
#include "packer/export/croissant.hpp"
#include "packer/export/recipe.hpp"
#include "packer/export/webdataset.hpp"
#include "packer/tar/ustar.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

namespace {

packer::OpenOptions quietly() { return {{}, 2, common::Verbosity::quiet}; }

packer::VerifiedPack small_pack(const support::Scratch& scratch) {
  const packer::BuildRequest request = support::small_sources(scratch.path());
  (void)packer::build_pack(request);
  return packer::open_pack(request.dest_root, quietly());
}

packer::WebDatasetRequest shards(const fs::path& out, std::uint64_t bytes, unsigned threads = 2) {
  return {out, bytes, threads, common::Verbosity::quiet};
}

std::vector<std::string> members(const std::string& tar) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at + packer::k_block_bytes <= tar.size();) {
    packer::UstarHeader header;
    std::copy_n(tar.begin() + static_cast<std::ptrdiff_t>(at), header.size(), header.begin());
    const packer::HeaderReading reading = packer::read_ustar_header(header);
    if (reading.fault != packer::HeaderFault::none) break;
    names.push_back(reading.member.name);
    at += packer::member_bytes(reading.member.size);
  }
  return names;
}

template <typename Call>
std::string refusal(ErrorKind kind, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return error.what();
  }
  return "accepted";
}

using support::holds;

}  // namespace

TEST_CASE("a sample's members stand together, in canonical tar, in the order of the manifest") {
  const support::Scratch scratch;
  const packer::VerifiedPack pack = small_pack(scratch);
  const auto summary = packer::export_webdataset(pack, shards(scratch / "out", 1 << 20));
  CHECK(summary.files == 7);
  const support::Tree tree = support::tree_of(scratch / "out");
  // One set of keys a set of shards: a form has its own.
  CHECK(members(tree.at("subset-wav-000000.tar")) ==
        std::vector<std::string>{"video_1.wav", "video_1.json", "video_1.txt"});
  CHECK(members(tree.at("subset-flac-000000.tar")) ==
        std::vector<std::string>{"video_2.flac", "video_2.json", "video_2.txt"});
  CHECK(members(tree.at("val-000000.tar")) ==
        std::vector<std::string>{"COCO_val2014_000000000001.jpg", "COCO_val2014_000000000001.json",
                                 "COCO_val2014_000000000002.jpg", "COCO_val2014_000000000002.json"});
  for (const auto& [name, bytes] : tree)
    if (name.ends_with(".tar")) CHECK(bytes.size() % packer::k_record_bytes == 0);
  CHECK(holds(tree.at("dataset.json"), pack.id().hex()));
}

TEST_CASE("a shard ends where the next sample would exceed its size, and holds one at least") {
  const support::Scratch scratch;
  const packer::VerifiedPack pack = small_pack(scratch);
  (void)packer::export_webdataset(pack, shards(scratch / "out", 1));
  const support::Tree tree = support::tree_of(scratch / "out");
  CHECK(members(tree.at("val-000000.tar")).size() == 2);
  CHECK(members(tree.at("val-000001.tar")).size() == 2);
  CHECK(tree.count("val-000002.tar") == 0);
  CHECK(holds(tree.at("dataset.json"), "val-{000000..000001}.tar"));
  CHECK(holds(tree.at("dataset.json"), "subset-flac-{000000..000000}.tar"));
}

TEST_CASE("shards are the same bytes with any number of threads, from the folder and from the .tar") {
  const support::Scratch scratch;
  const packer::VerifiedPack pack = small_pack(scratch);
  (void)packer::export_webdataset(pack, shards(scratch / "one", 1, 1));
  (void)packer::export_webdataset(pack, shards(scratch / "many", 1, 5));
  (void)packer::archive({scratch / "data_pack", scratch / "p.tar", 1, common::Verbosity::quiet});
  const packer::VerifiedPack in_tar = packer::open_pack(scratch / "p.tar", quietly());
  (void)packer::export_webdataset(in_tar, shards(scratch / "tar", 1));
  CHECK(support::tree_of(scratch / "one") == support::tree_of(scratch / "many"));
  CHECK(support::tree_of(scratch / "one") == support::tree_of(scratch / "tar"));
}

TEST_CASE("an export replaces nothing, and one that fails leaves nothing") {
  const support::Scratch scratch;
  const packer::VerifiedPack pack = small_pack(scratch);
  support::put(scratch / "full/mine.txt", "mine");
  for (const char* out : {"full", "data_pack"})
    CHECK(holds(refusal(ErrorKind::usage, [&] { packer::export_webdataset(pack, shards(scratch / out, 1)); }),
                "will not be replaced"));
  CHECK(holds(
      refusal(ErrorKind::usage, [&] { packer::export_recipe(scratch / "data_pack", scratch / "full"); }),
      "will not be replaced"));
  support::put(scratch / "data_pack/audio/train/video_1.wav", "changed since");
  CHECK(holds(
      refusal(ErrorKind::mismatch, [&] { packer::export_webdataset(pack, shards(scratch / "late", 1)); }),
      "has changed since it was verified"));
  CHECK(!fs::exists(scratch / "late"));
  CHECK(!fs::exists(scratch / ".late.draft"));
}

TEST_CASE("a name that WebDataset would cut at its dot is refused") {
  const support::Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());
  manifest::ClipEntry dotted = support::clip_entry(1, "train");
  dotted.audio_relpath = "audio/train/video.1.wav";
  support::put(scratch / "audiocaps/audio/train/video.1.wav", common::encode_wav16(support::tone(20, 0.3)));
  support::put(request.manifest, manifest::write_subset(support::subset_of("train", {dotted})));
  (void)packer::build_pack(request);
  const packer::VerifiedPack pack = packer::open_pack(request.dest_root, quietly());
  const std::string why =
      refusal(ErrorKind::mismatch, [&] { packer::export_webdataset(pack, shards(scratch / "out", 1)); });
  CHECK(holds(why, "video.1 of subset"));
  CHECK(!fs::exists(scratch / "out"));
}

TEST_CASE("Croissant's creator, page, day and licence come from the user or not at all") {
  const support::Scratch scratch;
  const packer::VerifiedPack pack = small_pack(scratch);
  const packer::CroissantRequest good{scratch.path(), {"A lab"}, "https://example.org",
                                      "2024-05-31",   {"CC0"},   {}};
  const auto without = [&](const auto& edit) {
    packer::CroissantRequest request = good;
    edit(request);
    const std::string why = refusal(ErrorKind::usage, [&] { packer::export_croissant(pack, request); });
    CHECK(!fs::exists(scratch / "croissant.json"));
    return why;
  };
  CHECK(holds(without([](auto& r) { r.creators.clear(); }), "--creator"));
  CHECK(holds(without([](auto& r) { r.url.clear(); }), "--url"));
  CHECK(holds(without([](auto& r) { r.date_published.clear(); }), "--date"));
  CHECK(holds(without([](auto& r) { r.date_published = "yesterday"; }), "2024-05-31"));
  CHECK(holds(without([](auto& r) { r.licences.clear(); }), "--licence"));
  fs::create_directory(scratch / "elsewhere");
  CHECK(holds(without([&](auto& r) { r.out = scratch / "elsewhere"; }), "relative to itself"));
  CHECK(holds(without([&](auto& r) { r.out = scratch / "data_pack"; }), "relative to itself"));
  CHECK(packer::export_croissant(pack, good).files == 1);
  CHECK(holds(refusal(ErrorKind::usage, [&] { packer::export_croissant(pack, good); }), "already exists"));
}
