#include "common/error.hpp"
#include "packer/build/build.hpp"
#include "packer/build/from_recipe.hpp"
#include "packer/check/sign.hpp"
#include "packer/export/recipe.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

namespace {

// Sources, the pack that was built of them, its recipe, and the request that makes it again.
struct Shared {
  support::Scratch scratch;
  packer::BuildRequest request;
  packer::BuildSummary built;

  explicit Shared(bool allow_missing = false) : request(support::small_sources(scratch.path())) {
    // A full video and an MP3's fate: what is cut and what is decoded is made again, not copied.
    support::put(scratch / "audiocaps/audio/train/video_2.flac",
                 common::encode_flac16(support::tone(40 * 8000, 0.7)));
    if (allow_missing) {
      fs::remove(scratch / "audiocaps/audio/train/video_1.wav");
      fs::remove(scratch / "vqa/images/val2014" / support::image_name(2));
      request.missing = packer::Missing::allow;
    }
    built = packer::build_pack(request);
    (void)packer::export_recipe(request.dest_root, scratch / "recipe");
    request.recipe = scratch / "recipe";
    request.dest_root = scratch / "again";
    request.missing = packer::Missing::refuse;
  }
  [[nodiscard]] std::string refused(ErrorKind kind, const packer::RecipeTrust& trust = {}) const {
    try {
      (void)packer::build_from_recipe(request, trust);
    } catch (const Error& error) {
      CHECK(error.kind() == kind);
      CHECK(!fs::exists(scratch / "again"));
      CHECK(!fs::exists(scratch / ".again.draft"));
      return error.what();
    }
    return "accepted";
  }
};

using support::holds;

}  // namespace

TEST_CASE(
    "a recipe holds no media, and its pack is made again byte for byte, whatever the folder is called") {
  const Shared shared;
  for (const auto& [path, bytes] : support::tree_of(shared.scratch / "recipe"))
    CHECK(path.find('/') == std::string::npos);
  const packer::BuildSummary again = packer::build_from_recipe(shared.request, {shared.built.id, {}});
  CHECK(again.id == shared.built.id);
  CHECK(again.clips == shared.built.clips);
  CHECK(again.questions == shared.built.questions);
  CHECK(support::tree_of(shared.scratch / "again") == support::tree_of(shared.scratch / "data_pack"));
}

TEST_CASE("what was missing when the pack was built is missing again, also where it has come back") {
  const Shared shared(true);
  support::put(shared.scratch / "audiocaps/audio/train/video_1.wav",
               common::encode_wav16(support::tone(20, 0.3)));
  CHECK(packer::build_from_recipe(shared.request, {}).id == shared.built.id);
  CHECK(support::tree_of(shared.scratch / "again") == support::tree_of(shared.scratch / "data_pack"));
}

TEST_CASE("sources with other bytes are named with both digests, and nothing is left") {
  const Shared shared;
  support::put(shared.scratch / "vqa/images/val2014" / support::image_name(2), support::picture(77));
  support::put(shared.scratch / "audiocaps/audio/train/video_2.flac",
               common::encode_flac16(support::tone(40 * 8000, 0.71)));
  const std::string why = shared.refused(ErrorKind::mismatch);
  CHECK(holds(why, "2 files differ from the recipe"));
  CHECK(holds(why, "images/" + support::image_name(2)));
  CHECK(holds(why, "audio/train/video_2.wav"));
  CHECK(holds(why, common::digest_of(support::picture(77)).hex()));
}

TEST_CASE("sources that are missing are all listed") {
  const Shared shared;
  fs::remove(shared.scratch / "vqa/images/val2014" / support::image_name(3));
  fs::remove(shared.scratch / "audiocaps/audio/val/video_3.wav");
  const std::string why = shared.refused(ErrorKind::mismatch);
  CHECK(holds(why, "2 source files are missing"));
  CHECK(holds(why, "video_3"));
  CHECK(holds(why, support::image_name(3)));
}

TEST_CASE("a recipe is believed as far as its id or its signature goes") {
  Shared shared;
  CHECK(holds(shared.refused(ErrorKind::mismatch, {common::digest_of("another"), {}}), "expected"));
  const packer::KeyFiles keys = packer::keygen(shared.scratch / "k.pem");
  CHECK(holds(shared.refused(ErrorKind::signature, {{}, keys.public_half}), "SHA256SUMS.sig"));
  packer::sign_pack({shared.scratch / "data_pack", keys.secret, 1, common::Verbosity::quiet});
  (void)packer::export_recipe(shared.scratch / "data_pack", shared.scratch / "signed");
  shared.request.recipe = shared.scratch / "signed";
  CHECK(packer::build_from_recipe(shared.request, {{}, keys.public_half}).id == shared.built.id);
  CHECK(support::tree_of(shared.scratch / "again") == support::tree_of(shared.scratch / "data_pack"));
}

TEST_CASE("a recipe whose control files do not hold is refused") {
  const Shared shared;
  support::put(shared.scratch / "recipe/val_manifest.json", "{}");
  CHECK(holds(shared.refused(ErrorKind::mismatch), "val_manifest.json"));
}

TEST_CASE("a whole pack is a recipe too") {
  Shared shared;
  shared.request.recipe = shared.scratch / "data_pack";
  CHECK(packer::build_from_recipe(shared.request, {}).id == shared.built.id);
}
