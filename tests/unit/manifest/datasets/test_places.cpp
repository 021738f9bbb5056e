#include "manifest/datasets/places.hpp"

#include <algorithm>
#include <filesystem>

#include "manifest/datasets/data_sets.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

namespace {

// A folder with empty files.
class Files {
 public:
  explicit Files(const Names& names) {
    for (const std::string& name : names) put(name);
  }
  void put(const std::string& name) const {
    fs::create_directories((scratch_ / name).parent_path());
    support::put_file(scratch_ / name, "x");
  }
  [[nodiscard]] const fs::path& root() const { return scratch_.path(); }
  // The clip "abc" of the row 77, which begins at 30 s.
  [[nodiscard]] manifest::Found find_clip() const {
    manifest::FolderTree tree(scratch_.path());
    return manifest::find_sound(manifest::original_sound_set().sources(clip()), tree.tree());
  }
  [[nodiscard]] std::string clip_path() const { return find_clip().path; }
  [[nodiscard]] std::string picture_path(const std::string& name) const {
    manifest::FolderTree tree(scratch_.path());
    return manifest::find_picture(manifest::question_set().sources(name), tree.tree()).path;
  }
  static manifest::ClipEntry clip() { return {"77", "abc", 30.0, "A dog barks", {}, "audio/train/abc.wav"}; }

 private:
  support::Scratch scratch_;
};

}  // namespace

TEST_CASE("a clip is found as its manifest calls it, then with the other suffixes of sound") {
  Files files({"audio/train/abc.opus"});
  CHECK(files.clip_path() == "audio/train/abc.opus");
  for (const char* suffix : {".ogg", ".mp3", ".flac", ".wav"}) {
    files.put(std::string("audio/train/abc") + suffix);
    CHECK(files.clip_path() == std::string("audio/train/abc") + suffix);
  }
}

TEST_CASE("a clip is found by each name that downloaders give, in capitals too") {
  for (const char* name : {"Yabc.wav", "abc_30.000_40.000.wav", "Yabc_30.000_40.000.flac", "abc_30_40.wav",
                           "abc_30000_40000.m4a", "Yabc_30000_40000.webm", "abc_30.0_40.0.mp4", "abc_30.flac",
                           "77.ogg", "abc.WAV", "abc.M4A", "Yabc.FLAC"})
    for (const char* folder : {"audio/train/", "train/", "audio/", ""})
      CHECK(Files({std::string(folder) + name, "audio/train/other.wav"}).clip_path() ==
            folder + std::string(name));
  for (const char* name : {"abc_40_50.wav", "xabc.wav", "abcd.wav", "78.wav", "abc.txt", "abc"})
    CHECK_MESSAGE(Files({std::string("audio/train/") + name}).clip_path().empty(), name);
}

TEST_CASE("a clip's own name wins over all others; of two other names in a folder none is taken") {
  Files files({"audio/train/Yabc.wav", "audio/train/77.ogg"});
  const manifest::Found found = files.find_clip();
  CHECK(found.path.empty());
  CHECK(found.rivals == Names{"audio/train/Yabc.wav", "audio/train/77.ogg"});
  files.put("audio/abc.flac");
  CHECK(files.clip_path() == "audio/abc.flac");
  CHECK(files.find_clip().rivals.empty());
}

TEST_CASE("a picture of COCO is found by its number, whatever the year of its name") {
  const std::string in_2014 = "COCO_val2014_000000000100.jpg", in_2017 = "000000000100.jpg";
  CHECK(Files({"val2017/" + in_2017}).picture_path(in_2014) == "val2017/" + in_2017);
  CHECK(Files({"images/train2017/" + in_2017}).picture_path(in_2014) == "images/train2017/" + in_2017);
  CHECK(Files({"val2014/" + in_2014}).picture_path(in_2017) == "val2014/" + in_2014);
  CHECK(Files({"coco/train2014/COCO_train2014_000000000100.jpg"}).picture_path(in_2017) ==
        "coco/train2014/COCO_train2014_000000000100.jpg");
  CHECK(Files({"val2017/" + in_2017, "val2014/" + in_2014}).picture_path(in_2014) == "val2014/" + in_2014);
  CHECK(Files({"val2017/000000000101.jpg"}).picture_path(in_2014).empty());
  CHECK(Files({"val2017/" + in_2017}).picture_path("other.jpg").empty());
}

