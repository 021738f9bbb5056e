#include "manifest/tables/table_text.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/gunzip.hpp"
#include "common/utf8.hpp"

namespace manifest {
namespace {

struct BinaryForm {
  std::string_view begins;
  const char* name;
  const char* reader;  // of pandas; null: it holds no table that pandas knows by itself
};

constexpr const char* k_pickle_reader = "pd.read_pickle({})";

constexpr std::array k_binary_forms = {
    BinaryForm{"PAR1", "a Parquet file", "pd.read_parquet({})"},
    BinaryForm{"ARROW1", "an Arrow (Feather) file", "pd.read_feather({})"},
    BinaryForm{"FEA1", "a Feather file", "pd.read_feather({})"},
    BinaryForm{std::string_view("SQLite format 3\0", 16), "an SQLite database",
               "pd.read_sql(\"select * from TABLE\", \"sqlite:///\" + {})"},
    BinaryForm{std::string_view("\x89HDF\r\n\x1a\n", 8), "an HDF5 file", "pd.read_hdf({})"},
    BinaryForm{std::string_view("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8), "an Excel workbook (.xls)",
               "pd.read_excel({})"},
    BinaryForm{"\x28\xb5\x2f\xfd", "a zstd file", "pd.read_csv({}, compression=\"zstd\")"},
    BinaryForm{"BZh", "a bzip2 file", "pd.read_csv({}, compression=\"bz2\")"},
    BinaryForm{std::string_view("\xfd\x37zXZ\0", 6), "an xz file", "pd.read_csv({}, compression=\"xz\")"},
    BinaryForm{"\x93NUMPY", "a NumPy array (.npy)", "pd.DataFrame(numpy.load({}))"},
    BinaryForm{"\x80\x02", "a Python pickle", k_pickle_reader},
    BinaryForm{"\x80\x03", "a Python pickle", k_pickle_reader},
    BinaryForm{"\x80\x04", "a Python pickle", k_pickle_reader},
    BinaryForm{"\x80\x05", "a Python pickle", k_pickle_reader},
    BinaryForm{"%PDF-", "a PDF", nullptr},
    BinaryForm{"RIFF", "a sound or video file (RIFF)", nullptr},
    BinaryForm{"fLaC", "a sound file (FLAC)", nullptr},
    BinaryForm{"\xff\xd8\xff", "a picture (JPEG)", nullptr},
    BinaryForm{"\x89PNG", "a picture (PNG)", nullptr},
    BinaryForm{"\x7f"
               "ELF",
               "a program (ELF)", nullptr},
    BinaryForm{"<!DOCTYPE", "a web page (HTML)", nullptr},
    BinaryForm{"<!doctype", "a web page (HTML)", nullptr},
    BinaryForm{"<html", "a web page (HTML)", nullptr}};

// What several programs keep in a zip is told by the names in it.
constexpr std::string_view k_zip_begins = "PK\x03\x04";
constexpr std::array k_zip_forms = {
    BinaryForm{"xl/", "an Excel workbook (.xlsx)", "pd.read_excel({})"},
    BinaryForm{"opendocument.spreadsheet", "an OpenDocument table (.ods)", "pd.read_excel({})"},
    BinaryForm{"data.pkl", "a PyTorch file", nullptr}, BinaryForm{".npy", "NumPy arrays (.npz)", nullptr},
    BinaryForm{"", "a zip file", "pd.read_csv({}, compression=\"zip\")"}};

const BinaryForm* form_of(std::string_view text) {
  if (text.starts_with(k_zip_begins))
    return &*std::find_if(k_zip_forms.begin(), k_zip_forms.end(), [&](const BinaryForm& form) {
      return text.find(form.begins) != std::string_view::npos;
    });
  const auto at = std::find_if(k_binary_forms.begin(), k_binary_forms.end(),
                               [&](const BinaryForm& form) { return text.starts_with(form.begins); });
  return at == k_binary_forms.end() ? nullptr : &*at;
}

void refuse_binary(std::string_view text, const std::string& name) {
  const BinaryForm* form = form_of(text);
  if (form == nullptr) return;
  const std::string what = name + " is " + form->name + ", and tables are read as CSV, JSON or JSONL; ";
  if (form->reader == nullptr) throw common::Error(common::ErrorKind::format, what + "name the table itself");
  const std::string file = std::filesystem::path(name).filename().string();
  std::string reader = form->reader;
  reader.replace(reader.find("{}"), 2, "\"" + file + "\"");
  const char* more = reader.find("numpy.") == std::string::npos ? "" : "\n  import numpy";
  throw common::Error(common::ErrorKind::format,
                      what + "make a CSV of it with Python, and name that:" + more +
                          "\n  import pandas as pd\n  " + reader + ".to_csv(\"" +
                          std::filesystem::path(file).stem().string() + ".csv\", index=False)");
}

// A text has no zero byte. One of ASCII in UTF-16 has one in every other place.
void refuse_zeros(std::string_view text, const std::string& name) {
  const std::size_t zero = text.find('\0');
  if (zero == std::string_view::npos) return;
  std::array<std::size_t, 2> zeros{};
  const std::size_t looked_at = std::min<std::size_t>(text.size(), 512);
  for (std::size_t i = 0; i < looked_at; ++i) zeros[i % 2] += text[i] == '\0' ? 1 : 0;
  for (const std::size_t side : {std::size_t{0}, std::size_t{1}})
    if (zeros[side] * 2 > looked_at / 2 && zeros[1 - side] == 0)
      throw common::Error(common::ErrorKind::format,
                          name + " is UTF-16 without a byte order mark; save it as UTF-8");
  throw common::Error(common::ErrorKind::format,
                      name + " is no text: it has a zero byte at byte " + std::to_string(zero) +
                          ", and tables are read as CSV, JSON or JSONL; name the table itself");
}

enum class ByteOrder { little, big };

std::string from_utf16(std::string_view text, ByteOrder order, const std::string& name) {
  const auto refuse = [&](const char* why) {
    throw common::Error(common::ErrorKind::format, name + " is UTF-16 that " + why + "; save it as UTF-8");
  };
  if (text.size() % 2 != 0) refuse("ends within a character");
  const auto unit = [&](std::size_t i) {
    const auto low = static_cast<unsigned char>(text[order == ByteOrder::little ? i : i + 1]);
    const auto high = static_cast<unsigned char>(text[order == ByteOrder::little ? i + 1 : i]);
    return static_cast<char32_t>(high << 8 | low);
  };
  std::string utf8;
  utf8.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    char32_t character = unit(i);
    if (character >= 0xd800 && character < 0xe000) {
      const char32_t second = character < 0xdc00 && i + 2 < text.size() ? unit(i + 2) : 0;
      if (second < 0xdc00 || second >= 0xe000) refuse("holds half a character");
      character = 0x10000 + ((character - 0xd800) << 10) + (second - 0xdc00);
      i += 2;
    }
    common::append_utf8(character, utf8);
  }
  return utf8;
}

// 0x80 to 0x9f; the rest of the code page is Unicode's. 0: no character.
constexpr std::array<char32_t, 32> k_windows_1252 = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

std::string from_windows_1252(std::string_view text) {
  std::string utf8;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const char32_t character = byte < 0x80 || byte >= 0xa0 ? byte : k_windows_1252[byte - 0x80];
    common::append_utf8(character == 0 ? byte : character, utf8);
  }
  return utf8;
}

}  // namespace

std::string table_text(common::ByteView bytes, const std::string& name, OtherBytes other) {
  std::string text(common::text_of(bytes));
  if (common::is_gzip(bytes)) text = common::gunzip(bytes, name, k_table_limit_bytes);
  refuse_binary(text, name);
  if (text.starts_with("\xff\xfe"))
    return from_utf16(std::string_view(text).substr(2), ByteOrder::little, name);
  if (text.starts_with("\xfe\xff")) return from_utf16(std::string_view(text).substr(2), ByteOrder::big, name);
  refuse_zeros(text, name);
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  if (other == OtherBytes::windows_1252 && !common::is_utf8(text)) return from_windows_1252(text);
  return text;
}

std::string read_table_text(const std::filesystem::path& path, OtherBytes other) {
  return table_text(common::read_file(path, k_table_limit_bytes), path.string(), other);
}

}  // namespace manifest
