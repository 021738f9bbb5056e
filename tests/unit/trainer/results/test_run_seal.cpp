#include "trainer/results/run_seal.hpp"

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"
#include "packer/check/sign.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/results/run_directory.hpp"

#include <doctest/doctest.h>

using namespace trainer;
namespace fs = std::filesystem;

namespace {

const common::Digest k_sealed_config = common::digest_of("a configuration");
// 2026-01-02 03:04:05 UTC.
const auto k_sealed_at = std::chrono::system_clock::from_time_t(1767323045);

// Its files are those of a run; what they say is not looked at here.
fs::path sealed_run(const fs::path& root) {
  RunDirectory run = RunDirectory::create(root, "full_safe", k_sealed_config, k_sealed_at);
  run.write_config({{"variant", "full_safe"}, {"config_digest", k_sealed_config.hex()}, {"seed", 42}});
  run.write_metrics(Metrics{});
  run.write_subset_indices({0, 1, 2});
  run.write_timings(common::Json::object());
  run.write_predictions({});
  run.history().append({{"step", 1}, {"loss", 0.5}});
  common::write_file(run.checkpoints() / "adapter.safetensors", "weights");
  return run.path();
}

RunSealCheck check_of(const fs::path& run, const std::optional<common::PublicKey>& key = {}) {
  return check_run_seal(common::Folder::open(run), key);
}

std::string what_of(const common::Findings& findings) {
  std::string all;
  for (const common::Finding& finding : findings) all += common::describe(finding) + "\n";
  return all;
}

}  // namespace

TEST_CASE("a sealed run verifies, here and with sha256sum") {
  const support::Scratch scratch;
  const fs::path run = sealed_run(scratch.path());
  const common::Digest seal = seal_run(run);
  CHECK(seal == common::digest_file(run / common::k_seal_name).digest);
  const RunSealCheck check = check_of(run);
  CHECK(what_of(check.findings) == "");
  CHECK(check.digest == seal);
  CHECK(check.signature == RunSignature::absent);
  CHECK(support::run_process({"sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"}, run).code == 0);
}

TEST_CASE("a run seals whatever it keeps, a pack of its own with the longest names included") {
  const support::Scratch scratch;
  const fs::path run = sealed_run(scratch.path());
  const std::string longest = "audio/" + std::string(common::PackPath::k_limit_bytes - 6, 'x');
  fs::create_directories(run / "source_pack/audio");
  support::put_file(run / "source_pack/SHA256SUMS", "sums");
  support::put_file(run / "source_pack" / longest, "");
  seal_run(run);
  CHECK(what_of(check_of(run).findings) == "");
  support::put_file(run / "source_pack/SHA256SUMS", "sumz");
  CHECK(check_of(run).findings.size() == 1);
}

TEST_CASE("a run without a checkpoint is sealed without an empty folder") {
  const support::Scratch scratch;
  const fs::path run = sealed_run(scratch.path());
  fs::remove(run / "checkpoints/adapter.safetensors");
  seal_run(run);
  CHECK(what_of(check_of(run).findings) == "");
}

TEST_CASE("a name that sha256sum would write another way is not sealed") {
  const support::Scratch scratch;
  const fs::path run = sealed_run(scratch.path());
  support::put_file(run / "a\\b", "");
  CHECK_THROWS_WITH_AS(seal_run(run), doctest::Contains("invalid path"), common::Error);
}

TEST_CASE("two runs that wrote the same bytes have the same seal") {
  const support::Scratch scratch;
  CHECK(seal_run(sealed_run(scratch / "a")) == seal_run(sealed_run(scratch / "b")));
}

TEST_CASE("an unfinished run is not sealed") {
  const support::Scratch scratch;
  const fs::path run = sealed_run(scratch.path());
  fs::rename(run / "metrics.json", run / ".metrics.json.draft");
  CHECK_THROWS_AS(seal_run(run), common::Error);
  fs::remove(run / ".metrics.json.draft");
  CHECK_THROWS_WITH_AS(seal_run(run), doctest::Contains("F1 metrics.json"), common::Error);
  CHECK_FALSE(fs::exists(run / common::k_seal_name));
}

