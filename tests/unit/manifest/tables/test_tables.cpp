// The AudioCaps table and the VQA tables.
#include "common/error.hpp"
#include "manifest/tables/clip_table.hpp"
#include "manifest/tables/csv.hpp"
#include "manifest/tables/vqa_tables.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/process.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

using common::Error;
using manifest::parse_clip_table;
using support::annotation_row;
using support::question_row;
using Fields = std::vector<std::string>;

namespace {

const std::string k_tables_header = "audiocap_id,youtube_id,start_time,caption\n";

using support::holds;

template <typename Action>
std::string refusal_by_table(Action action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    return error.what();
  }
  return "accepted";
}
std::string table_refusal(const std::string& text) {
  return refusal_by_table([&] { (void)parse_clip_table(text, "t.csv"); });
}

std::vector<Fields> rows_of(const std::string& text) {
  manifest::CsvReader csv(text, "t.csv");
  std::vector<Fields> rows;
  for (Fields fields; csv.next(fields);) rows.push_back(fields);
  return rows;
}

// Tables in a folder of their own, read.
class Tables {
 public:
  Tables(const std::string& questions, const std::string& annotations) {
    support::put_file(scratch_ / "q.json", questions);
    support::put_file(scratch_ / "a.json", annotations);
  }
  [[nodiscard]] manifest::VqaTables read(unsigned threads = 1) const {
    return manifest::read_vqa_tables(scratch_ / "q.json", scratch_ / "a.json", threads,
                                     common::Verbosity::quiet);
  }
  [[nodiscard]] std::string refused() const {
    return refusal_by_table([&] { (void)read(); });
  }

 private:
  support::Scratch scratch_;
};

}  // namespace

TEST_CASE("CSV fields are bare or quoted, lines end with LF, CRLF or the file") {
  CHECK(rows_of("a,b\nc,d") == std::vector<Fields>{{"a", "b"}, {"c", "d"}});
  CHECK(rows_of("a,\"b,\"\"x\"\"\r\ny\"\r\n,\r\n") == std::vector<Fields>{{"a", "b,\"x\"\r\ny"}, {"", ""}});
  CHECK(rows_of("\xef\xbb\xbf\"a\"\n\n\r\nb\n") == std::vector<Fields>{{"a"}, {"b"}});
  CHECK(rows_of("\"\"") == std::vector<Fields>{{""}});
  CHECK(rows_of("").empty());
}

TEST_CASE("broken CSV is one sentence with the line where its row begins") {
  CHECK(
      holds(refusal_by_table([] { rows_of("a\nb,\"c\nd\ne"); }), "t.csv, line 2: a quote that never closes"));
  CHECK(holds(refusal_by_table([] { rows_of("a\n\nb\"c\n"); }), "t.csv, line 3: a quote inside"));
  CHECK(holds(refusal_by_table([] { rows_of("\"a\nb\"\n\"c\"d\n"); }),
              "t.csv, line 3: text after the closing quote"));
  CHECK(holds(refusal_by_table([] { rows_of("a\nb\rc\n"); }), "t.csv, line 2: a carriage return"));
  CHECK(holds(refusal_by_table([] { rows_of("a\nb,\xc3(\n"); }), "t.csv, line 2: field 2 is not UTF-8"));
}

TEST_CASE("an AudioCaps table is read by the names of its columns, in numeric order of audiocap_id") {
  const auto rows = parse_clip_table(
      "caption,start_time,extra,youtube_id,audiocap_id\nten,30,x,-a_B,10\nnine,,y,c,9\nhalf,0.5,,d,100\n",
      "t.csv");
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].caption_id == "9");
  CHECK(!rows[0].start_time_s);
  CHECK(rows[1].caption_id == "10");
  CHECK(rows[1].clip_id == "-a_B");
  CHECK(rows[1].start_time_s == 30.0);
  CHECK(rows[1].caption == "ten");
  CHECK(rows[2].start_time_s == 0.5);
}

