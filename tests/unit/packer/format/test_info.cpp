#include "packer/format/parse_info.hpp"

#include "common/sealed/finding_limit.hpp"

#include <doctest/doctest.h>

namespace {

packer::PackInfo sample() {
  packer::PackInfo info;
  info.name = "data_pack";
  info.inputs = {
      {packer::Role::subset_manifest, common::digest_of("x"), "caf\xc3\xa9", "AudioCaps", -3, 2, 1}};
  info.inputs[0].recipe =
      manifest::Recipe{"original",
                       7,
                       {{"metadata", common::digest_of("table"), manifest::Licence{"MIT", ""}},
                        {"excluded", common::digest_of("other")}},
                       {{"gone", "no file"}}};
  info.inputs.push_back({packer::Role::val_manifest, common::digest_of("y"), "val", "VQA v2", 1, 2, 2});
  info.image_licences = {{3, "Attribution License", "http://creativecommons.org/licenses/by/2.0/"}};
  info.missing = {{packer::Role::subset_manifest, "id", "audio/train/id.wav", "no source file"}};
  packer::FileInfo clip{common::PackPath("audio/train/a.wav"), packer::Role::clip, 44, {}, {}};
  clip.clip = packer::ClipFacts{48000, 2, 480000, packer::Making::cut, common::digest_of("source"), 1440000};
  packer::FileInfo image{common::PackPath("images/a.jpg"), packer::Role::image, 7, {}, {}};
  image.image = packer::ImageFacts{640, 480, 3, "http://farm9.staticflickr.com/x.jpg"};
  info.files = {{common::PackPath("README.txt"), packer::Role::readme, 5, {}, {}}, clip, image};
  return info;
}

bool has_rule(const std::string& text, const std::string& rule) {
  common::Findings findings;
  (void)packer::parse_info(text, findings);
  for (const common::Finding& finding : findings)
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
  common::Findings findings;
  const auto info = packer::parse_info(packer::write_info(sample()), findings);
  CHECK(findings.empty());
  REQUIRE(info);
  CHECK(*info == sample());
}

TEST_CASE("a pack has version 2 only where a clip states what version 1 has no member for") {
  CHECK(packer::format_version_of(sample()) == 1);
  for (const bool decoded : {false, true}) {
    packer::PackInfo info = sample();
    (decoded ? info.files[1].clip->by_ffmpeg : info.files[1].clip->silent) = true;
    const std::string text = packer::write_info(info);
    CHECK(text.find("\"format_version\": 2") != std::string::npos);
    CHECK(text.find(decoded ? R"("decoder": "ffmpeg"})" : R"("remarks": ["silent"]})") != std::string::npos);
    common::Findings findings;
    const auto back = packer::parse_info(text, findings);
    CHECK(findings.empty());
    REQUIRE(back);
    CHECK(*back == info);
    CHECK(has_rule(replaced(text, "\"format_version\": 2", "\"format_version\": 1"), "P1"));
    CHECK(has_rule(replaced(text, decoded ? "ffmpeg" : "silent", "else"), "P1"));
  }
}

TEST_CASE("licences are those that tables state, each once, and null where none does") {
  packer::PackInfo info = sample();
  info.inputs[0].recipe->sources.push_back(info.inputs[0].recipe->sources[0]);
  const common::Json licences = packer::licences_of(info);
  REQUIRE(licences.size() == 3);
  CHECK(common::dump_line(licences[0]["licence"]) == R"([{"name": "MIT"}])");
  CHECK(licences[1]["licence"].is_null());
  CHECK(
      common::dump_line(licences[2]) ==
      R"({"images": 3, "name": "Attribution License", "url": "http://creativecommons.org/licenses/by/2.0/"})");
  const std::string good = packer::write_info(sample());
  CHECK(has_rule(replaced(good, R"([{"name": "MIT"}])", R"([{"name": "none of your business"}])"), "P1"));
  CHECK(has_rule(replaced(good, R"("licence": null)", R"("licence": [])"), "P1"));
  CHECK(has_rule(replaced(good, R"("images": 3)", R"("images": 4)"), "P7"));
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
  CHECK(has_rule(replaced(good, "\"format_version\": 1", "\"format_version\": 3"), "P2"));
  CHECK(has_rule(replaced(good, "\"format_version\": 1", "\"format_version\": 0"), "P2"));
  // What version 1 can say is said in version 1.
  CHECK(has_rule(replaced(good, "\"format_version\": 1", "\"format_version\": 2"), "P1"));
  CHECK(has_rule(replaced(good, "\"name\": \"data_pack\"", "\"name\": \"../up\""), "P3"));
  CHECK(has_rule(replaced(good, "\"role\": \"readme\"", "\"role\": \"captions\""), "P5"));
  CHECK(has_rule(replaced(good, "\"bytes\": 44", "\"bytes\": 8589934592"), "F7"));
}

TEST_CASE("an unknown member, a wrong type or a list over its limit ends the reading where it stands") {
  const std::string good = packer::write_info(sample());
  const auto says = [](const std::string& text, const std::string& part) {
    common::Findings findings;
    (void)packer::parse_info(text, findings);
    REQUIRE(findings.size() == 1);
    CHECK(findings.front().rule == "P1");
    CHECK_MESSAGE(findings.front().what.find(part) != std::string::npos, findings.front().what);
  };
  // What stands behind is no JSON, and nobody has looked at it.
  says(R"({"format": "safe-pack", "more": %)", "unknown key \"more\"");
  says(R"({"format": "safe-pack", "format_version": 1, "licences": [[%)", "licences 1 is not a JSON object");
  says(R"({"format": "safe-pack", "format_version": 1, "files": [{"path": 1%)", "\"path\" must be a string");
  says(replaced(good, "\"bytes\": 44", "\"bytes\": 44, \"bytes\": 44"), "duplicate key \"bytes\"");
  std::string inputs = "{\"format\": \"safe-pack\", \"format_version\": 1, \"recipe\": {\"inputs\": [";
  const std::string row = packer::write_row(sample().inputs[1]);
  for (std::size_t i = 0; i <= packer::k_input_limit; ++i) inputs += (i == 0 ? "" : ", ") + row;
  says(inputs + "%", "\"inputs\" has more than 16 elements");
}

TEST_CASE("a rule that is broken in every row is not told for every row") {
  packer::PackInfo info = sample();
  const packer::FileInfo image = info.files.back();
  info.files.assign(30'000, image);
  common::Findings findings;
  (void)packer::parse_info(packer::write_info(info), findings);
  CHECK(findings.size() == common::k_finding_limit);
  CHECK(findings.back().what.find("the rest are not listed") != std::string::npos);
}

TEST_CASE("thousands of licences are written and read in linear time") {
  packer::PackInfo info = sample();
  info.inputs[0].recipe->sources.assign(manifest::k_source_limit.elements, info.inputs[0].recipe->sources[0]);
  std::size_t number = 0;
  for (auto& source : info.inputs[0].recipe->sources) source.licence->name = std::to_string(number++);
  common::Findings findings;
  const auto again = packer::parse_info(packer::write_info(info), findings);
  REQUIRE(again);
  CHECK(findings.empty());
  CHECK(*again == info);
}
