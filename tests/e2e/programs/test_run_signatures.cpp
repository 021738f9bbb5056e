// Signed runs as a user meets them: what is refused before training, what is printed, and the exit codes.
#include <doctest/doctest.h>

#ifdef SAFE_TRAINER

#include "tests/support/small_world.hpp"

using namespace support::small_world;

namespace {

support::Finished report(const std::vector<std::string>& arguments) {
  std::vector<std::string> command = {k_bin + "/safe-report"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return support::run_process(command);
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct Keys {
  support::Scratch scratch;
  std::string mine = (scratch / "KEY.pem").string(), trusted = (scratch / "KEY.pub.pem").string(),
              others = (scratch / "OTHER.pem").string(), other = (scratch / "OTHER.pub.pem").string();
  Keys() {
    World::ok(packer({"keygen", "-o", mine}));
    World::ok(packer({"keygen", "-o", others}));
  }
};

}  // namespace

TEST_CASE("run --key signs a run, and verify-run and report trust it by that key alone") {
  const World& w = world();
  const Keys keys;
  World::ok(trainer(w.run("no_retention", "signed", {"--num-epochs", "2", "--key", keys.mine})));
  const std::string run = w.only_run("signed").string();
  CHECK(fs::file_size(run + "/SHA256SUMS.sig") == 64);
  const support::Finished good = report({"verify-run", run, "--trust", keys.trusted});
  CHECK(good.code == 0);
  CHECK(contains(good.err, "signed by the owner of the key"));
  CHECK(contains(good.err, "not derived: "));
  CHECK(contains(report({"verify-run", run}).err, "the signature was not checked"));
  const support::Finished bad = report({"verify-run", run, "--trust", keys.other});
  CHECK(bad.code == 4);
  CHECK(contains(bad.out, "E2 SHA256SUMS.sig: is not a signature of this SHA256SUMS by the trusted key. "));
  CHECK(trainer({"verify-run", run, "--trust", keys.other}).code == 4);
  CHECK(report({"report", run, "--trust", keys.trusted}).code == 0);
  CHECK(report({"report", run, "--trust", keys.other}).code == 4);
  // With openssl alone.
  const support::Finished openssl =
      support::run_process({"openssl", "pkeyutl", "-verify", "-pubin", "-inkey", keys.trusted, "-rawin",
                            "-in", run + "/SHA256SUMS", "-sigfile", run + "/SHA256SUMS.sig"});
  if (!contains(openssl.err, "not found")) CHECK(openssl.code == 0);
}

TEST_CASE("a key that cannot sign is refused before anything is trained") {
  const World& w = world();
  const Keys keys;
  for (const std::string& key : {keys.trusted, keys.mine + ".missing", w.pack + "/pack.json"}) {
    CAPTURE(key);
    const support::Finished finished = trainer(w.run("no_retention", "refused", {"--key", key}));
    CHECK((finished.code == 2 || finished.code == 3));
    CHECK_FALSE(fs::exists(w.root + "/refused"));
  }
}

TEST_CASE("sign-run signs a run that was made without a key, and none that somebody edited") {
  const World& w = world();
  const Keys keys;
  World::ok(trainer(w.run("no_retention", "unsigned", {"--num-epochs", "2"})));
  const std::string run = w.only_run("unsigned").string();
  const support::Finished missing = report({"verify-run", run, "--trust", keys.trusted});
  CHECK(missing.code == 4);
  CHECK(contains(missing.out, "is missing, and a signature is required"));
  const support::Finished made = report({"sign-run", run, "--key", keys.mine});
  World::ok(made);
  CHECK(made.out == report({"verify-run", run, "--quiet", "--trust", keys.trusted}).out);
  CHECK(report({"sign-run", run, "--key", keys.others}).code == 2);
  fs::remove(run + "/SHA256SUMS.sig");
  // A number that is typed in, with a new SHA256SUMS over it.
  common::Json metrics = json_of(run + "/metrics.json");
  metrics["validation"]["vl_safe_accuracy"] = 0.999;
  support::put_file(run + "/metrics.json", common::dump_pretty(metrics));
  World::ok(support::run_process(
      {"bash", "-c",
       "find . -type f ! -name SHA256SUMS -printf '%P\\n' | LC_ALL=C sort | xargs sha256sum > ../sums && mv "
       "../sums SHA256SUMS"},
      run));
  const support::Finished edited = report({"verify-run", run});
  CHECK(edited.code == 1);
  CHECK(contains(edited.out, "R5 metrics.json: validation.vl_safe_accuracy is 0.999; "));
  CHECK(report({"sign-run", run, "--key", keys.mine}).code == 1);
  CHECK_FALSE(fs::exists(run + "/SHA256SUMS.sig"));
  CHECK(report({"verify-run", w.root + "/nothing"}).code == 3);
}

#endif
