// AudioCaps as JSON and JSONL, with the keys that data sets and converters use.
#include "common/error.hpp"
#include "manifest/select.hpp"
#include "manifest/tables/clip_table.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

using manifest::ClipEntry;
using manifest::parse_clip_table;
using manifest::TableForm;
using Texts = std::vector<std::string>;

namespace {

std::vector<ClipEntry> json(const std::string& text) {
  return parse_clip_table(text, "t.json", TableForm::json);
}
std::vector<ClipEntry> jsonl(const std::string& text) {
  return parse_clip_table(text, "t.jsonl", TableForm::jsonl);
}
ClipEntry one(const std::string& row) {
  const auto rows = json("[" + row + "]");
  REQUIRE(rows.size() == 1);
  return rows[0];
}

template <typename Action>
std::string json_refusal(Action action) {
  try {
    action();
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    return error.what();
  }
  return "accepted";
}
std::string row_refusal(const std::string& row) {
  return json_refusal([&] { (void)json("[" + row + "]"); });
}
using support::holds;

}  // namespace

TEST_CASE("a list of rows, an object with the list data, and one row a line are the same table") {
  const std::string first =
      R"({"audiocap_id": 7, "youtube_id": "a", "start_time": 30, "caption": "A dog barks"})";
  const std::string second =
      R"({"audiocap_id": "3", "youtube_id": "b", "start_time": null, "caption": "Rain"})";
  const std::string both = first + ", " + second;
  for (const auto& rows : {json("[" + both + "]"), json(R"({"version": 1, "data": [)" + both + "]}"),
                           jsonl(first + "\n\n" + second), jsonl(first + "\r\n" + second + "\r\n")}) {
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].caption_id == "3");
    CHECK(!rows[0].start_time_s);
    CHECK(rows[1].caption_id == "7");
    CHECK(rows[1].clip_id == "a");
    CHECK(rows[1].start_time_s == 30.0);
    CHECK(rows[1].caption == "A dog barks");
    CHECK(rows[1].captions.empty());
  }
}

TEST_CASE("the form of a table is known by its suffix") {
  CHECK(manifest::table_form("a/train.json") == TableForm::json);
  CHECK(manifest::table_form("train.jsonl") == TableForm::jsonl);
  CHECK(manifest::table_form("train.csv") == TableForm::csv);
  CHECK(manifest::table_form("json") == TableForm::csv);
  const support::Scratch scratch;
  support::put_file(scratch / "t.jsonl", R"({"id": 1, "ytid": "x", "answer": "c"})");
  CHECK(manifest::read_clip_table(scratch / "t.jsonl").rows[0].clip_id == "x");
}

TEST_CASE("clip and start may stand in metadata, and a clip may be called ytid") {
  CHECK(one(R"({"audiocap_id": 1, "ytid": "x", "caption": "c"})").clip_id == "x");
  const ClipEntry clip = one(
      R"({"id": 1, "caption": "c", "metadata": {"youtube_id": "y", "start_time": "70", "split": "train"}})");
  CHECK(clip.clip_id == "y");
  CHECK(clip.start_time_s == 70.0);
  CHECK(one(R"({"id": 1, "ytid": "x", "caption": "c", "metadata": {"ytid": "z"}, "start_time": 0})")
            .start_time_s == 0.0);
  for (const char* start : {"null", "\"\"", "[]"})
    CHECK(!one(R"({"id": 1, "ytid": "x", "caption": "c", "metadata": null, "start_time": )" +
               std::string(start) + "}")
               .start_time_s);
}

TEST_CASE("captions are the first of answers, answer, caption and captions that says something") {
  const auto captions = [](const std::string& members) {
    const ClipEntry clip = one(R"({"id": 1, "ytid": "x", )" + members + "}");
    Texts texts = {clip.caption};
    texts.insert(texts.end(), clip.captions.begin(), clip.captions.end());
    return texts;
  };
  CHECK(captions(R"("captions": ["a", "b", "c"])") == Texts{"a", "b", "c"});
  CHECK(captions(R"("captions": "a")") == Texts{"a"});
  CHECK(captions(R"("caption": "b", "captions": ["a"])") == Texts{"b"});
  CHECK(captions(R"("answer": "c", "caption": "b")") == Texts{"c"});
  CHECK(captions(R"("answers": ["d", "e"], "answer": "c")") == Texts{"d", "e"});
  CHECK(captions(R"("answers": [], "answer": "", "caption": null, "captions": ["a"])") == Texts{"a"});
}

TEST_CASE("a converter's row is called by the number that its id ends with") {
  const auto rows = json(R"([{"id": "audiocaps_train_91139", "question": "What sounds are in this audio?",
      "answer": "Rain", "audio_path": "audiocaps/audio/train/x.wav", "metadata": {"youtube_id": "x", "split": "train"}},
      {"id": "42", "ytid": "y", "answer": "Wind"}])");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].caption_id == "42");
  CHECK(rows[1].caption_id == "91139");
}

TEST_CASE("rows without numbers keep their order; rows that name only the clip are its captions") {
  auto rows =
      json(R"([{"id": "z_9", "ytid": "b", "caption": "1"}, {"id": "a_1", "ytid": "a", "caption": "2"}])");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].caption_id == "z_9");
  CHECK(rows[1].caption_id == "a_1");
  rows = json(R"([{"ytid": "b", "start_time": 5, "caption": "1"}, {"ytid": "a", "caption": "2"},
                  {"ytid": "b", "start_time": 5, "captions": ["3", "4"]}])");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].caption_id == "b");
  CHECK(rows[0].caption == "1");
  CHECK(rows[0].captions == Texts{"3", "4"});
  CHECK(rows[1].caption_id == "a");
}

