// Signing and trusting as a user meets them: what is printed where, and the exit codes.
#include <string>
#include <vector>

#include "packer/build/build.hpp"
#include "packer/check/sign.hpp"
#include "tests/support/process.hpp"
#include "tests/support/small_pack.hpp"

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
using support::Finished;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::vector<std::string> k_archives = {"x.tar", "x.tgz", "x.tar.zst"};

// A pack, two pairs of keys, and the pack signed with the first one.
struct Site {
  support::Scratch scratch;
  std::string id;
  Site() {
    id = packer::build_pack(support::small_sources(scratch.path())).id.hex();
    ok("keygen -o KEY.pem");
    ok("keygen -o OTHER.pem");
    ok("sign data_pack --key KEY.pem");
  }
  [[nodiscard]] Finished run(const std::string& arguments, const std::string& before = "") const {
    return support::run_process({"bash", "-c", before + "'" SAFE_BIN "/safe-packer' " + arguments},
                                scratch.path());
  }
  void ok(const std::string& arguments) const {
    const Finished finished = run(arguments);
    REQUIRE_MESSAGE(finished.code == 0, finished.err);
  }
};

}  // namespace

TEST_CASE("keygen and sign print the public key's path and the pack's id, and the id stays the same") {
  const Site site;
  const Finished made = site.run("keygen -o THIRD.pem");
  CHECK(made.code == 0);
  CHECK(made.out == "THIRD.pub.pem\n");
  CHECK(contains(made.err, "keep it to yourself"));
  const Finished again = site.run("sign data_pack --key KEY.pem");
  CHECK(again.code == 0);
  CHECK(again.out == site.id + "  data_pack\n");
  CHECK(contains(again.err, "has signed it before"));
  CHECK(contains(again.err, "next: safe-packer verify data_pack --trust KEY.pub.pem\n"));
  CHECK(site.run("verify data_pack").out == site.id + "  data_pack\n");
}

TEST_CASE("verify says who signed a pack, or that nothing was checked") {
  const Site site;
  const std::string nobody = "neither its id nor a signature was checked",
                    by = "signed by the owner of KEY.pub.pem", expected = "the expected pack";
  const Finished alone = site.run("verify data_pack");
  CHECK(contains(alone.err, nobody));
  CHECK(contains(alone.err, "signature not checked"));
  const Finished trusted = site.run("verify data_pack --trust KEY.pub.pem");
  CHECK(trusted.out == site.id + "  data_pack\n");
  CHECK(contains(trusted.err, by));
  CHECK_FALSE(contains(trusted.err, nobody));
  CHECK_FALSE(contains(trusted.err, "not checked"));
  const Finished both = site.run("verify data_pack --trust KEY.pub.pem --expect " + site.id);
  CHECK(contains(both.err, by));
  CHECK(contains(both.err, expected));
  const Finished quick = site.run("verify data_pack --quick --trust KEY.pub.pem");
  CHECK(quick.code == 0);
  CHECK(contains(quick.err, "NOT VERIFIED"));
  CHECK(contains(site.run("verify data_pack --json").out, "\"signature\": \"not checked\""));
  CHECK(contains(site.run("verify data_pack --json --trust KEY.pub.pem").out, "\"signature\": \"good\""));
}

TEST_CASE("a signed pack is trusted in every form, and extracting it restores the signature") {
  const Site site;
  for (const std::string& name : k_archives) {
    CAPTURE(name);
    site.ok("archive data_pack -o " + name);
    CHECK(site.run("verify --trust KEY.pub.pem " + name).out == site.id + "  " + name + "\n");
    CHECK(site.run("verify --trust KEY.pub.pem -", "cat " + name + " | ").out == site.id + "  -\n");
    const Finished extracted = site.run("extract --trust KEY.pub.pem --dest out " + name);
    CHECK(extracted.out == site.id + "  out\n");
    CHECK(contains(extracted.err, "signed by the owner of KEY.pub.pem"));
    CHECK(support::tree_of(site.scratch / "out") == support::tree_of(site.scratch / "data_pack"));
    CHECK(site.run("verify --trust KEY.pub.pem out").code == 0);
    CHECK(contains(site.run("extract --dest out " + name).err, "neither its id nor a signature was checked"));
  }
}

