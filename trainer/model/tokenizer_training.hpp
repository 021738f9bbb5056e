// Makes a tokenizer.json for a tiny base: byte pairs learned from lines of text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/json.hpp"

namespace trainer {

struct TokenizerTraining {
  std::vector<std::string> lines;  // what it will have to encode; merges are learned within words
  // Stretches that become one token each, as they stand in the text: "USER: ", "\nAnswer in one word.
  // Question:", " ASSISTANT:". Each must begin a text segment or begin with a space, and be followed by a
  // space or by the end of its segment (a segment ends at an added token such as <image>).
  std::vector<std::string> phrases;
  std::int64_t vocabulary_limit = 2048;                          // with the specials and the 256 bytes
  std::vector<std::string> extra_tokens = {"<image>", "<pad>"};  // added after the pieces
};

// tokenizer.json of a LLaMA-like tokenizer: <unk> 0, <s> 1, </s> 2, bytes 3..258, characters, merges, extra
// tokens. The same input gives the same text. A limit too small for the specials, characters and phrases is a
// usage error.
[[nodiscard]] std::string train_tokenizer(const TokenizerTraining& training);

// tokenizer_config.json to lie beside it, for transformers' AutoTokenizer.
[[nodiscard]] common::Json tokenizer_config();

}  // namespace trainer
