// A tokenizer.json that somebody made to be refused, or to take long.
#include <fmt/format.h>

#include <ctime>
#include <string>

#include "common/error.hpp"
#include "trainer/formats/tokenizer.hpp"

#include <doctest/doctest.h>

using trainer::TokenIds;
using trainer::Tokenizer;

namespace {

std::string json(const std::string& vocab, const std::string& merges, const std::string& added = "",
                 const std::string& normalizer = "null") {
  return fmt::format(
      R"({{"added_tokens":[{}],"normalizer":{},"decoder":{{"type":"Sequence","decoders":[]}},"model":{{"type":"BPE","byte_fallback":true,"vocab":{{{}}},"merges":[{}]}}}})",
      added, normalizer, vocab, merges);
}

void check_tokenizer_refused(const std::string& text, const std::string& because) {
  CAPTURE(because);
  try {
    (void)Tokenizer::parse(text, "tokenizer.json");
    FAIL_CHECK("it was accepted");
  } catch (const common::Error& error) {
    const std::string what = error.what();
    CAPTURE(what);
    CHECK(error.kind() == common::ErrorKind::format);
    CHECK(what.find("tokenizer.json") == 0);
    CHECK(what.find(because) != std::string::npos);
  }
}

std::string replace(const char* from, const std::string& to) {
  return fmt::format(R"({{"type":"Replace","pattern":{{"String":"{}"}},"content":"{}"}})", from, to);
}

std::string steps(int count, const std::string& step) {
  std::string all = R"({"type":"Sequence","normalizers":[)";
  for (int i = 0; i < count; ++i) all += (i > 0 ? "," : "") + step;
  return all + "]}";
}

}  // namespace

TEST_CASE("pieces that are listed twice, share an id or have none of theirs are refused") {
  CHECK_NOTHROW((void)Tokenizer::parse(json(R"("a":0,"b":1,"ab":2)", R"("a b")"), "tokenizer.json"));
  check_tokenizer_refused(json(R"("a":0,"a":1)", ""), "listed twice");
  check_tokenizer_refused(json(R"("a":0,"b":0)", ""), "both have the id 0");
  check_tokenizer_refused(json(R"("a":-1)", ""), "out of bounds");
  check_tokenizer_refused(json(R"("a":1000000000000)", ""), "out of bounds");
  check_tokenizer_refused(json(R"("a":0.5)", ""), "not a whole number");
  check_tokenizer_refused(json("\"" + std::string(5000, 'a') + "\":0", ""), "5000 bytes");
  check_tokenizer_refused(json(R"("a":0)", R"("a b")"), "not made of pieces");
  check_tokenizer_refused(json(R"("a":0)", R"(["a"])"), "not a pair");
  check_tokenizer_refused(json(R"("a":0)", "7"), "not a pair");
}

TEST_CASE("normalisers of many steps, of long texts or without end are refused") {
  check_tokenizer_refused(json(R"("a":0)", "", "", steps(17, replace("a", "b"))), "more than 16 steps");
  check_tokenizer_refused(json(R"("a":0)", "", "", steps(1, replace("a", std::string(65, 'a')))),
                          "more bytes");
  const auto grows =
      Tokenizer::parse(json(R"("a":0)", "", "", steps(16, replace("a", "aa"))), "tokenizer.json");
  CHECK_THROWS_WITH_AS((void)grows.encode(std::string(100, 'a')), doctest::Contains("normalizer"),
                       common::Error);
}

TEST_CASE("more added tokens or values than any model has are refused") {
  std::string added;
  for (int i = 0; i < 9000; ++i)
    added += fmt::format(R"({}{{"id":{},"content":"<{}>"}})", i > 0 ? "," : "", i, i);
  check_tokenizer_refused(json(R"("a":0)", "", added), "added_tokens: there are more than");
  std::string many = "{\"a\":[";
  for (int i = 0; i < 100000; ++i) many += "[],";
  check_tokenizer_refused(many + "[]]}", "more than 65536 values");
}

TEST_CASE("of added tokens that begin alike the longest is cut out, and an empty one never is") {
  const auto tokenizer = Tokenizer::parse(
      json(
          R"("a":0,"b":1)", "",
          R"({"id":5,"content":"<a>"},{"id":6,"content":"<a>b"},{"id":7,"content":"<"},{"id":8,"content":"z"})",
          steps(1, replace("z", ""))),
      "tokenizer.json");
  CHECK(tokenizer.added_in("<a><a>b<<a") == TokenIds{5, 6, 7, 7});
  CHECK(tokenizer.encode("<a>ba<a>a<") == TokenIds{6, 0, 5, 0, 7});
  CHECK(tokenizer.encode("z").empty());
}

TEST_CASE("time grows with the text and not with the tokens that it may hold") {
  std::string added, vocab = R"("a":0)", merges;
  for (int i = 1; i <= 1000; ++i)
    added += fmt::format(R"({}{{"id":{},"content":"{}b"}})", i > 1 ? "," : "", i,
                         std::string(static_cast<std::size_t>(i), 'a'));
  const auto tokenizer = Tokenizer::parse(json(vocab, merges, added), "tokenizer.json");
  const std::clock_t begin = std::clock();
  CHECK(tokenizer.encode(std::string(5'000, 'a')).size() == 5'000);
  // All tokens tried at all places would be 2.5 billion characters.
  CHECK(std::clock() - begin < 10 * CLOCKS_PER_SEC);  // of the processor, which others use too
}
