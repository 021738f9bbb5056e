// Forms of tables that people have beside the official CSV, and what is told of broken ones.
#include "manifest/tables/clip_table.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "manifest/datasets/clotho.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

using manifest::parse_clip_table;

namespace {

std::string refusal(const std::string& text, manifest::TableForm form = manifest::TableForm::csv) {
  try {
    (void)parse_clip_table(text, "t.csv", form);
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    return error.what();
  }
  return "accepted";
}

using support::holds;

const std::string k_header = "audiocap_id,youtube_id,start_time,caption\n";
const std::string k_clotho =
    "file_name,caption_1,caption_2,caption_3,caption_4,caption_5\n"
    "Rain (heavy) [night].wav,a one,a two,a three,a four,a five\n"
    "\"it's \"\"loud\"\", isn't it.wav\",b one,b two,b three,b four,b five\n";

}  // namespace

TEST_CASE("a table is separated by what its header is separated by") {
  for (const char separator : {',', '\t', ';'}) {
    std::string text = "audiocap_id,youtube_id,start_time,caption\n7,abc,30,\"A dog, barking; loud\"\n";
    const std::string caption = "\"A dog, barking; loud\"";
    const std::string quoted = text.substr(0, text.find(caption));
    text = quoted;
    std::replace(text.begin(), text.end(), ',', separator);
    text += caption + "\n";
    const auto rows = parse_clip_table(text, "t.csv");
    REQUIRE(rows.size() == 1);
    CHECK(rows[0].caption == "A dog, barking; loud");
  }
}

TEST_CASE("the first line sep=; of Excel names the separator, and is no header") {
  CHECK(parse_clip_table("sep=,\r\n" + k_header + "7,abc,30,x\n", "t.csv")[0].clip_id == "abc");
  CHECK(parse_clip_table("sep=;\naudiocap_id;youtube_id;start_time;caption\n7;abc;30;x\n", "t.csv")[0]
            .clip_id == "abc");
}

TEST_CASE("numbers that pandas wrote as 7.0 are numbers, others with a fraction are not") {
  const auto rows = parse_clip_table(k_header + "7.0,abc,30.0,x\n", "t.csv");
  CHECK(rows[0].caption_id == "7");
  CHECK(rows[0].start_time_s == 30.0);
  CHECK(holds(refusal(k_header + "7.5,abc,30,x\n"), "the audiocap_id \"7.5\" is not a number"));
  CHECK(holds(refusal(k_header + "7,abc,30,x\n7.0,def,30,x\n"), "the audiocap_id 7 stands in line 2 too"));
}

TEST_CASE("all broken rows of a table are told at once") {
  const std::string all = refusal(k_header +
                                  "1,abc,30,fine\n"
                                  "2,abc\n"               // broken by a line feed in the caption
                                  "the rest of it\n"      //
                                  "x,def,30,no number\n"  //
                                  "3,d/f,30,no file\n"    //
                                  "4,ghi,-1,no start\n"   //
                                  "5,jkl,30,\xff\n"       // no UTF-8
                                  "6,m\"o,30,a quote\n"   //
                                  "7,pqr,30,\n"           // no caption
                                  "1,abc,30,twice\n");
  CHECK(holds(all, "t.csv: 9 rows are broken:\n"));
  for (const char* line :
       {"line 3: the row has 2 fields, the header 4", "line 4: the row has 1 fields",
        "line 5: the audiocap_id \"x\"", "line 6: the youtube_id \"d/f\"", "line 7: the start_time \"-1\"",
        "line 8: field 4 is not UTF-8", "line 9: a quote inside", "line 10: the caption is empty",
        "line 11: the audiocap_id 1 stands in line 2 too"})
    CHECK_MESSAGE(holds(all, std::string("\n  ") + line), line);
  CHECK(all.ends_with("\nCorrect the table."));
  const std::string json = refusal(R"([{"ytid": "a"}, {"ytid": "b", "caption": "x"}, {"caption": "y"}])",
                                   manifest::TableForm::json);
  CHECK(holds(json, "2 rows are broken:\n  row 1: there is no caption"));
  CHECK(holds(json, "\n  row 3: there is no youtube_id"));
}

TEST_CASE("of very many broken rows the first are told and the others are counted") {
  std::string text = k_header;
  for (int i = 0; i < 1000; ++i) text += "x,abc,30,caption\n";
  const std::string all = refusal(text);
  CHECK(holds(all, "t.csv: 1000 rows are broken:\n"));
  CHECK(std::count(all.begin(), all.end(), '\n') == 22);
  CHECK(holds(all, "\n  and 980 more\n"));
}

TEST_CASE("a table of Clotho has five captions a clip, which is called by its file") {
  const auto rows = parse_clip_table(k_clotho, "t.csv", manifest::TableForm::csv, manifest::clotho());
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].clip_id == "Rain (heavy) [night].wav");
  CHECK(rows[0].caption == "a one");
  CHECK(rows[0].captions == std::vector<std::string>{"a two", "a three", "a four", "a five"});
  CHECK(rows[1].clip_id == "it's \"loud\", isn't it.wav");
  CHECK_THROWS_WITH_AS((void)parse_clip_table(k_clotho + "Rain (heavy) [night].wav,a,b,c,d,e\n", "t.csv",
                                              manifest::TableForm::csv, manifest::clotho()),
                       doctest::Contains("t.csv, line 4: the file_name stands in line 2 too"), common::Error);
}

TEST_CASE("which data set a table is of is told by its columns") {
  const support::Scratch scratch;
  support::put_file(scratch / "a.csv", k_header + "7,abc,30,x\n");
  support::put_file(scratch / "c.csv", k_clotho);
  support::put_file(scratch / "x.csv", "a,b\n1,2\n");
  CHECK(manifest::sound_set_of_table(scratch / "a.csv")->name == "audiocaps");
  CHECK(manifest::sound_set_of_table(scratch / "c.csv")->name == "clotho");
  CHECK(manifest::sound_set_of_table(scratch / "x.csv")->name == "audiocaps");
}

TEST_CASE("credits are joined by the clip, in Windows' code page too; a clip without any stays as it is") {
  const support::Scratch scratch;
  support::put_file(scratch / "m.csv",
                    "file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license\n"
                    "Rain (heavy) [night].wav,rain;caf\xe9,123,https://example.org/123,\"[0, 1]\",Ren\xe9,"
                    "http://creativecommons.org/licenses/by/3.0/\n");
  auto rows = parse_clip_table(k_clotho, "t.csv", manifest::TableForm::csv, manifest::clotho());
  const auto other_ids = manifest::add_credits(scratch / "m.csv", manifest::clotho(), rows);
  CHECK(rows[0].source == "https://example.org/123");
  CHECK(rows[0].author == "Ren\xc3\xa9");
  CHECK(rows[0].licence == "http://creativecommons.org/licenses/by/3.0/");
  CHECK(rows[1].licence.empty());
  CHECK(other_ids.at("Rain (heavy) [night].wav") == "123");
}