TEST_CASE("a signature that is absent or wrong is exit 4 in every form, prints no id and leaves nothing") {
  const Site site;
  for (const std::string& name : k_archives) site.ok("archive data_pack -o " + name);
  fs::create_directory(site.scratch / "unsigned");
  fs::remove(site.scratch / "data_pack" / "SHA256SUMS.sig");
  for (const std::string& name : k_archives) site.ok("archive data_pack -o unsigned/" + name);
  std::vector<std::string> commands = {"verify --trust KEY.pub.pem data_pack",
                                       "verify --trust KEY.pub.pem --quick data_pack",
                                       "verify --trust OTHER.pub.pem --quick x.tar"};
  for (const std::string& name : k_archives) {
    for (const std::string verb : {"verify", "extract --dest out"}) {
      commands.push_back(verb + " --trust OTHER.pub.pem " + name);
      commands.push_back(verb + " --trust KEY.pub.pem unsigned/" + name);
      commands.push_back(verb + " --trust OTHER.pub.pem - <" + name);
      commands.push_back(verb + " --trust KEY.pub.pem - <unsigned/" + name);
    }
  }
  for (const std::string& command : commands) {
    CAPTURE(command);
    const Finished finished = site.run(command);
    CHECK(finished.code == 4);
    CHECK(finished.out.empty());
    CHECK(contains(finished.err, "E2 SHA256SUMS.sig"));
    CHECK(contains(finished.err, "Do not use it."));
    CHECK_FALSE(contains(finished.err, "consistent"));
    CHECK_FALSE(fs::exists(site.scratch / "out"));
    CHECK_FALSE(fs::exists(site.scratch / ".out.draft"));
  }
  const Finished json = site.run("verify --json --trust OTHER.pub.pem x.tar");
  CHECK(json.code == 4);
  CHECK(contains(json.out, "\"verified\": false"));
  CHECK(contains(json.out, "\"signature\": \"refused\""));
  CHECK(contains(json.out, "\"id\": null"));
}

TEST_CASE("an untrusted pack is exit 4 whatever else is wrong, and a damaged trusted one is exit 1") {
  const Site site;
  const fs::path pack = site.scratch / "data_pack";
  support::put(pack / "images" / support::image_name(1), std::string("changed"));
  CHECK(site.run("verify --trust KEY.pub.pem data_pack").code == 1);
  CHECK(site.run("verify --trust OTHER.pub.pem data_pack").code == 4);
  CHECK(site.run("verify --trust OTHER.pub.pem --expect " + std::string(64, '0') + " data_pack").code == 4);
  CHECK(site.run("verify --trust KEY.pub.pem --expect " + std::string(64, '0') + " data_pack").code == 1);
  support::put(pack / "SHA256SUMS", std::string("garbled\n"));
  CHECK(site.run("verify data_pack").code == 1);
  CHECK(site.run("verify --trust KEY.pub.pem data_pack").code == 4);
  support::put(site.scratch / "noise.tgz", std::string(5000, 'n'));
  CHECK(site.run("verify noise.tgz").code == 1);
  CHECK(site.run("verify --trust KEY.pub.pem noise.tgz").code == 4);
}

TEST_CASE("a key that cannot be meant is exit 2, one that cannot be read exit 3") {
  const Site site;
  const fs::path pack = site.scratch / "data_pack";
  fs::copy_file(site.scratch / "KEY.pub.pem", pack / "images" / "KEY.pub.pem");
  fs::copy_file(site.scratch / "KEY.pem", pack / "images" / "KEY.pem");
  site.ok("keygen --quiet -o NEW.pem");
  const struct {
    std::string arguments;
    int code;
    std::string says;
  } cases[] = {
      {"verify data_pack --trust data_pack/images/KEY.pub.pem", 2, "is inside a pack"},
      {"sign data_pack --key data_pack/images/KEY.pem", 2, "is inside a pack"},
      {"verify data_pack --trust KEY.pem", 2, "secret key"},
      {"sign data_pack --key KEY.pub.pem", 2, "public key"},
      {"verify data_pack --trust E/val_manifest.json", 3, "no key in PEM form"},
      {"verify data_pack --trust nothing.pem", 3, "nothing.pem"},
      {"sign data_pack --key nothing.pem", 3, "nothing.pem"},
      {"sign nothing --key KEY.pem", 3, "does not exist"},
      {"sign data_pack", 2, "--key"},
      {"keygen", 2, "--output"},
      {"keygen -o KEY.pem", 2, "never overwritten"},
      {"keygen -o KEY", 2, ".pem"},
  };
  for (const auto& row : cases) {
    CAPTURE(row.arguments);
    const Finished finished = site.run(row.arguments);
    CHECK(finished.code == row.code);
    CHECK(finished.out.empty());
    CHECK_MESSAGE(contains(finished.err, row.says), finished.err);
  }
}
