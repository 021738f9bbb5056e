#include <functional>

#include "common/digest.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "manifest/format/manifest.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "tests/support/holds.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/vqa.hpp"

#include <doctest/doctest.h>

using common::Error;
using common::Json;

namespace {

using Change = std::function<void(Json&)>;

Json subset_json() {
  return common::parse_json(
      manifest::write_subset(support::subset_of({support::clip("1", "a"), support::clip("2", "b")})), "f");
}
Json vqa_json() {
  auto vqa = support::vqa_of({support::question(10, 1), support::question(11, 1)});
  vqa.captions = {support::clip("1", "a"), support::clip("2", "a")};
  return common::parse_json(manifest::write_vqa(vqa), "f");
}
std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}
// The message of the error, which must be of kind format and begin with the file's name.
template <typename Parse>
std::string refusal(Parse parse, Json value, const Change& change) {
  change(value);
  try {
    (void)parse(common::dump_pretty(value), "f");
  } catch (const Error& error) {
    CHECK(error.kind() == common::ErrorKind::format);
    const std::string message = error.what();
    CHECK(message.starts_with("f"));
    return message;
  }
  return "accepted";
}
std::string subset_refusal(const Change& change) {
  return refusal(manifest::parse_subset, subset_json(), change);
}
std::string vqa_refusal(const Change& change) { return refusal(manifest::parse_vqa, vqa_json(), change); }
using support::holds;

}  // namespace

TEST_CASE("what was written is read again, all of it") {
  CHECK(manifest::write_subset(manifest::parse_subset(common::dump_pretty(subset_json()), "f")) ==
        common::dump_pretty(subset_json()));
  CHECK(manifest::write_vqa(manifest::parse_vqa(common::dump_pretty(vqa_json()), "f")) ==
        common::dump_pretty(vqa_json()));
  // As the manifest that comes with the original has it.
  Json last = vqa_json();
  const Json name = last["entries"][1]["image_filename"];
  last["entries"][1].erase("image_filename");
  last["entries"][1]["image_filename"] = name;
  CHECK(manifest::write_vqa(manifest::parse_vqa(common::dump_pretty(last), "f")) ==
        common::dump_pretty(last));
}

TEST_CASE("the order of keys does not matter to a reader") {
  // As the Python original's own file has it: image_filename last.
  const auto vqa = manifest::parse_vqa(R"({"entries": [{"question_id": 1, "image_id": 2, "question": "q",
    "answers": ["a"], "majority_answer": "a", "image_filename": "COCO_val2014_000000000002.jpg"}],
    "seed": 1, "source_dataset": "d", "subset_name": "s", "description": "x"})",
                                       "f");
  CHECK(vqa.entries[0].image_filename == "COCO_val2014_000000000002.jpg");
  CHECK(vqa.subset_name == "s");
}

TEST_CASE("a start_time may be an integer, a float or null, and nothing else") {
  const auto with = [](const Json& start) {
    return [start](Json& json) { json["entries"][1]["start_time"] = start; };
  };
  Json json = subset_json();
  with(30)(json);
  const std::string text = manifest::write_subset(manifest::parse_subset(json.dump(), "f"));
  CHECK(holds(text, "\"start_time\": 30.0"));
  CHECK(subset_refusal(with(nullptr)) == "accepted");
  CHECK(holds(subset_refusal(with("30")), "f: entry 2: \"start_time\" must be a number"));
  CHECK(holds(subset_refusal(with(-1.5)), "f: entry 2: \"start_time\" must be 0 or more, found -1.5"));
}