TEST_CASE("a picture's number is known from either year's name, and a name that only looks so has none") {
  const auto image_id = manifest::question_set().image_id;
  CHECK(image_id("COCO_val2014_000000000387.jpg") == 387);
  CHECK(image_id("000000000387.jpg") == 387);
  for (const char* name : {"COCO_387.jpg", "COCO_val2014_000000000387.png", "COCO_val2014_00000000038x.jpg"})
    CHECK_MESSAGE(image_id(name) == -1, name);
  for (const char* name : {"387.jpg", "000000000387.png", "x.jpg", ""}) CHECK_MESSAGE(!image_id(name), name);
  CHECK(manifest::question_set().image_filename("val2017", 387) == "000000000387.jpg");
  CHECK(manifest::question_set().image_filename("train2014", 387) == "COCO_train2014_000000000387.jpg");
}

TEST_CASE("where things are as the manifest says, no folder is listed, and each other folder is once") {
  const Files files({"audio/train/abc.wav"});
  std::vector<std::string> listed;
  bool is_there = true;
  const manifest::Tree tree{
      [&](const std::string& folder, std::string_view) {
        listed.push_back(folder);
        return false;
      },
      [&](const std::string& path) { return is_there && path == "audio/train/abc.wav"; }};
  const manifest::Places places = manifest::original_sound_set().sources(Files::clip());
  CHECK(manifest::find_sound(places, tree).path == "audio/train/abc.wav");
  CHECK(listed.empty());
  is_there = false;
  CHECK(manifest::find_sound(places, tree).path.empty());
  CHECK(!listed.empty());
}

TEST_CASE("tables are found in either convention, the flat one first") {
  const Files files({});
  const auto found = [&](const Names& names) {
    return manifest::first_file(files.root(), names).lexically_relative(files.root()).string();
  };
  const Names questions = manifest::question_set().questions("train2014");
  CHECK(found(questions) == "v2_OpenEnded_mscoco_train2014_questions.json");
  files.put("Questions/v2_OpenEnded_mscoco_train2014_questions.json");
  CHECK(found(questions) == "Questions/v2_OpenEnded_mscoco_train2014_questions.json");
  files.put("questions/v2_OpenEnded_mscoco_train2014_questions.json");
  CHECK(found(questions) == "questions/v2_OpenEnded_mscoco_train2014_questions.json");
  files.put("annotations/v2_mscoco_val2014_annotations.json");
  CHECK(found(manifest::question_set().annotations("val2014")) ==
        "annotations/v2_mscoco_val2014_annotations.json");
  const auto tables = manifest::original_sound_set().tables;
  files.put("audiocaps_val.jsonl");
  CHECK(found(tables("val")) == "audiocaps_val.jsonl");
  files.put("metadata/val.csv");
  CHECK(found(tables("val")) == "metadata/val.csv");
}

TEST_CASE("a file may be a link to one; a folder of that name is no file") {
  const Files files({"elsewhere"});
  fs::create_directories(files.root() / "audio/train/abc.wav");
  CHECK(files.clip_path().empty());
  fs::create_symlink(files.root() / "elsewhere", files.root() / "audio/train/abc.mp3");
  CHECK(files.clip_path() == "audio/train/abc.mp3");
  fs::remove(files.root() / "elsewhere");
  CHECK(files.clip_path().empty());
}

TEST_CASE("a name is found in either normal form of Unicode, and what lies there in both is ambiguous") {
  const std::string composed = "M\xc3\xbcll", decomposed = "Mu\xcc\x88ll";
  const manifest::SoundSet& clotho = *manifest::find_sound_set("clotho");
  const auto found = [&](const std::string& clip_id, const Files& files) {
    const manifest::ClipEntry clip{"",  clip_id, std::nullopt,
                                   "c", {},      "audio/development/" + clotho.pack_stem(clip_id) + ".wav"};
    manifest::FolderTree tree(files.root());
    return manifest::find_sound(clotho.sources(clip), tree.tree());
  };
  for (const std::string& asked : {composed, decomposed})
    for (const std::string& there : {composed, decomposed})
      for (const char* suffix : {".wav", ".flac"}) {
        const Files files({"development/" + there + suffix, "development/other.wav"});
        CHECK(found(asked + ".wav", files).path == "development/" + there + suffix);
      }
  const Files both({"development/" + composed + ".wav", "development/" + decomposed + ".wav"});
  for (const std::string& asked : {composed, decomposed}) {
    const manifest::Found none = found(asked + ".wav", both);
    CHECK(none.path.empty());
    Names rivals = none.rivals;
    std::sort(rivals.begin(), rivals.end());
    CHECK(rivals == Names{"development/" + decomposed + ".wav", "development/" + composed + ".wav"});
  }
}
