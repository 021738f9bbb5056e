#include "manifest/tables/coco_images.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json_stream.hpp"

namespace manifest {
namespace {

using common::Error;
using common::ErrorKind;
using Kind = common::JsonStream::Kind;

// The fields of a licence or of an image that are kept.
struct Row {
  std::optional<std::int64_t> id, licence;
  std::string name, url, file_name, coco_url, flickr_url;
};

constexpr std::array<std::pair<std::string_view, std::string Row::*>, 5> k_texts = {
    {{"name", &Row::name},
     {"url", &Row::url},
     {"file_name", &Row::file_name},
     {"coco_url", &Row::coco_url},
     {"flickr_url", &Row::flickr_url}}};
constexpr std::array<std::pair<std::string_view, std::optional<std::int64_t> Row::*>, 2> k_numbers = {
    {{"id", &Row::id}, {"license", &Row::licence}}};

// The other half of these files, the annotations, passes by: it is a hundred times as long.
class CocoReader {
 public:
  CocoReader(const std::filesystem::path& path, const std::set<std::string>& wanted,
             common::Progress& progress)
      : stream_(path, progress), name_(path.string()), wanted_(wanted) {}

  void read(CocoImages& into) {
    if (stream_.next() != Kind::object) fail("it is not a JSON object");
    bool has_images = false, has_licences = false;
    stream_.enter();
    for (std::string_view key; stream_.member(key);) {
      if (key == "licenses") {
        has_licences = true;
        read_list("licenses", [&](Row& row) { add_licence(row, into); });
      } else if (key == "images") {
        has_images = true;
        read_list("images", [&](Row& row) { add_image(row, into); });
      } else {
        stream_.pass();
      }
    }
    stream_.finish();
    if (!has_images || !has_licences)
      fail(fmt::format("it has no key \"{}\"", has_images ? "licenses" : "images"));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    const std::string where = list_ == nullptr ? "" : fmt::format(": {} row {}", list_, row_ + 1);
    throw Error(ErrorKind::format,
                name_ + where + ": " + what + "; name a file such as COCO's instances_val2014.json");
  }
  [[noreturn]] void disagree(const std::string& what) const {
    throw Error(ErrorKind::mismatch, name_ + " disagrees about " + what +
                                         " with a file named before it; name files of one COCO release");
  }

  template <typename Take>
  void read_list(const char* list, const Take& take) {
    if (stream_.next() != Kind::array) fail(fmt::format("\"{}\" must be a list", list));
    list_ = list;
    row_ = 0;
    stream_.enter();
    for (; stream_.element(); ++row_) {
      Row row = read_row();
      take(row);
    }
    list_ = nullptr;
  }

  Row read_row() {
    if (stream_.next() != Kind::object) fail("an object is expected");
    Row row;
    stream_.enter();
    for (std::string_view key; stream_.member(key);) {
      const auto text =
          std::find_if(k_texts.begin(), k_texts.end(), [&](auto& one) { return one.first == key; });
      const auto number =
          std::find_if(k_numbers.begin(), k_numbers.end(), [&](auto& one) { return one.first == key; });
      if (text != k_texts.end())
        row.*text->second = read_text(text->first);
      else if (number != k_numbers.end())
        row.*number->second = read_integer(number->first);
      else
        stream_.pass();
    }
    return row;
  }

  std::string_view read_text(std::string_view key) {
    if (stream_.next() != Kind::string) fail(fmt::format("\"{}\" must be a text", key));
    return stream_.text();
  }

  std::int64_t read_integer(std::string_view key) {
    if (stream_.next() == Kind::number)
      if (const common::JsonNumber number = stream_.number();
          number.kind == common::JsonNumber::Kind::integer)
        return number.value;
    fail(fmt::format("\"{}\" must be an integer", key));
  }

  void add_licence(Row& row, CocoImages& into) {
    if (!row.id) fail("there is no key \"id\"");
    Licence licence{std::move(row.name), std::move(row.url)};
    const auto [at, is_new] = into.licences.emplace(*row.id, licence);
    if (!is_new && at->second != licence) disagree("licence " + std::to_string(*row.id));
  }

  void add_image(Row& row, CocoImages& into) {
    if (row.file_name.empty()) fail("there is no key \"file_name\"");
    if (!wanted_.contains(row.file_name)) return;
    if (!row.licence) fail("there is no key \"license\"");
    CocoImage image{*row.licence, row.flickr_url.empty() ? row.coco_url : row.flickr_url};
    const auto [at, is_new] = into.images.emplace(row.file_name, image);
    if (!is_new && (at->second.licence != image.licence || at->second.source != image.source))
      disagree(row.file_name);
  }

  common::JsonStream stream_;
  const std::string name_;
  const std::set<std::string>& wanted_;
  const char* list_ = nullptr;
  std::size_t row_ = 0;
};

}  // namespace

CocoImages read_coco_images(const std::vector<std::filesystem::path>& files,
                            const std::set<std::string>& wanted, common::Verbosity verbosity) {
  std::uint64_t size_bytes = 0;
  for (const auto& path : files) size_bytes += common::size_of(common::open_to_read(path), path);
  common::Progress progress("reading licences", "bytes", size_bytes, verbosity);
  CocoImages read;
  for (const auto& path : files) CocoReader(path, wanted, progress).read(read);
  for (const auto& [name, image] : read.images)
    if (!read.licences.contains(image.licence))
      throw Error(ErrorKind::format,
                  fmt::format("{} has the licence {}, which no file lists; name a file such "
                              "as COCO's instances_val2014.json",
                              name, image.licence));
  return read;
}

}  // namespace manifest
