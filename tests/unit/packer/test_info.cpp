#include "packer/info.hpp"

#include <doctest/doctest.h>

namespace {

packer::PackInfo sample() {
  packer::PackInfo info;
  info.name = "data_pack";
  info.inputs = {
      {packer::Role::subset_manifest, common::digest_of("x"), "caf\xc3\xa9", "AudioCaps", -3, 2, 1}};
  info.missing = {{packer::Role::subset_manifest, "id", "audio/train/id.wav", "no source file"}};
  packer::FileInfo clip{common::PackPath("audio/train/a.wav"), packer::Role::clip, 44, {}, {}};
  clip.clip = packer::ClipFacts{48000, 2, 480000, packer::Making::cut, common::digest_of("source"), 1440000};
  packer::FileInfo image{common::PackPath("images/a.jpg"), packer::Role::image, 7, {}, {}};
  image.image = packer::ImageFacts{640, 480};
  info.files = {{common::PackPath("README.txt"), packer::Role::readme, 5, {}, {}}, clip, image};
  return info;
}

bool has_rule(const std::string& text, const std::string& rule) {
  packer::Findings findings;
  (void)packer::parse_info(text, findings);
  for (const packer::Finding& finding : findings)
    if (finding.rule == rule) return true;
  return false;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

}  // namespace

TEST_CASE("pack.json reads back to the value that was written") {
  packer::Findings findings;
  const auto info = packer::parse_info(packer::write_info(sample()), findings);
  CHECK(findings.empty());
  REQUIRE(info);
  CHECK(*info == sample());
}

TEST_CASE("pack.json can be written in one way only") {
  const std::string good = packer::write_info(sample());
  CHECK(has_rule(good + "\n", "P1"));
  CHECK(has_rule(replaced(good, "\"bytes\": 44", "\"bytes\":  44"), "P1"));
  CHECK(has_rule(replaced(good, "\"bytes\": 44", "\"bytes\": 44, \"host\": \"here\""), "P1"));
  CHECK(has_rule(replaced(good, "\"bytes\": 44", "\"bytes\": -44"), "P1"));
  CHECK(has_rule(replaced(good, "\"role\": \"clip\"", "\"role\": \"song\""), "P1"));
  CHECK(has_rule(replaced(good, "safe-pack", "other-pack"), "P1"));
  CHECK(has_rule(good.substr(0, good.size() / 2), "P1"));
  CHECK(has_rule(replaced(good, "\"format_version\": 1", "\"format_version\": 2"), "P2"));
  CHECK(has_rule(replaced(good, "\"name\": \"data_pack\"", "\"name\": \"../up\""), "P3"));
  CHECK(has_rule(replaced(good, "\"role\": \"readme\"", "\"role\": \"captions\""), "P5"));
  CHECK(has_rule(replaced(good, "\"bytes\": 44", "\"bytes\": 8589934592"), "F7"));
}
