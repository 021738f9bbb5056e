#include "packer/format/names.hpp"

#include <doctest/doctest.h>

namespace {

common::Findings check(std::initializer_list<const char*> paths, const char* pack = "p") {
  std::vector<common::PackPath> list;
  for (const char* path : paths) list.emplace_back(path);
  common::Findings findings;
  packer::check_names(pack, list, findings);
  return findings;
}

}  // namespace

TEST_CASE("a path alone says which role a file has") {
  using packer::Role;
  CHECK(packer::role_of("pack.json") == Role::info);
  CHECK(packer::role_of("audio/train/a.wav") == Role::clip);
  CHECK(packer::role_of("audio/val/a.flac") == Role::clip);
  CHECK(packer::role_of("images/a.jpg") == Role::image);
  for (const char* stray :
       {"notes.txt", "audio/a.wav", "audio/train/deep/a.wav", "audio/train/a.mp3", "images/x/a.jpg",
        "images/a.gif", "images/.jpg", "other/train/a.wav", "SHA256SUMS"})
    CHECK_FALSE(packer::role_of(stray));
}

TEST_CASE("every role is found again by its name") {
  for (int i = 0; i <= static_cast<int>(packer::Role::image); ++i) {
    const auto role = static_cast<packer::Role>(i);
    CHECK(packer::role_named(packer::name_of(role)) == role);
  }
}

TEST_CASE("names that some file system cannot hold beside each other are findings") {
  CHECK(check({"audio/train/a.wav", "audio/train/b.wav", "images/a.jpg"}).empty());
  CHECK(check({"images/A.jpg", "images/a.jpg"}).at(0).rule == "N3");
  CHECK(check({"audio/Train/a.wav", "audio/train/b.wav"}).at(0).rule == "N3");
  CHECK(check({"audio/train/a.wav", "audio/train/a.wav/b.wav"}).at(0).rule == "N4");
  CHECK(check({"notes.txt"}).at(0).rule == "N5");
}

TEST_CASE("a path and the pack's name together have at most 100 bytes") {
  const std::string path = "images/" + std::string(80, 'x') + ".jpg";  // 91 bytes
  CHECK(check({path.c_str()}, "12345678").empty());
  CHECK(check({path.c_str()}, "123456789").at(0).rule == "N2");
}

TEST_CASE("a pack's name is one component that no tool takes for a flag") {
  CHECK(packer::why_not_a_pack_name("data_pack").empty());
  for (const char* bad : {"", ".hidden", "a/b", "-rf", "a b", "..", "\xc3\xa9"})
    CHECK_FALSE(packer::why_not_a_pack_name(bad).empty());
}
