#include <string>

#include "common/error.hpp"
#include "common/json.hpp"
#include "common/random.hpp"
#include "trainer/formats/tokenizer.hpp"
#include "trainer/model/tokenizer_training.hpp"

#include <doctest/doctest.h>

using trainer::SpecialTokens;
using trainer::TokenIds;
using trainer::Tokenizer;

namespace {

// Four merges, of which two compete for the same letter.
std::string small_json(const std::string& normalizer, const std::string& pre_tokenizer,
                       const std::string& more_added = "") {
  std::string vocab = R"("<unk>":0,"<s>":1,"</s>":2)";
  for (int byte = 0; byte < 256; ++byte)
    vocab += ",\"" + trainer::byte_piece(static_cast<std::uint8_t>(byte)) + "\":" + std::to_string(byte + 3);
  int id = 259;
  for (const auto* piece : {"▁", "a", "b", "c", "ab", "bc", "abc", "▁a", "▁▁"})
    vocab += std::string(",\"") + piece + "\":" + std::to_string(id++);
  return R"({"added_tokens":[{"id":1,"content":"<s>","special":true,"normalized":false},{"id":300,"content":"<image>","special":true,"normalized":false})" +
         more_added + R"(],"normalizer":)" + normalizer + R"(,"pre_tokenizer":)" + pre_tokenizer +
         R"(,"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],"special_tokens":{"<s>":{"id":"<s>","ids":[1],"tokens":["<s>"]}}},)"
         R"("decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},)"
         R"("model":{"type":"BPE","byte_fallback":true,"fuse_unk":true,"unk_token":"<unk>","vocab":{)" +
         vocab + R"(},"merges":["b c",["a","b"],"ab c","▁ a","▁ ▁"]}})";
}

const char* k_legacy =
    R"({"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]})";

TokenIds encode(const Tokenizer& tokenizer, const std::string& text) {
  return tokenizer.encode(text, SpecialTokens::none);
}

trainer::TokenizerTraining training() {
  trainer::TokenizerTraining t;
  t.lines = {"USER: <image>\nAnswer in one word. Question: what colour is the circle ASSISTANT: blue",
             "USER: <image>\nAnswer in one word. Question: what colour is the square ASSISTANT: red",
             "a dog barks in one word. or a colour of the circle"};
  t.phrases = {"USER: ", "\nAnswer in one word. Question:", " ASSISTANT:"};
  t.vocabulary_limit = 420;
  return t;
}

}  // namespace

TEST_CASE("the merge of lowest rank goes first, wherever it is, and the leftmost of equals") {
  const auto tokenizer = Tokenizer::parse(small_json("null", "null"), "t");
  CHECK(encode(tokenizer, "abc") == TokenIds{260, 264});  // b c has rank 0, so ab is never made
  CHECK(encode(tokenizer, "ab") == TokenIds{263});
  CHECK(encode(tokenizer, "abab") == TokenIds{263, 263});
  CHECK(encode(tokenizer, "▁▁▁") == TokenIds{267, 259});
  CHECK(encode(tokenizer, "").empty());
  CHECK(tokenizer.encode("ab") == TokenIds{1, 263});
}

TEST_CASE(
    "a character without a piece is spelled in bytes, and bytes decode as UTF-8 or as one U+FFFD each") {
  const auto tokenizer = Tokenizer::parse(small_json("null", "null"), "t");
  CHECK(encode(tokenizer, "aé\n") == TokenIds{260, 0xC3 + 3, 0xA9 + 3, 13});
  CHECK(tokenizer.decode(TokenIds{260, 0xC3 + 3, 0xA9 + 3}) == "aé");
  CHECK(tokenizer.decode(TokenIds{0xC3 + 3, 260}) ==
        "\xEF\xBF\xBD"
        "a");
  CHECK(tokenizer.decode(TokenIds{0xA9 + 3, 0xC3 + 3}) == "\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(tokenizer.decode(TokenIds{1, 260, 9999, -5}) == "a");
}

TEST_CASE("the legacy normaliser prefixes every segment, Metaspace 'first' only the text's beginning") {
  const auto legacy = Tokenizer::parse(small_json(k_legacy, "null"), "t");
  CHECK(encode(legacy, "a<image>a") == TokenIds{266, 300, 266});
  CHECK(encode(legacy, "<image>\n") == TokenIds{300, 259, 13});
  const auto first = Tokenizer::parse(
      small_json("null", R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"first","split":false})"),
      "t");
  CHECK(encode(first, "a<image>a") == TokenIds{266, 300, 260});
  CHECK(encode(first, " a") == TokenIds{266});
  CHECK(encode(legacy, " a") == TokenIds{259, 266});
  const auto always = Tokenizer::parse(
      small_json("null", R"({"type":"Metaspace","replacement":"▁","prepend_scheme":"always"})"), "t");
  CHECK(encode(always, "a<image>a") == TokenIds{266, 300, 266});
  CHECK(encode(always, "a  a") == TokenIds{266, 259, 266});  // split before each space: no merge crosses
  CHECK(legacy.decode(TokenIds{266, 259}) == "a ");
}