TEST_CASE("an AudioCaps table that cannot be meant is one sentence with the line") {
  CHECK(holds(table_refusal(""), "t.csv, line 1: the table is empty"));
  CHECK(holds(table_refusal("audiocap_id,youtube_id,caption\n"),
              "t.csv, line 1: there is no column start_time"));
  CHECK(holds(table_refusal("audiocap_id,youtube_id,start_time,caption,caption\n"),
              "column caption is there twice"));
  CHECK(holds(table_refusal(k_tables_header + "1,a,3,x\n2,b,3\n"),
              "t.csv, line 3: the row has 3 fields, the header 4"));
  CHECK(holds(table_refusal(k_tables_header + "1,a,3,x,y\n"), "t.csv, line 2: the row has 5 fields"));
  CHECK(holds(table_refusal(k_tables_header + "1,a,3,x\n2,b,3,y\n01,c,3,z\n"),
              "t.csv, line 4: the audiocap_id 1 stands in line 2 too"));
  for (const char* id : {"", "x", "-1", "1.5", "99999999999999999999"})
    CHECK_MESSAGE(holds(table_refusal(k_tables_header + id + ",a,3,x\n"), "t.csv, line 2: the audiocap_id"),
                  id);
  for (const char* start : {"x", "-1", "nan", "inf", "3s", "1e999"})
    CHECK_MESSAGE(
        holds(table_refusal(k_tables_header + "1,a," + start + ",x\n"), "t.csv, line 2: the start_time"),
        start);
  for (const char* id : {"", "a b", "..", "../x", "a/b", ".a", "\xc3\xa9"})
    CHECK_MESSAGE(holds(table_refusal(k_tables_header + "1," + id + ",3,x\n"), "cannot be a file name"), id);
  CHECK(holds(table_refusal(k_tables_header + "1,a,3,\" \"\n"), "t.csv, line 2: the caption is empty"));
}

TEST_CASE("VQA tables are joined on question_id, ascending, with stripped texts") {
  const Tables tables(
      support::questions_table(
          {question_row(30, 3, " c? "), question_row(10, 1, "a?"), question_row(20, 2, "b?")}, "val2014"),
      support::annotations_table(
          {annotation_row(10, {" yes", "no\n"}), annotation_row(40, {"x"}), annotation_row(30, {})}));
  for (const unsigned threads : {1U, 2U}) {
    const manifest::VqaTables read = tables.read(threads);
    REQUIRE(read.size() == 2);
    CHECK(read.question_id(0) == 10);
    CHECK(read.image_id(0) == 1);
    CHECK(read.question(0) == "a?");
    CHECK(read.answers(0) == Fields{"yes", "no"});
    CHECK(read.question_id(1) == 30);
    CHECK(read.question(1) == "c?");
    CHECK(read.answers(1).empty());
    CHECK(read.data_subtype() == "val2014");
  }
}

TEST_CASE("of rows with one question_id the last one counts, in either table") {
  const Tables tables(
      support::questions_table(
          {question_row(1, 5, "old"), question_row(2, 6, "other"), question_row(1, 7, "new")}),
      support::annotations_table({annotation_row(1, {"old", "older"}), annotation_row(1, {"new"})}));
  const manifest::VqaTables read = tables.read();
  REQUIRE(read.size() == 1);
  CHECK(read.image_id(0) == 7);
  CHECK(read.question(0) == "new");
  CHECK(read.answers(0) == Fields{"new"});
  CHECK(read.data_subtype().empty());
}

TEST_CASE("keys that are not of the tables pass by, whatever they hold") {
  const Tables tables(
      R"({"a":[[{"questions":[{}]}]],"questions":[{"x":{"question_id":"no","answers":1},"question_id":1,"image_id":2,
          "question":"q","y":[1,"z",null,1.5,true,{}]}],"data":18446744073709551615})",
      R"({"annotations":[{"answers":[{"answer":"a","w":["answer",{"answer":3}]},{"v":1,"answer":"b"}],"question_id":1,
          "question":7,"image_id":"any"}]})");
  const manifest::VqaTables read = tables.read();
  REQUIRE(read.size() == 1);
  CHECK(read.answers(0) == Fields{"a", "b"});
}

