// What a tokenizer.json says, parsed: the rules by which Tokenizer turns text into ids and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/formats/byte_pairs.hpp"

namespace trainer {

inline constexpr std::string_view k_space_piece = "\xE2\x96\x81";  // U+2581, how pieces spell a space

struct NormalizeStep {
  std::string prepend;   // either this,
  std::string from, to;  // or from -> to
};

enum class PrefixScheme { never, first, always };
enum class Splitting { off, on };

struct Metaspace {
  PrefixScheme prefix = PrefixScheme::never;
  Splitting splitting = Splitting::off;
};

struct AddedToken {
  std::string content;  // as it is looked for: normalised for those that are cut out of normalised text
  std::int64_t id = 0;
};

struct TokenizerRules {
  BytePairs pairs;
  std::vector<std::string> pieces;                      // by id; empty where there is none
  std::vector<bool> special;                            // by id
  std::vector<AddedToken> added_raw, added_normalized;  // sorted by content
  std::vector<NormalizeStep> normalizer;
  std::optional<Metaspace> metaspace;
  TokenIds before, after;  // what the template puts around a text
  bool strips_first_space = false;
  bool whole_words_first = false;
};

// Format errors name `name`; a component that is not supported is refused by its type.
[[nodiscard]] TokenizerRules parse_tokenizer_rules(std::string_view json, const std::string& name);

// An empty text stays empty: it gets no prefix. One that grows without bounds is a mismatch error.
[[nodiscard]] std::string normalize(const std::vector<NormalizeStep>& steps, std::string_view text);

}  // namespace trainer
