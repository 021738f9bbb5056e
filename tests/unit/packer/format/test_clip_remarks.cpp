#include "packer/format/clip_remarks.hpp"

#include <doctest/doctest.h>

namespace {

packer::FileInfo clip(const std::string& name, std::uint64_t frames) {
  packer::FileInfo file{common::PackPath("audio/train/" + name + ".wav"), packer::Role::clip, 44, {}, {}};
  file.clip = packer::ClipFacts{1000, 1, frames, packer::Making::copied, {}, {}};
  return file;
}

}  // namespace

TEST_CASE("short, silent, equal and cut clips are listed, each kind with its count") {
  packer::PackInfo info;
  info.files = {clip("a", 10000), clip("b", 9999), clip("c", 10000), clip("d", 10000)};
  info.files[2].clip->silent = true;
  info.files[3].clip->first_frame = 12000;
  std::vector<common::SumsLine> sums;
  for (const packer::FileInfo& file : info.files)
    sums.push_back(
        {file.path, common::digest_of(file.path.text() == "audio/train/d.wav" ? "a" : file.path.text())});
  sums[0].digest = common::digest_of("a");
  packer::ClipRemarks remarks = packer::remark_on_clips(info, sums);
  packer::remark_on_cuts(info, remarks);
  packer::remark_on_guesses({}, remarks);
  CHECK(
      packer::describe(remarks) ==
      std::vector<std::string>{
          "1 clip is shorter than 10 s: audio/train/b.wav (10 s)",
          "1 clip is silent (all samples are equal): audio/train/c.wav",
          "1 sound is there under several names: audio/train/a.wav = audio/train/d.wav",
          "1 clip is cut at start_time, because of the length of its source: audio/train/d.wav (from 12 s)"});
}

TEST_CASE("of many clips a line names the first five, and the list all") {
  packer::PackInfo info;
  for (int i = 0; i < 7; ++i) info.files.push_back(clip(std::to_string(i), 500));
  const packer::ClipRemarks remarks = packer::remark_on_clips(info, {});
  REQUIRE(remarks.size() == 1);
  CHECK(remarks[0].clips.size() == 7);
  CHECK_FALSE(packer::is_whole(remarks[0]));
  CHECK(packer::describe(remarks)[0].ends_with("audio/train/4.wav (0.5 s) and 2 more"));
  CHECK(packer::remark_on_clips({}, {}).empty());
}

TEST_CASE("of one sound under many names a line has five, and the list all") {
  packer::PackInfo info;
  std::vector<common::SumsLine> sums;
  for (int i = 0; i < 8; ++i) {
    info.files.push_back(clip(std::to_string(i), 10000));
    sums.push_back({info.files.back().path, common::digest_of("equal")});
  }
  const packer::ClipRemarks remarks = packer::remark_on_clips(info, sums);
  REQUIRE(remarks.size() == 1);
  CHECK(remarks[0].clips[0].ends_with("audio/train/7.wav"));
  CHECK_FALSE(packer::is_whole(remarks[0]));
  CHECK(packer::describe(remarks)[0].ends_with("audio/train/4.wav and 3 names more"));
}