TEST_CASE("a questions table that is not one is refused with the row") {
  const std::string annotations = support::annotations_table({annotation_row(1, {"a"})});
  const auto refused = [&](const std::string& questions) { return Tables(questions, annotations).refused(); };
  const auto row = [&](const std::string& text) { return refused(R"({"questions":[)" + text + "]}"); };
  CHECK(holds(refused("{}"), "q.json has no key \"questions\""));
  CHECK(holds(refused(annotations), "q.json has no key \"questions\""));
  CHECK(holds(refused("[]"), "q.json: a table is a JSON object"));
  CHECK(holds(refused("3"), "q.json: a table is a JSON object"));
  CHECK(holds(refused(R"({"questions":{}})"), "q.json: \"questions\" must be a list"));
  CHECK(holds(refused(R"({"questions":null})"), "\"questions\" must be a list"));
  CHECK(holds(refused(R"({"questions":[],"questions":[]})"), "duplicate key \"questions\""));
  CHECK(holds(refused(R"({"questions":[],"data_subtype":3})"), "\"data_subtype\" cannot be an integer"));
  const std::string good = R"({"question_id":1,"image_id":2,"question":"q"})";
  CHECK(row(good) == "accepted");
  CHECK(holds(row(good + R"(,{"question_id":1,"image_id":2})"),
              "questions row 2: there is no key \"question\""));
  CHECK(holds(row(R"({"question_id":1,"question":"q"})"),
              "questions row 1: the question has no image: there is no key \"image_id\""));
  CHECK(holds(row(good + ",3"), "a list must hold objects, found an integer"));
  CHECK(holds(row(good + ",[]"), "a list must hold objects, found a list"));
  CHECK(holds(row(R"({"question_id":"1","image_id":2,"question":"q"})"),
              "row 1: \"question_id\" cannot be a string"));
  CHECK(holds(row(R"({"question_id":1.0,"image_id":2,"question":"q"})"),
              "\"question_id\" cannot be another number"));
  CHECK(holds(row(R"({"question_id":18446744073709551615,"image_id":2,"question":"q"})"), "beyond 64 bits"));
  CHECK(holds(row(R"({"question_id":1,"image_id":null,"question":"q"})"),
              "\"image_id\" cannot be null, true or false"));
  CHECK(holds(row(R"({"question_id":1,"image_id":2,"question":{}})"), "\"question\" cannot be an object"));
  CHECK(holds(row(R"({"question_id":1,"image_id":2,"question":["q"]})"), "\"question\" cannot be a list"));
  CHECK(holds(row(R"({"question_id":1,"question_id":1,"image_id":2,"question":"q"})"), "duplicate key"));
  CHECK(holds(row(R"({"question_id":1,"image_id":2,"question":"\ud800"})"),
              "q.json is not valid JSON at byte 55 (the lone surrogate \\ud800, which is not a "
              "character and not valid in UTF-8, in the text that begins here"));
  CHECK(holds(row(R"({"question_id":1,"image_id":2,"question":"\udc00\ud800"})"),
              "the lone surrogate \\udc00"));
  CHECK(holds(row(R"({"question_id":1,"image_id":2,"question":")" + std::string(70000, 'x') + "\"}"),
              "longer than"));
  CHECK(holds(row(good + ","), "q.json is not valid JSON"));
  CHECK(holds(row(good) + refused(R"({"questions":[]})" + std::string("x")), "q.json is not valid JSON"));
  CHECK(holds(refused(""), "q.json is not valid JSON"));
  CHECK(holds(refused(R"({"x":)" + std::string(100000, '[')), "nesting is deeper"));
}

TEST_CASE("an annotations table that is not one is refused with the row") {
  const std::string questions = support::questions_table({question_row(1, 2, "q")});
  const auto row = [&](const std::string& text) {
    return Tables(questions, R"({"annotations":[)" + text + "]}").refused();
  };
  CHECK(row(R"({"question_id":1,"answers":[]})") == "accepted");
  CHECK(holds(row(R"({"question_id":1})"), "a.json: annotations row 1: there is no key \"answers\""));
  CHECK(
      holds(row(R"({"question_id":1,"answers":[{"answer":"a"},{}]})"), "row 1: there is no key \"answer\""));
  CHECK(holds(row(R"({"question_id":1,"answers":["a"]})"), "a list must hold objects, found a string"));
  CHECK(holds(row(R"({"question_id":1,"answers":"a"})"), "\"answers\" cannot be a string"));
  for (const auto& [answer, found] : {std::pair{"1", "an integer"},
                                      {"1.5", "another number"},
                                      {"null", "null, true or false"},
                                      {"[\"a\"]", "a list"},
                                      {"{}", "an object"}})
    CHECK(holds(row(R"({"question_id":1,"answers":[{"answer":)" + std::string(answer) + "}]}"),
                std::string("a.json: annotations row 1: \"answer\" cannot be ") + found));
  CHECK(holds(row(R"({"question_id":1,"answers":[{"answer":"\ud800"}]})"), "the lone surrogate \\ud800"));
  CHECK(holds(row(R"({"answers":[{"answer":"a"}]})"), "there is no key \"question_id\""));
}

