#include "manifest/tables/table_text.hpp"

#include <zlib.h>

#include <string>

#include "common/error.hpp"
#include "manifest/tables/clip_table.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/process.hpp"

#include <doctest/doctest.h>

using manifest::table_text;

namespace {

const std::string k_csv =
    "audiocap_id,youtube_id,start_time,caption\n7,abc,30,A caf\xc3\xa9 \xf0\x9f\x90\x95\n";

std::string gzipped(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string bytes(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  return bytes;
}

// The characters of k_csv beyond ASCII are the only ones that it knows.
std::string utf16(const std::string& text, bool little) {
  std::string bytes;
  const auto add = [&](unsigned unit) {
    const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xff);
    bytes += little ? low : high;
    bytes += little ? high : low;
  };
  add(0xfeff);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "\xc3\xa9") == 0) {
      add(0xe9);
      i += 1;
    } else if (text.compare(i, 4, "\xf0\x9f\x90\x95") == 0) {
      add(0xd83d);
      add(0xdc15);
      i += 3;
    } else {
      add(static_cast<unsigned char>(text[i]));
    }
  }
  return bytes;
}

std::string text_of(const std::string& bytes) { return table_text(common::view_of(bytes), "t.csv"); }

std::string refusal_of_table(const std::string& bytes, const std::string& name = "t.csv") {
  try {
    (void)table_text(common::view_of(bytes), name);
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    return error.what();
  }
  return "accepted";
}

using support::holds;

}  // namespace

TEST_CASE("a table is the same text in UTF-8, in UTF-16 of either order, in gzip, and in both") {
  CHECK(text_of(k_csv) == k_csv);
  CHECK(text_of("\xef\xbb\xbf" + k_csv) == k_csv);
  CHECK(text_of(utf16(k_csv, true)) == k_csv);
  CHECK(text_of(utf16(k_csv, false)) == k_csv);
  CHECK(text_of(gzipped(k_csv)) == k_csv);
  CHECK(text_of(gzipped(utf16(k_csv, true))) == k_csv);
  CHECK(text_of(gzipped(k_csv.substr(0, 20)) + gzipped(k_csv.substr(20))) == k_csv);
  CHECK(text_of(gzipped(k_csv) + std::string(512, '\0')) == k_csv);
}

TEST_CASE("a gzip or UTF-16 that is damaged or cut short is a sentence that says so") {
  const std::string good = gzipped(k_csv);
  for (std::size_t size = 2; size < good.size(); ++size)
    CHECK_MESSAGE(holds(refusal_of_table(good.substr(0, size)), "t.csv is a gzip file that "), size);
  std::string bad = good;
  bad[good.size() - 5] ^= 1;  // of the checksum
  CHECK(holds(refusal_of_table(bad), "is damaged"));
  CHECK(holds(refusal_of_table(good + "x"), "has other bytes behind its end"));
  CHECK(holds(refusal_of_table("\xff\xfe"
                               "a"),
              "ends within a character"));
  CHECK(holds(refusal_of_table(std::string("\xff\xfe\x3d\xd8\x61\x00", 6)), "holds half a character"));
}

TEST_CASE("a table in a binary form is called by its name, with the two lines that make a CSV of it") {
  const std::string parquet = refusal_of_table("PAR1\x15\x04", "folder/t.parquet");
  CHECK(holds(parquet, "folder/t.parquet is a Parquet file"));
  CHECK(holds(parquet,
              "\n  import pandas as pd\n  pd.read_parquet(\"t.parquet\").to_csv(\"t.csv\", index=False)"));
  CHECK(holds(refusal_of_table("PK\x03\x04..xl/workbook.xml", "t.xlsx"), "pd.read_excel(\"t.xlsx\")"));
  CHECK(holds(refusal_of_table("PK\x03\x04..mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "t.ods"),
              "an OpenDocument table (.ods)"));
  CHECK(holds(refusal_of_table("PK\x03\x04..t.csv", "t.zip"), "pd.read_csv(\"t.zip\", compression=\"zip\")"));
  CHECK(
      holds(refusal_of_table("\x93NUMPY\x01", "t.npy"),
            "a NumPy array (.npy), and tables are read as CSV, JSON or JSONL; make a CSV of it with Python, "
            "and name that:\n  import numpy\n  import pandas as pd\n  "
            "pd.DataFrame(numpy.load(\"t.npy\")).to_csv(\"t.csv\", index=False)"));
  CHECK(holds(refusal_of_table("\x80\x04\x95..", "t.pkl"), "pd.read_pickle(\"t.pkl\")"));
  CHECK(holds(refusal_of_table(std::string("SQLite format 3\0...", 19), "t.db"), "an SQLite database"));
  CHECK(holds(refusal_of_table("ARROW1\0\0", "t.feather"), "pd.read_feather(\"t.feather\")"));
  CHECK(holds(refusal_of_table(gzipped("PAR1...")), "a Parquet file"));
}

TEST_CASE("what is no table at all is called by its name, and that to name the table") {
  for (const auto& [bytes, what] : {std::pair("PK\x03\x04..archive/data.pkl", "a PyTorch file"),
                                    {"PK\x03\x04..a.npy", "NumPy arrays (.npz)"},
                                    {"%PDF-1.7", "a PDF"},
                                    {"RIFF....WAVE", "a sound or video file (RIFF)"},
                                    {"<!DOCTYPE html>", "a web page (HTML)"}})
    CHECK(refusal_of_table(bytes) ==
          "t.csv is " + std::string(what) +
              ", and tables are read as CSV, JSON or JSONL; name the table itself");
}

TEST_CASE("UTF-16 without its mark is called so, and what holds zero bytes otherwise is no text") {
  for (const bool is_little : {true, false})
    CHECK(refusal_of_table(utf16(k_csv, is_little).substr(2)) ==
          "t.csv is UTF-16 without a byte order mark; save it as UTF-8");
  CHECK(holds(refusal_of_table(k_csv + std::string(1, '\0') + k_csv),
              "t.csv is no text: it has a zero byte at byte " + std::to_string(k_csv.size())));
  CHECK(holds(refusal_of_table(std::string("\0\0\0\1\0\0", 6)), "t.csv is no text"));
}

TEST_CASE("bytes that are no UTF-8 are Windows' Western code page only where the data set writes so") {
  const std::string bytes = "caf\xe9 \x93loud\x94 \x80";
  CHECK(table_text(common::view_of(bytes), "t", manifest::OtherBytes::windows_1252) ==
        "caf\xc3\xa9 \xe2\x80\x9cloud\xe2\x80\x9d \xe2\x82\xac");
  CHECK(text_of(bytes) == bytes);
  CHECK(table_text(common::view_of(k_csv), "t", manifest::OtherBytes::windows_1252) == k_csv);
}

TEST_CASE("the form of a table in gzip is that of its name before .gz") {
  const support::Scratch scratch;
  support::put_file(scratch / "t.csv.gz", gzipped(k_csv));
  CHECK(manifest::read_clip_table(scratch / "t.csv.gz").rows[0].clip_id == "abc");
  support::put_file(scratch / "t.jsonl.gz", gzipped(R"({"id": 1, "ytid": "x", "caption": "c"})"));
  CHECK(manifest::read_clip_table(scratch / "t.jsonl.gz").rows[0].clip_id == "x");
  support::put_file(scratch / "t.json.gz", gzipped(R"([{"id": 1, "ytid": "y", "caption": "c"}])"));
  CHECK(manifest::read_clip_table(scratch / "t.json.gz").rows[0].clip_id == "y");
}
