// safe-packer leaks: what it prints, what it exits with, and that nothing else loads its module.
#include <fstream>
#include <string>

#include "manifest/format/write.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Finished;

const std::string k_packer = std::string(SAFE_BIN) + "/safe-packer";

const std::string k_module = std::string(SAFE_BIN) + "/libsafe-vision.so";

// Without OpenCV the module is not built, and what needs it cannot be tested.
bool has_module() {
  if (fs::exists(k_module)) return true;
  MESSAGE("not tested: no " << k_module);
  return false;
}

using support::holds;

// Waves of several directions: a picture with as much in it as a photograph has.
common::Picture scene(int seed, int width = 160, int height = 120) {
  common::Picture picture{width, height, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) {
        double value = 128;
        for (int wave = 1; wave <= 6; ++wave)
          value +=
              18 * std::sin((x * ((seed * 7 + wave * 5) % 11 - 5) + y * ((seed * 3 + wave * 13) % 9 - 4)) *
                                0.02 * wave +
                            seed * wave + c * 0.4);
        picture.pixels.push_back(static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)));
      }
  return picture;
}

// A pack whose retention picture is its first validation picture, encoded again.
fs::path pack_with_a_copy(const fs::path& root, int quality = 40) {
  packer::BuildRequest request = support::small_sources(root);
  const fs::path images = root / "vqa" / "images" / "val2014";
  support::put(images / support::image_name(1), common::encode_jpeg(scene(1), 90));
  support::put(images / support::image_name(2), common::encode_jpeg(scene(2), 90));
  support::put(images / support::image_name(3), common::encode_jpeg(scene(1), quality));
  return packer::build_pack(request).location;
}

}  // namespace

TEST_CASE("a picture that was encoded again is found, and is fatal only where that is asked for") {
  if (!has_module()) return;
  const support::Scratch scratch;
  const fs::path pack = pack_with_a_copy(scratch.path());
  const Finished listed = support::run_process({k_packer, "leaks", pack.string()});
  CHECK(listed.code == 0);
  CHECK(holds(listed.out, "picture: distance 0.0"));
  CHECK(holds(listed.err, "1 near-duplicate pair in 1 group; compared 3 pictures and "));
  CHECK(holds(listed.out, "images/" + support::image_name(1) + " of val_manifest.json (1) and images/" +
                              support::image_name(3) + " of retention_manifest.json (3)"));
  CHECK(support::run_process({k_packer, "leaks", "--fatal", pack.string()}).code == 1);

  const Finished machine = support::run_process({k_packer, "leaks", "--json", "--quiet", pack.string()});
  CHECK(machine.code == 0);
  const common::Json root = common::parse_json(machine.out, "--json");
  REQUIRE(root["leaks"].size() == 1);
  CHECK(root["leaks"][0]["kind"] == "picture");
  CHECK(root["leaks"][0]["same_bytes"] == false);
  CHECK(root["leaks"][0]["files"][0]["path"] == "images/" + support::image_name(1));
  CHECK(root["leaks"][0]["files"][1]["manifest"] == "retention_manifest.json");
  CHECK(root["leaks"][0]["group"] == 0);
  CHECK(root["groups"] == 1);
  CHECK(root["pictures"] == 3);
}

TEST_CASE("two packs are compared with each other, and a damaged one is refused") {
  if (!has_module()) return;
  const support::Scratch scratch;
  const fs::path pack = pack_with_a_copy(scratch / "one");
  fs::rename(pack, scratch / "first_pack");
  const fs::path other = pack_with_a_copy(scratch / "two", 50);
  const Finished both =
      support::run_process({k_packer, "leaks", (scratch / "first_pack").string(), other.string()});
  CHECK(both.code == 0);
  CHECK(holds(both.out, "picture: the same bytes: " + (scratch / "first_pack").string() + ": images/" +
                            support::image_name(2) + " of val_manifest.json (2) and " + other.string() +
                            ": images/" + support::image_name(2)));
  const Finished itself = support::run_process(
      {k_packer, "leaks", (scratch / "first_pack").string(), (scratch / "first_pack").string()});
  CHECK(itself.code == 2);
  CHECK(holds(itself.err, "is the same pack as"));
  std::ofstream(other / "images" / support::image_name(1), std::ios::app) << "x";
  CHECK(support::run_process({k_packer, "leaks", other.string()}).code == 1);
}