TEST_CASE("a JSON table that cannot be meant is one sentence with the row") {
  const std::string row = R"({"audiocap_id": 1, "youtube_id": "a", "caption": "c"})";
  CHECK(holds(json_refusal([] { (void)json("{\"rows\": []}"); }),
              "t.json is not a table of AudioCaps: expected a list"));
  CHECK(holds(json_refusal([] { (void)json("[{]"); }), "t.json is not valid JSON at byte"));
  CHECK(
      holds(json_refusal([&] { (void)jsonl(row + "\n{\n"); }), "t.jsonl, line 2 is not valid JSON at byte"));
  CHECK(holds(row_refusal(row + ", 3"), "t.json, row 2: a row must be an object, found number"));
  CHECK(holds(row_refusal(R"({"id": 1, "caption": "c"})"), "row 1: there is no youtube_id (looked for"));
  CHECK(holds(row_refusal(R"({"id": 1, "ytid": 5, "caption": "c"})"),
              "the youtube_id must be a string, found number"));
  CHECK(holds(row_refusal(R"({"id": 1, "ytid": "a/b", "caption": "c"})"), "cannot be a file name"));
  CHECK(holds(row_refusal(R"({"id": 1, "ytid": "a"})"), "row 1: there is no caption (looked for answers"));
  CHECK(holds(row_refusal(R"({"id": 1, "ytid": "a", "caption": " "})"), "row 1: the caption is empty"));
  CHECK(
      holds(row_refusal(R"({"id": 1, "ytid": "a", "captions": ["x", ""]})"), "row 1: the caption is empty"));
  CHECK(holds(row_refusal(R"({"id": {"a": 1}, "ytid": "a", "caption": "c"})"),
              "the id must be a number or a string"));
  CHECK(
      holds(row_refusal(R"({"audiocap_id": "x7", "ytid": "a", "caption": "c"})"), "\"x7\" is not a number"));
  for (const char* start : {"-1", "\"x\"", "true", "{\"a\": 1}"})
    CHECK_MESSAGE(holds(row_refusal(R"({"id": 1, "ytid": "a", "caption": "c", "start_time": )" +
                                    std::string(start) + "}"),
                        "row 1: the start_time"),
                  start);
}

TEST_CASE("an answer that is no string is one sentence") {
  for (const char* answer : {"5", "[\"a\", 5]", "{\"text\": \"a\"}", "true"})
    CHECK_MESSAGE(holds(row_refusal(R"({"id": 1, "ytid": "a", "answer": )" + std::string(answer) + "}"),
                        "t.json, row 1: a caption must be a text or a list of texts, found"),
                  answer);
}

TEST_CASE("an id that stands twice is one sentence with both rows") {
  const auto twice = [](const std::string& first, const std::string& second) {
    return json_refusal(
        [&] { (void)json("[{" + first + R"(, "caption": "c"}, {)" + second + R"(, "caption": "d"}])"); });
  };
  CHECK(holds(twice(R"("audiocap_id": 1, "ytid": "a")", R"("audiocap_id": "01", "ytid": "b")"),
              "t.json, row 2: the audiocap_id 1 stands in row 1 too"));
  CHECK(holds(twice(R"("id": "x", "ytid": "a")", R"("id": "x", "ytid": "b")"),
              "t.json, row 2: the id \"x\" stands in row 1 too"));
  CHECK(holds(twice(R"("ytid": "a", "start_time": 1)", R"("ytid": "a", "start_time": 2)"),
              "t.json, row 2: the id \"a\" stands in row 1 too"));
  CHECK(holds(twice(R"("id": 4, "ytid": "a")", R"("id": "x", "ytid": "b")"),
              "t.json, row 2: there is no numeric audiocap_id, and row 1 has one"));
  CHECK(holds(json_refusal([] { (void)json(R"([{"id": 1, "id": 2, "ytid": "a", "caption": "c"}])"); }),
              "duplicate key \"id\""));
}

TEST_CASE("a lone surrogate in a table is one sentence") {
  CHECK(holds(row_refusal(R"({"id": 1, "ytid": "a", "caption": "c\ud800"})"),
              "a lone surrogate is not a character and is not valid in UTF-8"));
  CHECK(holds(row_refusal(R"({"id": 1, "ytid": "a", "caption": "\udc00\ud800"})"), "a lone surrogate"));
}

TEST_CASE("captions of one row are references of a held-out clip, and rows of their own to a base") {
  const auto rows =
      json(R"([{"id": 1, "ytid": "a", "captions": ["x", "y"]}, {"id": 2, "ytid": "b", "caption": "z"},
                             {"id": 3, "ytid": "a", "captions": ["v", "w"]},
                             {"id": 4, "ytid": "a", "start_time": 50, "caption": "elsewhere"}])");
  const auto held_out = manifest::select_clips(rows, {"val", 2, 1}, {}).manifest.entries;
  CHECK(held_out[0].caption == "x");
  CHECK(held_out[0].captions == Texts{"y", "v", "w"});
  CHECK(held_out[1].captions.empty());
  CHECK(manifest::select_clips(rows, {"train", 2, 1}, {}).manifest.entries[0].captions.empty());
  Texts ids;
  for (const ClipEntry& clip : manifest::select_captions(rows, {})) {
    ids.push_back(clip.caption_id);
    CHECK(clip.captions.empty());
  }
  CHECK(ids == Texts{"1", "1_2", "2", "3", "3_2", "4"});
}
