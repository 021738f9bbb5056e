// The memory that hostile inputs take. Their time is printed by bench_attacks and only bounded roughly here:
// a test's machine may be slow.
#include <set>

#include "common/json.hpp"
#include "packer/check/verify.hpp"
#include "tests/support/attacks.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

TEST_CASE("a megabyte of a stranger takes no more than 256 MiB, and ends") {
  constexpr rlim_t k_limit_s = 60;
  constexpr std::uint64_t k_large_bytes = std::uint64_t{100} << 20;
  const support::Scratch scratch;
  for (const support::Attack& attack : support::write_attacks(scratch / "attacks", k_large_bytes)) {
    CAPTURE(attack.name);
    const support::Cost cost =
        support::cost_of(std::string(SAFE_BIN) + "/safe-packer", attack.arguments, k_limit_s);
    // A repair may find what it needs.
    CHECK((cost.code == 1 || (cost.code == 0 && attack.arguments.front() == "repair")));
    // Sanitizers take memory of their own.
#ifndef SAFE_SANITIZED
    CHECK(cost.memory_kib <= 256 << 10);
#endif
  }
}

TEST_CASE("verify --json prints every finding, whatever bytes a name has, and no terminal is acted on") {
  const support::Scratch scratch;
  const auto pack = packer::build_pack(support::small_sources(scratch.path())).location;
  support::put(pack / "audio" / "train" / "caf\xe9\x1b[31m.wav", std::string("x"));
  support::put(pack / "README.txt", std::string("changed"));
  const std::string program = std::string(SAFE_BIN) + "/safe-packer";
  const auto json = support::run_process({program, "verify", "--json", pack.string()});
  CHECK(json.code == 1);
  const common::Json report = common::parse_json(json.out, "stdout");
  std::set<std::string> found;
  for (const common::Json& finding : report.at("findings"))
    found.insert(finding.at("rule").get<std::string>() + " " + finding.at("path").get<std::string>());
  CHECK(found == std::set<std::string>{"F3 audio/train/caf\\xe9\x1b[31m.wav", "F6 README.txt"});
  CHECK(json.out.find('\x1b') == std::string::npos);
  const auto text = support::run_process({program, "verify", pack.string()});
  CHECK(text.err.find("caf\\xe9\\x1b[31m.wav") != std::string::npos);
  CHECK((text.out + text.err).find('\x1b') == std::string::npos);
}

TEST_CASE("a file whose size is known to be wrong is told by its size, and its bytes are nobody's affair") {
  const support::Scratch scratch;
  const auto pack = packer::build_pack(support::small_sources(scratch.path())).location;
  std::filesystem::resize_file(pack / "audio/train/video_1.wav", std::uint64_t{1} << 40);
  std::filesystem::resize_file(pack / "val_manifest.json", std::uint64_t{1} << 40);
  const packer::Report report = packer::verify(pack, {});
  std::set<std::string> found;
  for (const common::Finding& finding : report.findings) found.insert(finding.rule + " " + finding.path);
  CHECK(found == std::set<std::string>{"F7 audio/train/video_1.wav", "F7 val_manifest.json"});
}