TEST_CASE("every key but a clip's further captions must be there") {
  for (const std::string& key : keys_of(subset_json()))
    CHECK_MESSAGE(holds(subset_refusal([&](Json& json) { json.erase(key); }), "no key \"" + key + "\""), key);
  for (const std::string& key : keys_of(subset_json()["entries"][0]))
    CHECK_MESSAGE(holds(subset_refusal([&](Json& json) { json["entries"][1].erase(key); }),
                        "f: entry 2 has no key \"" + key + "\""),
                  key);
  for (const char* key : {"subset_name", "description", "seed", "source_dataset", "entries"})
    CHECK_MESSAGE(holds(vqa_refusal([&](Json& json) { json.erase(key); }), "no key"), key);
  for (const std::string& key : keys_of(vqa_json()["entries"][0]))
    CHECK_MESSAGE(holds(vqa_refusal([&](Json& json) { json["entries"][0].erase(key); }),
                        "f: entry 1 has no key \"" + key + "\""),
                  key);
  for (const std::string& key : keys_of(vqa_json()["captions"][0]))
    CHECK_MESSAGE(
        holds(vqa_refusal([&](Json& json) { json["captions"][0].erase(key); }), "f: captions row 1"), key);
  CHECK(vqa_refusal([](Json& json) { json.erase("captions"); }) == "accepted");
}

TEST_CASE("an unknown key is refused wherever it stands") {
  for (const char* place : {"", "/entries/0"}) {
    const Change add = [&](Json& json) { json[Json::json_pointer(place)]["extra"] = 1; };
    CHECK(holds(subset_refusal(add), "unknown key \"extra\""));
    CHECK(holds(vqa_refusal(add), "unknown key \"extra\""));
  }
  CHECK(holds(vqa_refusal([](Json& json) { json["captions"][0]["audio_relpath"] = "a"; }), "unknown key"));
}

TEST_CASE("a value of another type is refused, wherever it stands") {
  const Json wrong = Json::array({Json::object()});
  for (const std::string& key : keys_of(subset_json()))
    CHECK_MESSAGE(subset_refusal([&](Json& json) { json[key] = wrong; }) != "accepted", key);
  for (const std::string& key : keys_of(subset_json()["entries"][0]))
    CHECK_MESSAGE(subset_refusal([&](Json& json) { json["entries"][0][key] = wrong; }) != "accepted", key);
  for (const std::string& key : keys_of(vqa_json()["entries"][0]))
    CHECK_MESSAGE(vqa_refusal([&](Json& json) { json["entries"][0][key] = wrong; }) != "accepted", key);
  for (const std::string& key : keys_of(vqa_json()["captions"][0]))
    CHECK_MESSAGE(vqa_refusal([&](Json& json) { json["captions"][0][key] = wrong; }) != "accepted", key);
  CHECK(holds(subset_refusal([&](Json& json) { json["entries"][0]["captions"] = wrong; }), "strings only"));
  CHECK(subset_refusal([](Json& json) { json["metadata_columns"].erase(0); }) != "accepted");
  CHECK(subset_refusal([](Json& json) { json = 1; }) != "accepted");
  CHECK(vqa_refusal([](Json& json) { json = Json::array(); }) != "accepted");
}

TEST_CASE("no entries and repeated ids are refused") {
  CHECK(holds(subset_refusal([](Json& json) { json["entries"] = Json::array(); }), "f has no entries"));
  CHECK(holds(vqa_refusal([](Json& json) { json["entries"] = Json::array(); }), "f has no entries"));
  for (const char* id : {"audiocap_id", "youtube_id"})
    CHECK(holds(subset_refusal([&](Json& json) { json["entries"][1][id] = json["entries"][0][id]; }),
                std::string("f: entry 2: the ") + id));
  CHECK(holds(vqa_refusal([](Json& json) { json["entries"][1]["question_id"] = 10; }),
              "f: entry 2: the question_id 10 is a duplicate"));
  CHECK(
      holds(vqa_refusal([](Json& json) { json["captions"][1]["audiocap_id"] = "1"; }), "f: captions row 2"));
}