TEST_CASE("an added token that is normalised is looked for in the normalised text") {
  const auto tokenizer = Tokenizer::parse(
      small_json(k_legacy, "null", R"(,{"id":301,"content":"cc","normalized":true,"special":false})"), "t");
  CHECK(encode(tokenizer, "cc") == TokenIds{301});
  CHECK(encode(tokenizer, "acc") == TokenIds{266, 262, 262});
  CHECK(encode(tokenizer, "a cc") == TokenIds{266, 301});
}

TEST_CASE("components of other tokenizers are refused by their type") {
  const auto refused = [](const std::string& json, const std::string& what) {
    try {
      (void)Tokenizer::parse(json, "t");
      FAIL_CHECK("accepted: " << what);
    } catch (const common::Error& error) {
      CHECK(std::string(error.what()).find(what) != std::string::npos);
    }
  };
  refused(small_json(R"({"type":"NFKC"})", "null"), "NFKC");
  refused(small_json("null", R"({"type":"ByteLevel"})"), "ByteLevel");
  refused(small_json("null", "null", R"(,{"id":301,"content":"x","lstrip":true})"), "lstrip");
  refused(small_json("null", "null", R"(,{"id":-1,"content":"x"})"), "out of bounds");
  refused(R"({"model":{"type":"WordPiece"}})", "WordPiece");
  refused(R"({"model":{"type":"BPE","vocab":{"a":0},"merges":["a b"]},"decoder":{"type":"Metaspace"}})",
          "merges");
}

TEST_CASE("every UTF-8 text without U+2581 survives encoding and decoding by a trained tokenizer") {
  const auto tokenizer = Tokenizer::parse(trainer::train_tokenizer(training()), "t");
  common::Random random(7);
  const std::vector<std::string> letters = {"a",      "b",    " ",  "\n", "é",      "漢",          "😀",
                                            "colour", " the", "\t", "<",  "USER: ", " ASSISTANT:", "\x7F"};
  for (int round = 0; round < 300; ++round) {
    std::string text;
    for (auto left = random.below(12); left-- > 0;) text += random.choice(letters);
    CAPTURE(text);
    CHECK(tokenizer.decode(encode(tokenizer, text)) == text);
  }
}

TEST_CASE("bytes that are no UTF-8 encode too, and never crash") {
  const auto tokenizer = Tokenizer::parse(trainer::train_tokenizer(training()), "t");
  common::Random random(8);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (auto left = random.below(20); left-- > 0;) text += static_cast<char>(random.below(256));
    const auto ids = encode(tokenizer, text);
    CHECK(trainer::is_utf8(tokenizer.decode(ids)));
  }
}

TEST_CASE(
    "a trained tokenizer says each phrase in one token where the template puts it, and words elsewhere") {
  const auto tokenizer = Tokenizer::parse(trainer::train_tokenizer(training()), "t");
  CHECK(tokenizer.size() <= 420);
  const auto ids =
      tokenizer.encode("USER: <image>\nAnswer in one word. Question: what colour is the circle ASSISTANT:");
  REQUIRE(ids.size() == 4 + 5 + 1);
  CHECK(ids[0] == tokenizer.id_of("<s>"));
  CHECK(ids[2] == tokenizer.id_of("<image>"));
  CHECK(tokenizer.piece(ids[3]) == "▁\nAnswer▁in▁one▁word.▁Question:");
  CHECK(tokenizer.piece(ids.back()) == "▁ASSISTANT:");
  // No merge of a phrase's middle joins words elsewhere.
  for (const auto id : encode(tokenizer, "a dog in one word. or a colour"))
    CHECK(tokenizer.piece(id).find("▁", 1) == std::string::npos);
  CHECK(trainer::train_tokenizer(training()) == trainer::train_tokenizer(training()));
}

TEST_CASE("a vocabulary too small for the characters and phrases is a usage error") {
  auto small = training();
  small.vocabulary_limit = 300;
  CHECK_THROWS_AS((void)trainer::train_tokenizer(small), common::Error);
}