TEST_CASE(
    "all broken rows of a VQA table are told at once, the first by what is wrong and the others by number") {
  const std::string annotations = support::annotations_table({annotation_row(1, {"a"})});
  const auto refused = [&](const std::string& rows) {
    return Tables(R"({"questions":[)" + rows + "]}", annotations).refused();
  };
  const std::string good = R"({"question_id":1,"image_id":2,"question":"q"})";
  CHECK(holds(refused(R"({"question_id":"x","image_id":null,"question":[[{}]],"more":{}},)" + good + ",7," +
                      R"({"question_id":1,"image_id":2,"image_id":3,"question":"q"},[1,[2]],)" + good +
                      R"(,{"question_id":1.5})"),
              "q.json: 5 rows are broken:\n"
              "  questions row 1: \"question_id\" cannot be a string\n"
              "  questions row 3: a list must hold objects, found an integer\n"
              "  questions row 4: duplicate key \"image_id\" in one object\n"
              "  questions row 5: a list must hold objects, found a list\n"
              "  questions row 7: \"question_id\" cannot be another number\n"
              "Correct the table."));
  std::string many = good;
  for (int i = 0; i < 30; ++i) many += ",null";
  const std::string said = refused(many);
  CHECK(holds(said, "q.json: 30 rows are broken:"));
  CHECK(holds(said, "questions row 21: a list must hold objects, found null, true or false\n  and 10 more"));
  // What is no JSON ends the reading: where the next row begins, nobody knows.
  CHECK(holds(refused("3," + good + ",}"), "q.json is not valid JSON"));
  const std::string answers = Tables(support::questions_table({question_row(1, 2, "q")}),
                                     R"({"annotations":[{"question_id":1,"answers":[1,"a",{"answer":2}]},)"
                                     R"({"question_id":1,"answers":[{"answer":"a"}]},{"answers":{}}]})")
                                  .refused();
  CHECK(holds(answers,
              "a.json: 2 rows are broken:\n"
              "  annotations row 1: a list must hold objects, found an integer\n"
              "  annotations row 3: \"answers\" cannot be an object\n"));
}

TEST_CASE("the kinds of a question and its answers are kept, and may be absent or anything") {
  const Tables tables(
      support::questions_table({question_row(1, 1, "a"), question_row(2, 1, "b"), question_row(3, 1, "c")}),
      R"({"annotations":[{"question_id":1,"answers":[],"answer_type":"other","question_type":"what"},
          {"question_id":2,"answers":[],"answer_type":null,"question_type":["what"]},{"question_id":3,"answers":[],
          "question_type":"other","answer_type":"yes\/no"}]})");
  const manifest::VqaTables read = tables.read();
  REQUIRE(read.size() == 3);
  CHECK(read.question_type(0) == "what");
  CHECK(read.answer_type(0) == "other");
  CHECK(read.question_type(1).empty());
  CHECK(read.answer_type(1).empty());
  CHECK(read.question_type(2) == "other");
  CHECK(read.answer_type(2) == "yes/no");
}

TEST_CASE("texts keep their bytes and their bounds") {
  manifest::TextList texts;
  texts.add("");
  texts.add("ab");
  texts.add(std::string_view("\0x", 2));
  texts.add("");
  REQUIRE(texts.size() == 4);
  CHECK(texts[0].empty());
  CHECK(texts[1] == "ab");
  CHECK(texts[2] == std::string_view("\0x", 2));
  CHECK(texts[3].empty());
}

TEST_CASE("VQA tables in a zip or gzip, as they are published, are called so") {
  CHECK(holds(Tables("PK\x03\x04...", "{}").refused(), "q.json is a zip file; unpack it (unzip)"));
  CHECK(holds(Tables("{}", "\x1f\x8b...").refused(), "a.json is a gzip file; unpack it (gunzip)"));
}
