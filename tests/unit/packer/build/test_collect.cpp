#include "packer/build/collect.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include "common/error.hpp"
#include "packer/build/build.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

struct CollectSetting {
  support::Scratch scratch;
  packer::BuildRequest request = support::small_sources(scratch.path());

  [[nodiscard]] std::string refusal() {
    request.verbosity = common::Verbosity::quiet;
    try {
      (void)packer::build_pack(request);
    } catch (const common::Error& error) {
      CHECK(error.kind() == common::ErrorKind::mismatch);
      CHECK_FALSE(fs::exists(request.dest_root));
      return error.what();
    }
    FAIL("the build was not refused");
    return {};
  }
};

using support::holds;

}  // namespace

TEST_CASE("missing and damaged sources are listed together") {
  CollectSetting setting;
  const fs::path pictures = setting.scratch / "vqa/images/val2014";
  fs::remove(pictures / support::image_name(3));
  support::put(pictures / support::image_name(1), std::string("no picture"));
  support::put(setting.scratch / "audiocaps/audio/train/video_1.wav", std::string("no sound"));
  const std::string why = setting.refusal();
  CHECK(holds(why, "1 source file is missing"));
  CHECK(holds(why, support::image_name(3)));
  CHECK(holds(why, "2 source files cannot be used"));
  CHECK(holds(why, support::image_name(1)));
  CHECK(holds(why, "video_1.wav"));
}

TEST_CASE("a place that holds none of the clips, or of the pictures, is one line that names its flag") {
  for (const char* flag : {"--source-root", "--image-root"}) {
    CAPTURE(std::string(flag));
    CollectSetting setting;
    const fs::path nowhere = setting.scratch / "nowhere";
    if (std::string(flag) == "--source-root")
      setting.request.source_root = nowhere;
    else
      setting.request.image_roots = {nowhere};
    const std::string why = setting.refusal();
    CHECK(holds(why, std::string("check ") + flag));
    CHECK(holds(why, nowhere.string() + " (which does not exist)"));
    CHECK(std::count(why.begin(), why.end(), '\n') == 0);
  }
}
