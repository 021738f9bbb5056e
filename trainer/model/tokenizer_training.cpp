#include "trainer/model/tokenizer_training.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/error.hpp"
#include "trainer/formats/tokenizer.hpp"

namespace trainer {

using common::Json;

namespace {

constexpr const char* k_space = "\xE2\x96\x81";  // U+2581
// A merge that is seen once shortens nothing but the line it was learned from.
constexpr std::int64_t k_least_count = 2;

using Symbols = std::vector<std::string>;

struct Word {
  Symbols symbols;
  std::int64_t count = 0;
};

Symbols characters_of(std::string_view text) {
  Symbols all;
  for (; !text.empty(); text.remove_prefix(all.back().size()))
    all.emplace_back(text.substr(0, character_length(text)));
  return all;
}

// As the normalizer makes it, with the prefix that a segment gets.
std::string normalized(std::string_view text) { return k_space + replace_all(text, " ", k_space); }

// A phrase as it will stand in normalised text: one that begins with a space carries its own prefix.
std::string normalized_phrase(const std::string& phrase) {
  return phrase.starts_with(' ') ? replace_all(phrase, " ", k_space) : normalized(phrase);
}

std::vector<std::string> split_around(const std::string& text, const std::string& what) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    begin = at + what.size();
  }
  parts.push_back(text.substr(begin));
  return parts;
}

std::vector<std::string> split_around_all(const std::vector<std::string>& texts,
                                          const std::vector<std::string>& cuts) {
  auto parts = texts;
  for (const auto& cut : cuts) {
    std::vector<std::string> finer;
    for (const auto& part : parts)
      for (auto& piece : split_around(part, cut)) finer.push_back(std::move(piece));
    parts = std::move(finer);
  }
  return parts;
}

