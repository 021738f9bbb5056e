// pack.json of each version, byte for byte: a pack that was made once opens for ever, and one that needs
// nothing new is written as it always was.
#include "packer/format/parse_info.hpp"

#include <doctest/doctest.h>

namespace {

const std::string k_version_1 = R"({
  "format": "safe-pack",
  "format_version": 1,
  "name": "data_pack",
  "recipe": {
    "strategy": "manifests",
    "clip_s": 10.0,
    "inputs": [
      {"manifest": "subset_manifest", "subset_name": "audiocaps_overfit_v1", "source_dataset": "AudioCaps train split", "seed": 42, "rows": 2, "packed": 1, "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"},
      {"manifest": "val_manifest", "subset_name": "vqa_val_overfit_v1", "source_dataset": "VQA v2 validation", "seed": 123, "rows": 1, "packed": 1, "sha256": "a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa", "recipe": {"strategy": "original", "population": 7, "sources": [{"table": "questions", "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "licence": {"name": "MIT"}}]}}
    ]
  },
  "licences": [
    {"manifest": "subset_manifest", "source_dataset": "AudioCaps train split", "licence": null},
    {"manifest": "val_manifest", "source_dataset": "VQA v2 validation", "licence": [{"name": "MIT"}]},
    {"images": 3, "name": "Attribution License", "url": "http://creativecommons.org/licenses/by/2.0/"}
  ],
  "missing": [
    {"manifest": "subset_manifest", "id": "x", "file": "audio/train/x.wav", "reason": "no source file"}
  ],
  "files": [
    {"path": "README.txt", "role": "readme", "bytes": 119},
    {"path": "audio/train/a.wav", "role": "clip", "bytes": 960044, "rate_hz": 48000, "channels": 1, "frames": 480000, "made": "cut", "first_frame": 1440000, "source_sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"},
    {"path": "images/COCO_val2014_000000000387.jpg", "role": "image", "bytes": 160211, "width": 640, "height": 480, "licence": 3, "source": "http://farm9.staticflickr.com/x.jpg"}
  ]
}
)";

const std::string k_version_2 = R"({
  "format": "safe-pack",
  "format_version": 2,
  "name": "data_pack",
  "recipe": {
    "strategy": "manifests",
    "clip_s": 10.0,
    "inputs": [
      {"manifest": "subset_manifest", "subset_name": "clotho_overfit_v1", "source_dataset": "Clotho development split", "seed": 42, "rows": 1, "packed": 1, "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "data_set": "clotho", "clip_s": null}
    ]
  },
  "licences": [
    {"manifest": "subset_manifest", "source_dataset": "Clotho development split", "licence": null},
    {"clips": 1, "name": "", "url": "http://creativecommons.org/licenses/by/3.0/"},
    {"clips": 2, "name": "Sampling+", "url": ""}
  ],
  "missing": [],
  "files": [
    {"path": "audio/development/a-bc30c538c410.wav", "role": "clip", "bytes": 1764044, "rate_hz": 44100, "channels": 1, "frames": 882000, "made": "copied", "licence": 1, "source": "https://example.org/1"}
  ]
}
)";

std::string again(const std::string& text) {
  common::Findings findings;
  const auto info = packer::parse_info(text, findings);
  CHECK(findings.empty());
  REQUIRE(info);
  return packer::write_info(*info);
}

bool has_rule(std::string text, const std::string& from, const std::string& to, const std::string& rule) {
  text.replace(text.find(from), from.size(), to);
  common::Findings findings;
  (void)packer::parse_info(text, findings);
  for (const common::Finding& finding : findings)
    if (finding.rule == rule) return true;
  return false;
}

}  // namespace

TEST_CASE("pack.json of either version reads, and is written as it was") {
  CHECK(again(k_version_1) == k_version_1);
  CHECK(again(k_version_2) == k_version_2);
}

TEST_CASE("a pack has the lowest version that can say what it states, and no other") {
  CHECK(has_rule(k_version_1, "\"format_version\": 1", "\"format_version\": 2", "P1"));
  CHECK(has_rule(k_version_2, "\"format_version\": 2", "\"format_version\": 1", "P1"));
  CHECK(has_rule(k_version_2, "\"format_version\": 2", "\"format_version\": 3", "P2"));
}

TEST_CASE("what version 2 states is closed: a data set with its clips' length, licences that are listed") {
  CHECK(has_rule(k_version_2, ", \"clip_s\": null", "", "P1"));
  CHECK(has_rule(k_version_2, "\"clip_s\": null", "\"clip_s\": 2.5", "P1"));
  CHECK(has_rule(k_version_2, "\"data_set\": \"clotho\", ", "", "P1"));
  CHECK(has_rule(k_version_2, "\"licence\": 1", "\"licence\": 3", "P7"));
  CHECK(has_rule(k_version_2, "\"clips\": 1, \"name\": \"\", ", "\"clips\": 1, ", "P1"));
}
