// The Python original's own two manifests, packed: SAFE_REFERENCE_MANIFESTS names a folder that holds its
// subset_manifest.json and val_manifest.json. Without it the test says so and passes.
#include <cstdlib>

#include "manifest/format/parse.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

// Ten seconds, each unlike the others.
common::Bytes sound(std::size_t number) {
  constexpr int k_rate_hz = 1000;
  return common::encode_wav16(
      support::tone(10 * k_rate_hz, 0.1 + 0.001 * static_cast<double>(number), k_rate_hz));
}

// One colour, unlike the others.
common::Bytes picture(std::size_t number) {
  common::Picture plain{8, 8, {}};
  for (int i = 0; i < 8 * 8; ++i)
    for (const std::size_t level : {number % 16 * 16, number / 16 % 16 * 16, number / 256 * 64})
      plain.pixels.push_back(static_cast<std::uint8_t>(level));
  return common::encode_jpeg(plain, 95);
}

// Sources with the names of the manifests' rows, in the places that the original looks in.
void write_sources(const fs::path& data, const manifest::SubsetManifest& subset,
                   const manifest::VqaManifest& val) {
  std::size_t number = 0;
  for (const manifest::ClipEntry& clip : subset.entries)
    support::put(data / "audiocaps" / clip.audio_relpath, sound(number++));
  for (const manifest::QuestionEntry& entry : val.entries) {
    const fs::path path = data / "vqa/images/val2014" / entry.image_filename;
    if (!fs::exists(path)) support::put(path, picture(number++));
  }
}

}  // namespace

TEST_CASE("the original's own manifests pack, and the pack's texts are those that the original writes") {
  const char* reference = std::getenv("SAFE_REFERENCE_MANIFESTS");
  if (reference == nullptr) {
    MESSAGE("skipped: SAFE_REFERENCE_MANIFESTS names no folder with the original's two manifests");
    return;
  }
  REQUIRE(support::has_python());
  const fs::path subset_path = fs::absolute(reference) / "subset_manifest.json";
  const fs::path val_path = fs::absolute(reference) / "val_manifest.json";
  const manifest::SubsetManifest subset = manifest::read_subset(subset_path);
  const manifest::VqaManifest val = manifest::read_vqa(val_path);
  const support::Scratch scratch;
  write_sources(scratch / "data", subset, val);

  const auto built = support::run_process(
      {SAFE_BIN "/safe-packer", "build", "--quiet", "--manifest", subset_path, "--val-manifest", val_path,
       "--source-root", "data/audiocaps", "--dest-root", "data_pack"},
      scratch.path());
  REQUIRE_MESSAGE(built.code == 0, built.err);
  const auto verified =
      support::run_process({SAFE_BIN "/safe-packer", "verify", "--quiet", "data_pack"}, scratch.path());
  CHECK(verified.code == 0);
  CHECK(verified.out == built.out);

  fs::create_directory(scratch / "expected");
  const auto wrote = support::run_process({"python3", SAFE_SOURCE_DIR "/tests/interop/original_pack.py",
                                           subset_path, val_path, scratch / "expected"});
  REQUIRE_MESSAGE(wrote.code == 0, wrote.err);
  const support::Tree expected = support::tree_of(scratch / "expected");
  CHECK(expected.size() == 4);
  for (const auto& one : expected)
    CHECK_MESSAGE(support::get(scratch / "data_pack" / one.first) == one.second, one.first);

  const support::Tree pack = support::tree_of(scratch / "data_pack"),
                      data = support::tree_of(scratch / "data");
  std::size_t clips = 0, images = 0;
  for (const auto& [path, bytes] : data) {
    const bool is_clip = path.starts_with("audiocaps/");
    const std::string packed = is_clip ? path.substr(std::string("audiocaps/").size())
                                       : "images/" + fs::path(path).filename().string();
    REQUIRE(pack.contains(packed));
    CHECK(pack.at(packed) == bytes);
    ++(is_clip ? clips : images);
  }
  CHECK(clips == subset.entries.size());
  MESSAGE("packed ", clips, " clips, ", val.entries.size(), " questions, ", images,
          " pictures; texts as the original's: ", expected.size());
}
