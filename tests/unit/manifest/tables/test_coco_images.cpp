#include "manifest/tables/coco_images.hpp"

#include "common/error.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"

#include <doctest/doctest.h>

using common::Error;
using common::ErrorKind;

namespace {

constexpr const char* k_val =
    R"({"info":{},"licenses":[{"url":"http://a","id":1,"name":"A"},{"url":"http://b","id":3,"name":"B"}],
        "images":[{"license":3,"file_name":"x.jpg","coco_url":"http://coco/x","height":2,"flickr_url":"http://f/x","id":7},
                  {"license":1,"file_name":"y.jpg","coco_url":"http://coco/y","id":8},
                  {"license":9,"file_name":"unasked.jpg","id":9}],
        "annotations":[{"segmentation":[[1.5]],"id":1}]})";

struct Files {
  support::Scratch scratch;
  std::vector<std::filesystem::path> paths;
  Files& add(const std::string& text) {
    paths.push_back(scratch / ("f" + std::to_string(paths.size()) + ".json"));
    support::put_file(paths.back(), text);
    return *this;
  }
  [[nodiscard]] manifest::CocoImages read() const {
    return manifest::read_coco_images(paths, {"x.jpg", "y.jpg"}, common::Verbosity::quiet);
  }
  [[nodiscard]] std::string refused(ErrorKind kind) const {
    try {
      (void)read();
    } catch (const Error& error) {
      CHECK(error.kind() == kind);
      return error.what();
    }
    return "accepted";
  }
};

using support::holds;

}  // namespace

TEST_CASE("the licence and source of each image that is asked for are found, by its file name") {
  const manifest::CocoImages read = Files().add(k_val).read();
  REQUIRE(read.images.size() == 2);
  CHECK(read.images.at("x.jpg").licence == 3);
  CHECK(read.images.at("x.jpg").source == "http://f/x");
  CHECK(read.images.at("y.jpg").source == "http://coco/y");
  CHECK(read.licences.at(3) == manifest::Licence{"B", "http://b"});
}

TEST_CASE("several files may say the same, and none may say something else") {
  CHECK(Files().add(k_val).add(k_val).read().images.size() == 2);
  std::string other = k_val;
  other.replace(other.find("http://f/x"), 10, "http://g/x");
  CHECK(holds(Files().add(k_val).add(other).refused(ErrorKind::mismatch), "disagrees about x.jpg"));
  other = k_val;
  other.replace(other.find("http://b"), 8, "http://c");
  CHECK(holds(Files().add(k_val).add(other).refused(ErrorKind::mismatch), "licence 3"));
}

TEST_CASE("a file that is not COCO's is refused with the row") {
  const auto refused = [](const std::string& text) { return Files().add(text).refused(ErrorKind::format); };
  CHECK(holds(refused("[]"), "not a JSON object"));
  CHECK(holds(refused("{}"), "no key \"images\""));
  CHECK(holds(refused(R"({"images":[]})"), "no key \"licenses\""));
  CHECK(holds(refused(R"({"images":{},"licenses":[]})"), "\"images\" must be a list"));
  CHECK(holds(refused(R"({"licenses":[],"images":[3]})"), "images row 1: an object is expected"));
  CHECK(
      holds(refused(R"({"licenses":[{"name":"A"}],"images":[]})"), "licenses row 1: there is no key \"id\""));
  CHECK(holds(refused(R"({"licenses":[],"images":[{"license":1}]})"), "no key \"file_name\""));
  CHECK(holds(refused(R"({"licenses":[],"images":[{"file_name":"x.jpg"}]})"), "no key \"license\""));
  CHECK(holds(refused(R"({"licenses":[],"images":[{"file_name":"x.jpg","license":"1"}]})"),
              "\"license\" must be an integer"));
  CHECK(holds(refused(R"({"licenses":[],"images":[{"file_name":"x.jpg","license":1.5}]})"),
              "\"license\" must be an integer"));
  CHECK(holds(refused(R"({"licenses":[],"images":[{"file_name":"x.jpg","license":4}]})"),
              "x.jpg has the licence 4, which no file lists"));
  CHECK(holds(refused(R"({"licenses":[])"), "is not valid JSON"));
}