// Words with their counts: what stands between added tokens and phrases, cut before every space.
std::map<std::string, std::int64_t> count_words(const TokenizerTraining& training,
                                                std::vector<std::string> phrases) {
  std::sort(phrases.begin(), phrases.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  std::map<std::string, std::int64_t> counts;
  for (const auto& segment : split_around_all(training.lines, training.extra_tokens)) {
    if (segment.empty()) continue;
    for (const auto& text : split_around_all({normalized(segment)}, phrases))
      for (std::size_t begin = 0; begin < text.size();) {
        const auto end = std::min(text.size(), text.find(k_space, begin + 1));
        ++counts[text.substr(begin, end - begin)];
        begin = end;
      }
  }
  return counts;
}

using Pair = std::pair<std::string, std::string>;

// The most frequent pair; of several, the first in byte order.
std::optional<Pair> best_pair(const std::vector<Word>& words) {
  std::map<Pair, std::int64_t> counts;
  for (const auto& word : words)
    for (std::size_t i = 0; i + 1 < word.symbols.size(); ++i)
      counts[{word.symbols[i], word.symbols[i + 1]}] += word.count;
  const auto best = std::max_element(counts.begin(), counts.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  if (best == counts.end() || best->second < k_least_count) return std::nullopt;
  return best->first;
}

void apply(const Pair& pair, Symbols& symbols) {
  Symbols merged;
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    const bool hit = i + 1 < symbols.size() && symbols[i] == pair.first && symbols[i + 1] == pair.second;
    merged.push_back(hit ? symbols[i] + symbols[i + 1] : symbols[i]);
    if (hit) ++i;
  }
  symbols = std::move(merged);
}

// The growing tokenizer: pieces in the order of their ids, merges in the order of their ranks.
struct Vocabulary {
  std::vector<std::string> pieces;
  std::vector<Pair> merges;
  BytePairs pairs;

  void add(const std::string& piece) {
    if (pairs.find(piece)) return;
    pairs.add_piece(piece, static_cast<std::int64_t>(pieces.size()));
    pieces.push_back(piece);
  }
  void merge(const Pair& pair) {
    add(pair.first + pair.second);
    ENSURE(pairs.add_merge(pair.first, pair.second));
    merges.push_back(pair);
  }
  [[nodiscard]] Symbols encode(const std::string& text) const {
    TokenIds ids;
    pairs.encode(text, ids);
    Symbols symbols;
    for (const auto id : ids) symbols.push_back(pieces[static_cast<std::size_t>(id)]);
    return symbols;
  }
};

void learn_words(const std::map<std::string, std::int64_t>& counts, std::int64_t limit,
                 Vocabulary& vocabulary) {
  std::vector<Word> words;
  for (const auto& [word, count] : counts) words.push_back({characters_of(word), count});
  while (static_cast<std::int64_t>(vocabulary.pieces.size()) < limit) {
    const auto pair = best_pair(words);
    if (!pair) return;
    vocabulary.merge(*pair);
    for (auto& word : words) apply(*pair, word.symbols);
  }
}

// Folded from the left, so that every merge has a beginning of the phrase on its left: merges of the middle
// of a phrase would join words elsewhere.
void learn_phrase(const std::string& phrase, Vocabulary& vocabulary) {
  const auto symbols = vocabulary.encode(phrase);
  std::string grown = symbols.front();
  for (std::size_t i = 1; i < symbols.size(); ++i) {
    vocabulary.merge({grown, symbols[i]});
    grown += symbols[i];
  }
}

Json added_token(const std::string& content, std::size_t id) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

// The components of LLaMA's tokenizer.json around the model.
Json format(const Vocabulary& vocabulary, const std::vector<std::string>& extra_tokens) {
  Json root = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
  Json added = Json::array();
  for (std::size_t id = 0; id < 3; ++id) added.push_back(added_token(vocabulary.pieces[id], id));
  for (const auto& token : extra_tokens)
    added.push_back(added_token(token, vocabulary.pieces.size() + added.size() - 3));
  root["added_tokens"] = std::move(added);
  root["normalizer"] = {{"type", "Sequence"},
                        {"normalizers",
                         {{{"type", "Prepend"}, {"prepend", k_space}},
                          {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", k_space}}}}};
  root["pre_tokenizer"] = nullptr;
  const Json bos = {{"SpecialToken", {{"id", "<s>"}, {"type_id", 0}}}};
  const auto sequence = [](const char* id, int type) {
    return Json{{"Sequence", {{"id", id}, {"type_id", type}}}};
  };
  root["post_processor"] = {
      {"type", "TemplateProcessing"},
      {"single", {bos, sequence("A", 0)}},
      {"pair", {bos, sequence("A", 0), bos, sequence("B", 1)}},
      {"special_tokens", {{"<s>", {{"id", "<s>"}, {"ids", {1}}, {"tokens", {"<s>"}}}}}}};
  root["decoder"] = {{"type", "Sequence"},
                     {"decoders",
                      {{{"type", "Replace"}, {"pattern", {{"String", k_space}}}, {"content", " "}},
                       {{"type", "ByteFallback"}},
                       {{"type", "Fuse"}},
                       {{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}}}};
  Json vocab = Json::object(), merges = Json::array();
  auto& entries = static_cast<Json::object_t::Container&>(vocab.get_ref<Json::object_t&>());
  for (std::size_t id = 0; id < vocabulary.pieces.size(); ++id)
    entries.emplace_back(vocabulary.pieces[id], id);
  for (const auto& [left, right] : vocabulary.merges) merges.push_back(left + " " + right);
  root["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", "<unk>"},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", true},
                   {"byte_fallback", true}};
  root["model"]["vocab"] = std::move(vocab);
  root["model"]["merges"] = std::move(merges);
  return root;
}

}  // namespace

std::string train_tokenizer(const TokenizerTraining& training) {
  std::vector<std::string> phrases;
  for (const auto& phrase : training.phrases) phrases.push_back(normalized_phrase(phrase));
  const auto counts = count_words(training, phrases);
  Vocabulary vocabulary;
  for (const auto* piece : {"<unk>", "<s>", "</s>"}) vocabulary.add(piece);
  for (int byte = 0; byte < 256; ++byte) vocabulary.add(byte_piece(static_cast<std::uint8_t>(byte)));
  std::set<std::string> alphabet{k_space};
  auto reserved = static_cast<std::int64_t>(training.extra_tokens.size());
  for (const auto& [word, count] : counts)
    for (const auto& character : characters_of(word)) alphabet.insert(character);
  for (const auto& phrase : phrases) {
    const auto characters = characters_of(phrase);
    alphabet.insert(characters.begin(), characters.end());
    reserved += static_cast<std::int64_t>(characters.size());
  }
  // A byte that is no character has no place in JSON; the bytes' pieces spell it.
  for (const auto& character : alphabet)
    if (is_utf8(character)) vocabulary.add(character);
  const auto limit = training.vocabulary_limit - reserved;
  if (static_cast<std::int64_t>(vocabulary.pieces.size()) > limit)
    throw common::Error(
        common::ErrorKind::usage,
        fmt::format("a vocabulary of {} is too small for {} bytes and characters and {} tokens of "
                    "phrases; allow more",
                    training.vocabulary_limit, vocabulary.pieces.size(), reserved));
  learn_words(counts, limit, vocabulary);
  for (const auto& phrase : phrases) learn_phrase(phrase, vocabulary);
  for (const auto& phrase : phrases)
    if (vocabulary.encode(phrase).size() != 1)
      throw common::Error(
          common::ErrorKind::usage,
          "the phrase \"" + phrase + "\" cannot be one token beside the others; leave one of them out");
  return common::dump_pretty(format(vocabulary, training.extra_tokens)) + "\n";
}

Json tokenizer_config() {
  return {{"tokenizer_class", "PreTrainedTokenizerFast"},
          {"bos_token", "<s>"},
          {"eos_token", "</s>"},
          {"unk_token", "<unk>"},
          {"pad_token", "<pad>"},
          {"clean_up_tokenization_spaces", false}};
}

}  // namespace trainer
