#include "manifest/id_list.hpp"

#include "common/error.hpp"
#include "manifest/datasets/clotho.hpp"
#include "tests/support/process.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

using manifest::IdList;

namespace {

std::vector<manifest::ClipEntry> clips() {
  return {{"1", "abc", 30.0, "c", {}, ""},
          {"2", "def", 0.0, "c", {}, ""},
          {"3", "ghi", std::nullopt, "c", {}, ""}};
}

manifest::Excluded excluded_by(IdList list) {
  manifest::Excluded excluded;
  list.exclude(clips(), manifest::original_sound_set(), {}, excluded);
  return excluded;
}

IdList ids(const std::string& text) {
  IdList list;
  list.add_ids_of(text, "ids");
  return list;
}

}  // namespace

TEST_CASE("ids are taken from a text, a CSV's column and JSON in the shapes that block lists have") {
  for (const char* text :
       {"abc\nghi\n", "# a remark\r\nYabc\r\n\r\n ghi.wav ", "x,youtube_id\n1,abc\n2,ghi\n",
        "youtube_id\tx\nabc\t1\nghi\t2\n", R"(["abc", "Yghi.wav"])",
        R"({"AudioSet": ["abc_30.000_40.000.flac", "ghi"], "Other": []})",
        R"([{"youtube_id": "abc", "caption": "def"}, {"id": 3}])", "1\n3\n"}) {
    CAPTURE(text);
    CHECK(excluded_by(ids(text)).clip_ids == std::unordered_set<std::string>{"abc", "ghi"});
  }
  CHECK_THROWS_WITH_AS((void)ids("\n# nothing\n"), doctest::Contains("ids holds no id"), common::Error);
}

TEST_CASE("bytes that are no list of ids are refused with the line, and not taken for ids") {
  for (const auto& [text, what] :
       {std::pair<std::string, const char*>("abc\n\xff\xc0x\n", "line 2 is not UTF-8"),
        {"abc\ngh\x01i\n", "line 2 holds a control character"},
        {"\x7f\n", "line 1 holds a control character"},
        {std::string(4097, 'x'), "line 1 has more than 4096 bytes"}})
    CHECK_THROWS_WITH_AS((void)ids(text),
                         doctest::Contains(("ids is no list of ids: " + std::string(what)).c_str()),
                         common::Error);
  CHECK(ids(std::string(4096, 'x') + "\n\xc3\xa9\tb\n").size() == 2);
}

TEST_CASE("entries that no row meets are counted") {
  IdList list = ids("abc\nxyz\n12\nYdef\n");
  manifest::Excluded excluded;
  CHECK(list.unmet() == 4);
  list.exclude(clips(), manifest::original_sound_set(), {}, excluded);
  CHECK(list.size() == 4);
  CHECK(list.unmet() == 2);
}

TEST_CASE("a list of equal files names the clips and pictures of its paths") {
  const support::Scratch scratch;
  const std::string digest(64, 'a');
  support::put_file(scratch / "list", digest + "  audio/train/abc.wav\n" + digest + " *./x/Yghi.flac\n" +
                                          digest + "  images/COCO_val2014_000000000002.jpg\n" + digest +
                                          "  val2017/000000000003.jpg\n");
  IdList list;
  CHECK(list.add_files(scratch / "list") == 4);
  CHECK(excluded_by(list).clip_ids == std::unordered_set<std::string>{"abc", "ghi"});
  support::put_file(scratch / "q", support::questions_table({support::question_row(10, 1, "a?"),
                                                             support::question_row(20, 2, "b?"),
                                                             support::question_row(30, 3, "c?")}));
  support::put_file(scratch / "a", support::annotations_table({support::annotation_row(10, {"x"}),
                                                               support::annotation_row(20, {"x"}),
                                                               support::annotation_row(30, {"x"})}));
  const auto tables = manifest::read_vqa_tables(scratch / "q", scratch / "a", 1, common::Verbosity::quiet);
  manifest::Excluded excluded;
  list.exclude(tables, excluded);
  CHECK(excluded.image_ids == std::unordered_set<std::int64_t>{2, 3});
  CHECK(excluded.question_ids.empty());
  IdList numbers = ids("10\n2\n99\n");
  manifest::Excluded by_number;
  numbers.exclude(tables, by_number);
  CHECK(by_number.image_ids == std::unordered_set<std::int64_t>{2});
  CHECK(by_number.question_ids == std::unordered_set<std::int64_t>{10});
  CHECK(numbers.unmet() == 1);
  support::put_file(scratch / "bad", "abc.wav\n");
  support::put_file(scratch / "empty", "\n");
  CHECK(list.add_files(scratch / "empty") == 0);
  CHECK_THROWS_WITH_AS((void)list.add_files(scratch / "bad"),
                       doctest::Contains("bad, line 1: expected \"SHA256  PATH\""), common::Error);
}

TEST_CASE("a clip of Clotho is called by its file, its name in a pack, or its number at Freesound") {
  const std::vector<manifest::ClipEntry> rows = {{"a b.wav", "a b.wav", std::nullopt, "c", {}, ""},
                                                 {"c.wav", "c.wav", std::nullopt, "c", {}, ""}};
  for (const std::string& text : {std::string("a b.wav\n"), std::string("a b\n"), std::string("4711\n"),
                                  manifest::clotho().pack_stem("a b.wav") + ".wav\n"}) {
    manifest::Excluded excluded;
    IdList list = ids(text);
    list.exclude(rows, manifest::clotho(), {{"a b.wav", "4711"}}, excluded);
    CHECK(excluded.clip_ids == std::unordered_set<std::string>{"a b.wav"});
    CHECK(list.unmet() == 0);
  }
}
