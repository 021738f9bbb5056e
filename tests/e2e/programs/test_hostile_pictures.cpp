// Pictures as sources that are made to cost: listed with the other unusable ones, in little memory and time.
#include <string>

#include "tests/support/foreign.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/picture_endings.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

using support::holds;

// Builds the small pack in 1 GiB of address space, with `more` arguments.
support::Finished build(const fs::path& root, const std::string& more) {
  return support::run_process({"sh", "-c",
                               "ulimit -v 1048576; exec " SAFE_BIN "/safe-packer build --quiet "
                               "--manifest E/subset_manifest.json --val-manifest E/val_manifest.json "
                               "--source-root audiocaps --dest-root E/data_pack " +
                                   more},
                              root);
}

}  // namespace

TEST_CASE("a picture's source of 2 GiB is not read, and listed with the other unusable ones") {
  const support::Scratch scratch;
  (void)support::small_sources(scratch.path());
  const fs::path images = scratch / "vqa/images/val2014";
  fs::resize_file(images / support::image_name(2), std::uint64_t{2} << 30);
  support::put(images / support::image_name(3), std::string("RIFF\x24\0\0\0WEBPVP8 ", 16));
  const support::Finished refused = build(scratch.path(), "");
  CHECK(refused.code == 1);
  CHECK(refused.err.starts_with("safe-packer: 2 source files cannot be used:\n"));
  CHECK(holds(refused.err, support::image_name(2) + " has more bytes than the limit of 134217728; replace"));
  CHECK(holds(refused.err,
              support::image_name(3) + " is a WebP picture, and pictures are JPEG or PNG; convert"));
  support::put(images / support::image_name(3), support::picture(33));
  const support::Finished built = build(scratch.path(), "--allow-missing");
  CHECK_MESSAGE(built.code == 0, built.err);
  CHECK(holds(support::get(scratch / "E/data_pack/pack.json"), "the source is too large"));
}

TEST_CASE("an entry of an archive that is too large is listed, and those behind it are packed") {
  const support::Scratch scratch;
  (void)support::small_sources(scratch.path());
  std::vector<support::Member> members = support::members_of(scratch / "vqa");
  for (support::Member& member : members)
    if (member.name.ends_with(support::image_name(1)))
      member.bytes.assign((std::size_t{128} << 20) + 1, '\0');
  fs::remove_all(scratch / "vqa");
  for (const char* archive : {"vqa.zip", "vqa.tar", "vqa.tar.zst"}) {
    CAPTURE(archive);
    support::write_foreign(scratch / archive, members);
    const std::string root = std::string("--image-root ") + archive;
    const support::Finished refused = build(scratch.path(), root);
    CHECK(refused.code == 1);
    CHECK(refused.err.starts_with("safe-packer: 1 source file cannot be used:\n"));
    CHECK(
        holds(refused.err, support::image_name(1) + " has more bytes than the limit of 134217728; replace"));
    const support::Finished built = build(scratch.path(), root + " --allow-missing");
    CHECK_MESSAGE(built.code == 0, built.err);
    CHECK(fs::exists(scratch / "E/data_pack/images" / support::image_name(2)));
    CHECK_FALSE(fs::exists(scratch / "E/data_pack/images" / support::image_name(1)));
    fs::remove_all(scratch / "E/data_pack");
  }
}
