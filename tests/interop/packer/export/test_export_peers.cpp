// What other people's readers make of a pack and of its exports: webdataset, datasets, mlcroissant, and
// Python's json, soundfile and PIL.
#include "manifest/format/write.hpp"
#include "packer/archive/archive.hpp"
#include "packer/check/open.hpp"
#include "packer/export/croissant.hpp"
#include "packer/export/webdataset.hpp"
#include "tests/support/peers.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using support::Finished;

namespace {

const std::string k_script = std::string(SAFE_SOURCE_DIR) + "/tests/interop/export_peers.py";

// A pack with every split that there can be, and clips of both containers.
fs::path full_pack(const support::Scratch& scratch) {
  packer::BuildRequest request = support::small_sources(scratch.path());
  manifest::VqaManifest base =
      support::vqa_of("small_base", {support::question(40, 4), support::question(41, 4)});
  manifest::ClipEntry caption = support::clip_entry(9, "train");
  caption.audio_relpath.clear();
  base.captions = {caption};
  support::put(scratch / "vqa/images/val2014" / support::image_name(4), support::picture(99));
  support::put(scratch / "E/base_manifest.json", manifest::write_vqa(base));
  request.base_manifest = scratch / "E/base_manifest.json";
  manifest::QuestionEntry other = support::question(50, 5);
  other.question = "Which colour has it?";
  support::put(scratch / "vqa/images/val2014" / support::image_name(5), support::picture(123));
  support::put(scratch / "E/unlike_manifest.json",
               manifest::write_vqa(support::vqa_of("small_unlike", {other})));
  request.unlike_manifest = scratch / "E/unlike_manifest.json";
  (void)packer::build_pack(request);
  return request.dest_root;
}

packer::VerifiedPack open(const fs::path& pack) {
  return packer::open_pack(pack, {{}, 2, common::Verbosity::quiet});
}

Finished judge(const std::string& python, const std::string& kind, const fs::path& pack,
               const fs::path& place) {
  const Finished finished = support::run_process({python, k_script, kind, pack.string(), place.string()});
  CAPTURE(finished.err);
  CHECK(finished.code == 0);
  return finished;
}

}  // namespace

TEST_CASE("webdataset and datasets load the shards of every split, and every byte and row is the pack's") {
  const auto python = support::peer_python("webdataset and datasets");
  if (!python) return;
  const support::Scratch scratch;
  const fs::path pack = full_pack(scratch);
  // WAV and FLAC in one split.
  (void)packer::export_webdataset(open(pack), {scratch / "shards", 1 << 20, 2, common::Verbosity::quiet});
  CHECK(fs::exists(scratch / "shards/subset-flac-000000.tar"));
  CHECK(fs::exists(scratch / "shards/subset-wav-000000.tar"));
  CHECK(judge(*python, "webdataset", pack, scratch / "shards").out == "9 samples, 8 media files\n");
  CHECK(judge(*python, "datasets", pack, scratch / "shards").out == "9 samples, 8 media files\n");
}

TEST_CASE(
    "mlcroissant validates croissant.json and reads the pack's rows, out of a folder and out of a .tar") {
  const auto python = support::peer_python("mlcroissant");
  if (!python) return;
  const support::Scratch scratch;
  const fs::path pack = full_pack(scratch);
  const auto describe = [](const fs::path& what, const fs::path& out) {
    (void)packer::export_croissant(
        open(what), {out, {"A lab"}, "https://example.org/tones", "2024-05-31", {"CC0-1.0"}, {}});
  };
  describe(pack, scratch.path());
  CHECK(judge(*python, "croissant", pack, scratch / "croissant.json").out == "10 records, 18 files\n");
  fs::create_directory(scratch / "alone");
  (void)packer::archive({pack, scratch / "alone/p.tar", 2, common::Verbosity::quiet});
  describe(scratch / "alone/p.tar", scratch / "alone");
  CHECK(judge(*python, "croissant", pack, scratch / "alone/croissant.json").out == "10 records, 18 files\n");
}

TEST_CASE("Python's json, soundfile and PIL read every file of a pack, and find what pack.json says of it") {
  const auto python = support::peer_python("soundfile and PIL");
  if (!python) return;
  const support::Scratch scratch;
  const fs::path pack = full_pack(scratch);
  CHECK(judge(*python, "pack", pack, pack).out == "9 manifests, 3 sounds, 5 pictures\n");
}