TEST_CASE("without its module the verb says what to install, and every other verb works") {
  const support::Scratch scratch;
  const fs::path pack = pack_with_a_copy(scratch.path());
  fs::copy_file(k_packer, scratch / "safe-packer");
  const std::string alone = (scratch / "safe-packer").string();
  const Finished refused = support::run_process({alone, "leaks", pack.string()});
  CHECK(refused.code == 3);
  CHECK(holds(refused.err, "libsafe-vision.so"));
  CHECK(holds(refused.err, "apt install libopencv-imgproc-dev"));
  CHECK(support::run_process({alone, "verify", pack.string()}).code == 0);

  std::ofstream(scratch / "libsafe-vision.so") << "no library";
  const Finished broken = support::run_process({alone, "leaks", pack.string()});
  CHECK(broken.code == 3);
  CHECK(holds(broken.err, "libsafe-vision.so cannot be loaded: it is no ELF file"));
}

TEST_CASE("a module that was cut short is refused, wherever it was cut") {
  if (!has_module()) return;
  const support::Scratch scratch;
  const fs::path pack = pack_with_a_copy(scratch.path());
  fs::copy_file(k_packer, scratch / "safe-packer");
  const std::string alone = (scratch / "safe-packer").string();
  const std::string module = support::text_of_file(k_module);
  for (const std::size_t sixteenth : {0U, 1U, 4U, 8U, 12U, 15U}) {
    CAPTURE(sixteenth);
    support::put_file(scratch / "libsafe-vision.so", module.substr(0, module.size() * sixteenth / 16));
    const Finished refused = support::run_process({alone, "leaks", pack.string()});
    CHECK(refused.code == 3);
    CHECK(holds(refused.err, sixteenth == 0 ? "it is empty" : "it is truncated"));
  }
  support::put_file(scratch / "libsafe-vision.so", module.substr(0, module.size() - 1));
  CHECK(support::run_process({alone, "leaks", pack.string()}).code == 3);
  support::put_file(scratch / "libsafe-vision.so", module);
  CHECK(support::run_process({alone, "leaks", pack.string()}).code == 0);
}

TEST_CASE("only the verb that compares loads OpenCV") {
  if (!has_module()) return;
  const support::Scratch scratch;
  const fs::path pack = pack_with_a_copy(scratch.path());
  // The loader names each library that it opens.
  const auto loaded = [&](const std::string& program, const std::vector<std::string>& words) {
    std::vector<std::string> command = {"/usr/bin/env", "LD_DEBUG=files",
                                        std::string(SAFE_BIN) + "/" + program};
    command.insert(command.end(), words.begin(), words.end());
    return support::run_process(command).err;
  };
  const std::string compared = loaded("safe-packer", {"leaks", pack.string()});
  CHECK(holds(compared, "libsafe-vision.so"));
  CHECK(holds(compared, "libopencv_core"));
  for (const std::vector<std::string>& words : {std::vector<std::string>{"verify", pack.string()},
                                                {"show", pack.string()},
                                                {"leaks", "--help"},
                                                {"build", "--help"},
                                                {"--help"}}) {
    const std::string seen = loaded("safe-packer", words);
    CAPTURE(words.front());
    CHECK(holds(seen, "libc.so"));
    CHECK_FALSE(holds(seen, "opencv"));
    CHECK_FALSE(holds(seen, "libsafe-vision.so"));
  }
  CHECK_FALSE(holds(loaded("safe-manifest", {"val", "--help"}), "opencv"));
}

TEST_CASE("no program is linked with OpenCV") {
  for (const char* program : {"safe-packer", "safe-manifest"}) {
    const Finished linked = support::run_process({"ldd", std::string(SAFE_BIN) + "/" + program});
    CAPTURE(program);
    CHECK(linked.code == 0);
    CHECK_FALSE(holds(linked.out, "opencv"));
  }
}

TEST_CASE("build --leaks lists copies or refuses them, and changes no byte of the pack") {
  if (!has_module()) return;
  const support::Scratch scratch;
  const fs::path pack = pack_with_a_copy(scratch.path());
  const auto build = [&](const std::string& leaks, const std::string& dest) {
    return support::run_process({k_packer, "build", "--quiet", "--leaks", leaks, "--manifest",
                                 (scratch / "E/subset_manifest.json").string(), "--val-manifest",
                                 (scratch / "E/val_manifest.json").string(), "--source-root",
                                 (scratch / "audiocaps").string(), "--dest-root",
                                 (scratch / dest / "data_pack").string()});
  };
  const Finished listed = build("list", "listed"), off = build("off", "off"), fatal = build("fatal", "fatal");
  CHECK(listed.code == 0);
  CHECK(holds(listed.err, "near-duplicate: picture: distance 0.0"));
  CHECK(holds(listed.err, "not compared: audio/"));
  CHECK(off.code == 0);
  CHECK_FALSE(holds(off.err, "near-duplicate"));
  CHECK(listed.out.substr(0, 64) == off.out.substr(0, 64));
  CHECK(fatal.code == 1);
  CHECK(holds(fatal.err, support::image_name(3) + " of retention_manifest.json"));
  CHECK_FALSE(fs::exists(scratch / "fatal/data_pack"));
}