TEST_CASE("every change to a sealed run is found and named") {
  using Damage = void (*)(const fs::path&);
  struct Case {
    const char* finding;
    Damage damage;
  };
  const Case cases[] = {
      {"F2 history.jsonl: has SHA-256",
       [](const fs::path& run) { support::put_file(run / "history.jsonl", "x"); }},
      {"F1 checkpoints/adapter.safetensors: is missing",
       [](const fs::path& run) { fs::remove(run / "checkpoints/adapter.safetensors"); }},
      {"F3 extra.txt: ", [](const fs::path& run) { support::put_file(run / "extra.txt", ""); }},
      {"F4 timings.json: is a symlink",
       [](const fs::path& run) {
         fs::rename(run / "timings.json", run.parent_path() / "elsewhere");
         fs::create_symlink(run.parent_path() / "elsewhere", run / "timings.json");
       }},
      {"F5 empty: ", [](const fs::path& run) { fs::create_directory(run / "empty"); }},
      {"S2 SHA256SUMS: line 1",
       [](const fs::path& run) {
         support::put_file(run / "SHA256SUMS", "zz" + support::text_of_file(run / "SHA256SUMS"));
       }},
      {"S3 SHA256SUMS: line 8",
       [](const fs::path& run) {
         const std::string sums = support::text_of_file(run / "SHA256SUMS");
         support::put_file(run / "SHA256SUMS", sums + sums);
       }},
      {"S5 metrics.json: is required",
       [](const fs::path& run) {
         fs::remove(run / "metrics.json");
         std::string sums = support::text_of_file(run / "SHA256SUMS");
         const std::size_t at = sums.find("metrics.json");
         sums.erase(at - 66, 66 + std::string("metrics.json\n").size());
         support::put_file(run / "SHA256SUMS", sums);
       }},
      {"S1 SHA256SUMS: is missing: the run was never finished",
       [](const fs::path& run) { fs::remove(run / "SHA256SUMS"); }},
      {"S2 SHA256SUMS: line 7: the last line does not end",
       [](const fs::path& run) {
         fs::resize_file(run / "SHA256SUMS", fs::file_size(run / "SHA256SUMS") - 1);
       }},
      {"S7 SHA256SUMS.sig: has 3 bytes",
       [](const fs::path& run) { support::put_file(run / "SHA256SUMS.sig", "abc"); }},
  };
  for (const Case& one : cases) {
    CAPTURE(one.finding);
    const support::Scratch scratch;
    const fs::path run = sealed_run(scratch.path());
    seal_run(run);
    one.damage(run);
    const std::string found = what_of(check_of(run).findings);
    CHECK_MESSAGE(found.find(one.finding) != std::string::npos, found);
  }
}

TEST_CASE("a run that is signed when it is sealed is trusted by that key alone") {
  const support::Scratch scratch;
  const common::SecretKey key = common::SecretKey::generate(), other = common::SecretKey::generate();
  const fs::path run = sealed_run(scratch.path());
  const common::Digest seal = seal_run(run, &key);
  CHECK(fs::file_size(run / common::k_signature_name) == common::k_signature_bytes);
  CHECK(check_of(run).signature == RunSignature::not_checked);
  const RunSealCheck good = check_of(run, key.public_key());
  CHECK(good.signature == RunSignature::good);
  CHECK(what_of(good.findings) == "");
  CHECK(good.digest == seal);
  const RunSealCheck bad = check_of(run, other.public_key());
  CHECK(bad.signature == RunSignature::refused);
  CHECK(what_of(bad.findings) ==
        "E2 SHA256SUMS.sig: is not a signature of this SHA256SUMS by the trusted key\n");
}

TEST_CASE("signing a run changes neither its seal nor the bytes that a pack's signature would have") {
  const support::Scratch scratch;
  const common::SecretKey key = common::SecretKey::generate();
  const fs::path signed_run = sealed_run(scratch / "a"), plain = sealed_run(scratch / "b");
  CHECK(seal_run(signed_run, &key) == seal_run(plain));
  const common::Bytes seal = common::read_file(plain / common::k_seal_name, common::k_seal_limit_bytes),
                      signature = common::read_file(signed_run / common::k_signature_name, 64);
  CHECK(key.public_key().verifies(seal, signature));
}

TEST_CASE("where the trusted key did not sign a run, nothing else of it is looked at") {
  const support::Scratch scratch;
  const common::SecretKey key = common::SecretKey::generate();
  using Damage = void (*)(const fs::path&);
  const Damage damages[] = {[](const fs::path& run) { fs::remove(run / "SHA256SUMS.sig"); },
                            [](const fs::path& run) { support::put_file(run / "SHA256SUMS", "not a seal"); },
                            [](const fs::path& run) {
                              std::string sums = support::text_of_file(run / "SHA256SUMS");
                              sums[0] = sums[0] == '0' ? '1' : '0';
                              support::put_file(run / "SHA256SUMS", sums);
                            }};
  for (const Damage& damage : damages) {
    const support::Scratch place;
    const fs::path run = sealed_run(place.path());
    (void)seal_run(run, &key);
    damage(run);
    const RunSealCheck check = check_of(run, key.public_key());
    REQUIRE(check.findings.size() == 1);
    CHECK(check.findings.front().rule == "E2");
    CHECK(common::kind_of(check.findings) == common::ErrorKind::signature);
  }
}

TEST_CASE("a file of a run is read as its seal had it when the run was checked, or refused") {
  const support::Scratch scratch;
  const fs::path run = sealed_run(scratch.path());
  const common::Digest seal = seal_run(run);
  const std::string name = "subset_indices.json", text = support::text_of_file(run / name);
  CHECK(common::text_of(read_sealed(run, seal, name)) == text);
  CHECK_THROWS_AS((void)read_sealed(run, common::digest_of("another"), name), common::Error);
  support::put_file(run / name, text + " ");
  CHECK_THROWS_AS((void)read_sealed(run, seal, name), common::Error);
  // Not even with a seal that fits again: it is not the one that was checked.
  fs::remove(run / "SHA256SUMS");
  (void)seal_run(run);
  CHECK_THROWS_AS((void)read_sealed(run, seal, name), common::Error);
  CHECK_THROWS_AS((void)read_sealed(run, common::digest_file(run / "SHA256SUMS").digest, "absent.json"),
                  common::Error);
}