TEST_CASE("a file of unknown kind is told by what it holds, and its repeated ids may be kept") {
  Json json = subset_json();
  json["entries"].push_back(json["entries"][0]);
  const std::string text = common::dump_pretty(json);
  CHECK_THROWS_AS((void)manifest::parse_any(text, "f", manifest::Repeats::refuse), Error);
  const auto any = manifest::parse_any(text, "f", manifest::Repeats::keep);
  REQUIRE(std::holds_alternative<manifest::SubsetManifest>(any));
  CHECK(std::get<manifest::SubsetManifest>(any).entries.size() == 3);
  CHECK(std::holds_alternative<manifest::VqaManifest>(
      manifest::parse_any(common::dump_pretty(vqa_json()), "f", manifest::Repeats::refuse)));
  CHECK_THROWS_AS((void)manifest::parse_any("[]", "f", manifest::Repeats::keep), Error);
}

TEST_CASE("a manifest that is not there is an io error that names it") {
  const support::Scratch scratch;
  for (const auto& read :
       {std::function<void()>([&] { (void)manifest::read_vqa(scratch / "absent.json"); }),
        std::function<void()>([&] { (void)manifest::read_subset(scratch / "absent.json"); })}) {
    try {
      read();
      FAIL("read what is not there");
    } catch (const Error& error) {
      CHECK(error.kind() == common::ErrorKind::io);
      CHECK(holds(error.what(), "absent.json"));
    }
  }
}

namespace {

manifest::Recipe recipe() {
  return {"stratified",
          214354,
          {{"questions", common::digest_of("q")}, {"annotations", common::digest_of("a")}},
          {{"x", "no source file"}}};
}

}  // namespace

TEST_CASE("a recipe stands before the entries, and is read again, all of it") {
  auto subset = support::subset_of({support::clip("1", "a")});
  subset.recipe = recipe();
  const std::string text = manifest::write_subset(subset);
  CHECK(manifest::parse_subset(text, "f").recipe == recipe());
  CHECK(manifest::write_subset(manifest::parse_subset(text, "f")) == text);
  CHECK(keys_of(common::parse_json(text, "f")) ==
        std::vector<std::string>{"subset_name", "description", "seed", "source_dataset", "audio_rel_root",
                                 "metadata_columns", "recipe", "entries"});
  auto vqa = support::vqa_of({support::question(10, 1)});
  vqa.captions = {support::clip("1", "a")};
  vqa.recipe = recipe();
  vqa.recipe->skipped.clear();
  const std::string other = manifest::write_vqa(vqa);
  CHECK(manifest::write_vqa(std::get<manifest::VqaManifest>(
            manifest::parse_any(other, "f", manifest::Repeats::refuse))) == other);
  CHECK(holds(other, "\"recipe\": {\n    \"strategy\": \"stratified\",\n    \"population\": 214354,"));
  CHECK(!holds(other, "skipped"));
}

TEST_CASE("a recipe that is none is refused") {
  const auto refused = [](const Change& change) {
    return vqa_refusal([&](Json& root) {
      root["recipe"] = manifest::to_json(recipe());
      change(root["recipe"]);
    });
  };
  CHECK(refused([](Json&) {}) == "accepted");
  CHECK(holds(refused([](Json& json) { json = 3; }), "f: recipe is not a JSON object"));
  CHECK(holds(refused([](Json& json) { json["x"] = 1; }), "unknown key \"x\""));
  CHECK(holds(refused([](Json& json) { json.erase("strategy"); }), "f: recipe has no key \"strategy\""));
  CHECK(holds(refused([](Json& json) { json["population"] = -1; }), "must be 0 or more"));
  CHECK(holds(refused([](Json& json) { json["sources"][0]["sha256"] = "0"; }), "64 hexadecimal digits"));
  CHECK(holds(refused([](Json& json) { json["sources"][0]["path"] = "/x"; }), "unknown key \"path\""));
  CHECK(holds(refused([](Json& json) { json["skipped"][0].erase("reason"); }), "has no key \"reason\""));
}
