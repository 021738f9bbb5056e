#include "trainer/formats/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "trainer/formats/model_form.hpp"
#include "trainer/formats/tokenizer_rules.hpp"

namespace trainer {

namespace {

// Several times what the largest vocabularies take.
constexpr std::uint64_t k_tokenizer_limit_bytes = 64 << 20;
constexpr std::string_view k_replacement = "\xEF\xBF\xBD";  // U+FFFD

}  // namespace

struct Tokenizer::State {
  std::string json;
  TokenizerRules rules;
};

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;

Tokenizer Tokenizer::parse(std::string_view json, const std::string& name) {
  return Tokenizer(std::make_unique<State>(State{std::string(json), parse_tokenizer_rules(json, name)}));
}

Tokenizer Tokenizer::load(const ModelFolder& folder) {
  require_tokenizer_json(folder);
  const std::string name = "tokenizer.json";
  return parse(folder.read_text(name, k_tokenizer_limit_bytes), folder.path_of(name).string());
}

namespace {

// A stretch of text: an added token, or what lies between two.
struct Segment {
  std::string_view text;
  std::optional<std::int64_t> added;
  bool at_start = false;
};

// The longest of `tokens`, which are sorted, that `text` begins with; or nothing.
const AddedToken* longest_at(std::string_view text, const std::vector<AddedToken>& tokens) {
  const AddedToken* longest = nullptr;
  auto first = tokens.begin(), last = tokens.end();
  // Those that agree with the text so far lie side by side; every character leaves fewer.
  for (std::size_t at = 0; at < text.size() && first != last; ++at) {
    const auto character = [&](const AddedToken& token) {
      return at < token.content.size() ? static_cast<int>(static_cast<unsigned char>(token.content[at])) : -1;
    };
    const int wanted = static_cast<unsigned char>(text[at]);
    first = std::partition_point(first, last, [&](const auto& token) { return character(token) < wanted; });
    last = std::partition_point(first, last, [&](const auto& token) { return character(token) <= wanted; });
    if (first != last && first->content.size() == at + 1) longest = &*first;
  }
  return longest;
}

// The leftmost longest matches of `tokens`, and what lies between; empty stretches are left out.
std::vector<Segment> split_at(std::string_view text, const std::vector<AddedToken>& tokens, bool at_start) {
  std::vector<Segment> segments;
  std::size_t begin = 0;
  const auto put_text = [&](std::size_t end) {
    if (end > begin) segments.push_back({text.substr(begin, end - begin), {}, at_start && begin == 0});
  };
  for (std::size_t at = 0; at < text.size();) {
    const AddedToken* hit = longest_at(text.substr(at), tokens);
    if (hit == nullptr) {
      ++at;
      continue;
    }
    put_text(at);
    segments.push_back({text.substr(at, hit->content.size()), hit->id, false});
    at += hit->content.size();
    begin = at;
  }
  put_text(text.size());
  return segments;
}

// The stretches that merges may not cross.
std::vector<std::string> words_of(const Segment& segment, const std::optional<Metaspace>& metaspace) {
  if (!metaspace) return {std::string(segment.text)};
  auto text = replace_all(segment.text, " ", k_space_piece);
  const bool prefixed = metaspace->prefix == PrefixScheme::always ||
                        (metaspace->prefix == PrefixScheme::first && segment.at_start);
  if (prefixed && !text.starts_with(k_space_piece)) text = std::string(k_space_piece) + text;
  if (metaspace->splitting == Splitting::off) return {text};
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.size(), text.find(k_space_piece, begin + 1));
    words.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  return words;
}

}  // namespace

TokenIds Tokenizer::encode(std::string_view text, SpecialTokens special) const {
  const auto& s = state_->rules;
  TokenIds ids;
  if (special == SpecialTokens::as_template) ids = s.before;
  for (const auto& outer : split_at(text, s.added_raw, true)) {
    if (outer.added) {
      ids.push_back(*outer.added);
      continue;
    }
    const auto normalized = normalize(s.normalizer, outer.text);
    for (const auto& segment : split_at(normalized, s.added_normalized, outer.at_start)) {
      if (segment.added) {
        ids.push_back(*segment.added);
        continue;
      }
      for (const auto& word : words_of(segment, s.metaspace)) {
        const auto whole = s.whole_words_first ? s.pairs.find(word) : std::nullopt;
        if (whole) {
          ids.push_back(*whole);
        } else {
          s.pairs.encode(word, ids);
        }
      }
    }
  }
  if (special == SpecialTokens::as_template) ids.insert(ids.end(), s.after.begin(), s.after.end());
  return ids;
}

TokenIds Tokenizer::added_in(std::string_view text) const {
  const auto& s = state_->rules;
  TokenIds ids;
  for (const auto& outer : split_at(text, s.added_raw, true)) {
    if (outer.added) {
      ids.push_back(*outer.added);
      continue;
    }
    const auto normalized = normalize(s.normalizer, outer.text);
    for (const auto& segment : split_at(normalized, s.added_normalized, outer.at_start))
      if (segment.added) ids.push_back(*segment.added);
  }
  return ids;
}

bool Tokenizer::is_special(std::int64_t id) const {
  return id >= 0 && id < size() && state_->rules.special[static_cast<std::size_t>(id)];
}

std::string Tokenizer::decode(std::span<const std::int64_t> ids) const {
  std::string text, bytes;
  const auto flush = [&] {
    if (is_utf8(bytes)) {
      text += bytes;
    } else {
      for (std::size_t i = 0; i < bytes.size(); ++i) text += k_replacement;
    }
    bytes.clear();
  };
  for (const auto id : ids) {
    if (id < 0 || id >= size() || state_->rules.special[static_cast<std::size_t>(id)]) continue;
    const auto& piece = state_->rules.pieces[static_cast<std::size_t>(id)];
    if (const auto byte = byte_of_piece(piece)) {
      bytes += static_cast<char>(*byte);
      continue;
    }
    flush();
    text += replace_all(piece, k_space_piece, " ");
  }
  flush();
  if (state_->rules.strips_first_space && text.starts_with(' ')) text.erase(0, 1);
  return text;
}

std::optional<std::int64_t> Tokenizer::find(std::string_view piece) const {
  for (const auto* list : {&state_->rules.added_raw, &state_->rules.added_normalized})
    for (const auto& token : *list)
      if (state_->rules.pieces[static_cast<std::size_t>(token.id)] == piece) return token.id;
  return state_->rules.pairs.find(piece);
}

std::int64_t Tokenizer::id_of(std::string_view piece) const {
  const auto id = find(piece);
  if (!id)
    throw common::Error(
        common::ErrorKind::mismatch,
        fmt::format("the tokenizer has no token {}; tokenizer.json belongs to another model", piece));
  return *id;
}

const std::string& Tokenizer::piece(std::int64_t id) const {
  ENSURE(id >= 0 && id < size());
  return state_->rules.pieces[static_cast<std::size_t>(id)];
}

std::int64_t Tokenizer::size() const { return static_cast<std::int64_t>(state_->rules.pieces.size()); }
const std::string& Tokenizer::json() const { return state_->json; }

}  // namespace trainer
