#include "manifest/datasets/clotho.hpp"

#include <set>

#include "common/path.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "manifest/select.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

namespace {

const std::vector<std::string> k_names = {"Rain (heavy) [night].wav",
                                          "rain (heavy) [night].wav",
                                          "Rain_(heavy)_[night].wav",
                                          "Rain (heavy) [night].WAV",
                                          "\xe9\x9b\xa8.wav",
                                          "\xe9\x9c\xa7.wav",
                                          "it's \"loud\", isn't it.wav",
                                          "a.b. wav.wav",
                                          "-rf.wav",
                                          ".hidden.wav",
                                          "con.wav",
                                          std::string(240, 'x') + ".wav",
                                          std::string(241, 'x') + ".wav"};

manifest::SubsetManifest chosen(const std::string& split) {
  std::vector<manifest::ClipEntry> rows;
  for (const std::string& name : {std::string("b c.wav"), std::string("a.wav")}) {
    manifest::ClipEntry row{name, name, std::nullopt, "one", {"two", "three", "four", "five"}, ""};
    if (name == "a.wav") {
      row.source = "https://example.org/1";
      row.author = "Ren\xc3\xa9";
      row.licence = "http://creativecommons.org/licenses/by/3.0/";
    }
    rows.push_back(row);
  }
  manifest::ClipRequest request{split, 0, 42, {}, &manifest::clotho()};
  return manifest::select_clips(rows, request, {}).manifest;
}

}  // namespace

TEST_CASE("every file name of Clotho has a name in a pack, and no two have one that differs only in case") {
  std::set<std::string> names;
  for (const std::string& name : k_names) {
    CAPTURE(name);
    CHECK(manifest::clotho().why_not_a_clip(name).empty());
    std::string stem = manifest::clotho().pack_stem(name);
    CHECK(common::why_not_a_pack_path("audio/development/" + stem + ".flac", 80).empty());
    for (char& c : stem)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    CHECK(names.insert(stem).second);
  }
  CHECK(manifest::clotho().pack_stem("Rain (heavy) [night].wav").starts_with("Rain_heavy_night-"));
  for (const char* name : {"", ".", "..", "a/b.wav", "a\nb.wav", "a\x7f"})
    CHECK_MESSAGE(!manifest::clotho().why_not_a_clip(name).empty(), name);
}

TEST_CASE("a clip of Clotho is found as Zenodo's archives unpack, under its own name") {
  const manifest::ClipEntry clip = chosen("development").entries[1];
  CHECK(clip.clip_id == "b c.wav");
  for (const char* folder :
       {"development/", "clotho_audio_files/development/", "clotho_audio_development/", ""}) {
    const support::Scratch scratch;
    std::filesystem::create_directories(scratch / (std::string(folder) + "x"));
    support::put_file(scratch / (std::string(folder) + "b c.wav"), "x");
    manifest::FolderTree tree(scratch.path());
    CHECK(manifest::find_sound(manifest::clotho().sources(clip), tree.tree()).path ==
          folder + std::string("b c.wav"));
  }
}

TEST_CASE("a manifest of Clotho has these bytes, and reads back") {
  manifest::SubsetManifest subset = chosen("development");
  subset.entries.resize(1);
  const std::string text = manifest::write_subset(subset);
  CHECK(text == R"({
  "subset_name": "clotho_overfit_v1",
  "description": "Clotho development subset (0 samples) for SAFE overfitting ablation",
  "seed": 42,
  "source_dataset": "Clotho development split",
  "data_set": "clotho",
  "audio_rel_root": "audio/development",
  "metadata_columns": [
    "file_name",
    "caption_1",
    "caption_2",
    "caption_3",
    "caption_4",
    "caption_5"
  ],
  "entries": [
    {
      "clip_id": "a.wav",
      "caption": "one",
      "captions": [
        "two",
        "three",
        "four",
        "five"
      ],
      "audio_relpath": "audio/development/a-bc30c538c410.wav",
      "source": "https://example.org/1",
      "author": "Ren\u00e9",
      "licence": "http://creativecommons.org/licenses/by/3.0/"
    }
  ]
})");
  const manifest::SubsetManifest again = manifest::parse_subset(text, "m.json");
  CHECK(again.data_set == "clotho");
  CHECK(manifest::write_subset(again) == text);
  CHECK(manifest::captions_line(again.entries[0])
            .starts_with(R"({"clip_id": "a.wav", "caption": "one", "captions")"));
}

TEST_CASE("a named data set stands before the rows, in our own keys; the original's has neither") {
  const std::string text = manifest::write_subset(chosen("validation"));
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return changed;
  };
  CHECK_THROWS((void)manifest::parse_subset(replaced("\"data_set\": \"clotho\",", ""), "m"));
  CHECK_THROWS((void)manifest::parse_subset(replaced("\"clotho\"", "\"Clotho!\""), "m"));
  CHECK_THROWS((void)manifest::parse_subset(replaced("\"clip_id\"", "\"youtube_id\""), "m"));
  const manifest::SubsetManifest unknown = manifest::parse_subset(replaced("\"clotho\"", "\"music\""), "m");
  CHECK_THROWS_WITH((void)manifest::sound_set_of(unknown),
                    doctest::Contains("\"music\", which this program does not know (audiocaps, clotho)"));
}
