// Byte-pair encoding as Hugging Face's `tokenizers` does it for LLaMA: added tokens are cut out first, spaces
// become "▁", the merge of lowest rank goes first, and what has no piece is spelled in bytes <0x00>..<0xFF>.
// Reads tokenizer.json; a component that is not listed in tokenizer_rules.cpp is refused by name, never
// approximated.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.hpp"
#include "trainer/formats/byte_pairs.hpp"
#include "trainer/formats/model_folder.hpp"

namespace trainer {

// as_template: what the file's post-processor adds (LLaMA: <s> in front).
enum class SpecialTokens { as_template, none };

class Tokenizer {
 public:
  // Format errors name `name`.
  [[nodiscard]] static Tokenizer parse(std::string_view json, const std::string& name);
  // The folder's tokenizer.json.
  [[nodiscard]] static Tokenizer load(const ModelFolder& folder);
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;

  [[nodiscard]] TokenIds encode(std::string_view text,
                                SpecialTokens special = SpecialTokens::as_template) const;
  // The added tokens that `text` is cut at, in order: what encode() takes for tokens of their own.
  [[nodiscard]] TokenIds added_in(std::string_view text) const;
  [[nodiscard]] bool is_special(std::int64_t id) const;
  // Special tokens are left out, and ids without a piece (embeddings are often padded beyond the vocabulary);
  // a run of bytes that is no UTF-8 becomes one U+FFFD a byte.
  [[nodiscard]] std::string decode(std::span<const std::int64_t> ids) const;

  // The id of a piece or an added token such as "<image>", "</s>".
  [[nodiscard]] std::optional<std::int64_t> find(std::string_view piece) const;
  [[nodiscard]] std::int64_t id_of(std::string_view piece) const;  // mismatch error where there is none
  [[nodiscard]] const std::string& piece(std::int64_t id) const;
  [[nodiscard]] std::int64_t size() const;  // one more than the largest id
  // The text it was read from, byte for byte, so that a folder can be saved with it.
  [[nodiscard]] const std::string& json() const;

 private:
  struct State;
  explicit Tokenizer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace trainer
