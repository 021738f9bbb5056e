#include "trainer/formats/tokenizer_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "trainer/formats/config_reader.hpp"
#include "trainer/formats/json_parts.hpp"

namespace trainer {

using common::Json;

namespace {

// Three bytes, U+2581, for one is the most that LLaMA's normalisers make.
constexpr std::size_t k_growth_limit = 16;

}  // namespace

std::string normalize(const std::vector<NormalizeStep>& steps, std::string_view text) {
  std::string result(text);
  for (const auto& step : steps) {
    if (result.empty()) return result;  // an empty text gets no prefix
    result = step.from.empty() ? step.prepend + result : replace_all(result, step.from, step.to);
    if (result.size() > k_growth_limit * text.size() + k_growth_limit)
      throw common::Error(
          common::ErrorKind::mismatch,
          fmt::format("the normalizer of tokenizer.json makes {} bytes of a text of {}; it belongs "
                      "to another kind of model",
                      result.size(), text.size()));
  }
  return result;
}

namespace {

// What is supported: model BPE; normalizer null, Prepend, Replace of a string, Sequence of these;
// pre_tokenizer null or Metaspace; post_processor null or TemplateProcessing; decoder Metaspace or a Sequence
// of Replace, ByteFallback, Fuse, Strip. Anything else is refused by its type.

// Each several times what is in use; an id sizes a table, and the steps and tokens cost time with every text.
constexpr std::int64_t k_id_limit = 1 << 20;
constexpr std::size_t k_merge_limit = 1 << 20, k_added_limit = 1 << 13, k_piece_limit_bytes = 1024;
constexpr std::size_t k_step_limit = 16, k_step_limit_bytes = 64, k_template_limit = 16;

std::string type_of(const ConfigReader& reader) { return reader.string("type", "(none)"); }

[[noreturn]] void unsupported(const ConfigReader& reader) {
  reader.refuse("type " + type_of(reader) + " is not supported; this reads LLaMA's tokenizers");
}

void parse_normalizer(const ConfigReader& reader, std::vector<NormalizeStep>& steps) {
  const auto type = type_of(reader);
  if (type == "Sequence") {
    for (const auto& item : common::array_member(reader.json(), "normalizers", reader.where()))
      parse_normalizer({item, reader.where()}, steps);
  } else if (type == "Prepend") {
    steps.push_back({reader.string("prepend", ""), {}, {}});
  } else if (type == "Replace" && reader.object("pattern").has("String")) {
    steps.push_back({{}, reader.object("pattern").string("String", ""), reader.string("content", "")});
    if (steps.back().from.empty()) reader.refuse("Replace of an empty string");
  } else {
    unsupported(reader);
  }
  if (steps.size() > k_step_limit) reader.refuse(fmt::format("it has more than {} steps", k_step_limit));
  for (const auto& step : steps)
    for (const std::string* text : {&step.prepend, &step.from, &step.to})
      if (text->size() > k_step_limit_bytes)
        reader.refuse("a step has a text of more bytes than a character");
}

Metaspace parse_metaspace(const ConfigReader& reader) {
  if (type_of(reader) != "Metaspace") unsupported(reader);
  if (reader.string("replacement", std::string(k_space_piece)) != k_space_piece)
    reader.refuse("replacement is not U+2581");
  const auto scheme =
      reader.string("prepend_scheme", reader.boolean("add_prefix_space", true) ? "always" : "never");
  if (scheme != "always" && scheme != "first" && scheme != "never")
    reader.refuse("prepend_scheme " + scheme + " is unknown");
  return {scheme == "always"  ? PrefixScheme::always
          : scheme == "first" ? PrefixScheme::first
                              : PrefixScheme::never,
          reader.boolean("split", true) ? Splitting::on : Splitting::off};
}

// True where the text loses its first space again.
bool parse_decoder(const ConfigReader& reader) {
  if (type_of(reader) == "Metaspace") return reader.string("prepend_scheme", "always") != "never";
  if (type_of(reader) != "Sequence") unsupported(reader);
  bool strips = false;
  for (const auto& item : common::array_member(reader.json(), "decoders", reader.where())) {
    const ConfigReader step(item, reader.where());
    const auto type = type_of(step);
    if (type != "Replace" && type != "ByteFallback" && type != "Fuse" && type != "Strip") unsupported(step);
    strips = strips || (type == "Strip" && step.integer("start", 0) == 1);
  }
  return strips;
}

void add_piece(TokenizerRules& rules, const std::string& piece, std::int64_t id, const ConfigReader& reader) {
  if (id < 0 || id >= k_id_limit) reader.refuse(fmt::format("id {} of \"{}\" is out of bounds", id, piece));
  const auto at = static_cast<std::size_t>(id);
  if (at >= rules.pieces.size()) rules.pieces.resize(at + 1), rules.special.resize(at + 1);
  rules.pieces[at] = piece;
}

void put_vocabulary(TokenizerRules& rules, const std::string& piece, const Json& id,
                    const ConfigReader& reader) {
  if (piece.size() > k_piece_limit_bytes) reader.refuse(fmt::format("a piece has {} bytes", piece.size()));
  if (!id.is_number_integer()) reader.refuse("the id of \"" + piece + "\" is not a whole number");
  const auto number = id.get<std::int64_t>();
  if (rules.pairs.find(piece)) reader.refuse("the piece \"" + piece + "\" is listed twice");
  if (number >= 0 && number < static_cast<std::int64_t>(rules.pieces.size()) &&
      !rules.pieces[static_cast<std::size_t>(number)].empty())
    reader.refuse(fmt::format("\"{}\" and \"{}\" both have the id {}",
                              rules.pieces[static_cast<std::size_t>(number)], piece, number));
  add_piece(rules, piece, number, reader);
  rules.pairs.add_piece(piece, number);
}

struct Merge {
  std::string left, right;
};

// "a b", or ["a", "b"].
Merge parse_merge(const Json& merge, const ConfigReader& reader) {
  if (merge.is_string()) {
    const auto& text = merge.get_ref<const std::string&>();
    const auto space = text.find(' ');
    return {text.substr(0, space), space == std::string::npos ? "" : text.substr(space + 1)};
  }
  if (!merge.is_array() || merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string())
    reader.refuse("one is not a pair of pieces");
  return {merge[0].get<std::string>(), merge[1].get<std::string>()};
}

void parse_model(TokenizerRules& rules, const std::vector<Merge>& merges, const ConfigReader& reader) {
  if (type_of(reader) != "BPE") unsupported(reader);
  for (const auto* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!reader.string(key, "").empty()) reader.refuse(fmt::format("{} is not supported", key));
  if (reader.number("dropout", 0) != 0) reader.refuse("dropout is not supported");
  rules.whole_words_first = reader.boolean("ignore_merges", false);
  rules.pairs.byte_fallback = reader.boolean("byte_fallback", false) ? ByteFallback::on : ByteFallback::off;
  rules.pairs.unknown_runs = reader.boolean("fuse_unk", false) ? UnknownRuns::fused : UnknownRuns::separate;
  if (!common::member(reader.json(), "vocab", reader.where()).is_object())
    reader.refuse("vocab is not an object");
  (void)common::array_member(reader.json(), "merges", reader.where());
  if (reader.has("unk_token")) rules.pairs.unknown = rules.pairs.find(reader.string("unk_token", ""));
  for (const auto& [left, right] : merges)
    if (!rules.pairs.add_merge(left, right))
      reader.refuse("merges: \"" + left + "\" and \"" + right + "\" are not made of pieces");
}

void parse_added(TokenizerRules& rules, const ConfigReader& reader) {
  const std::string content = reader.string("content", "");
  if (content.empty() || content.size() > k_piece_limit_bytes)
    reader.refuse(fmt::format("added_tokens: one has a content of {} bytes", content.size()));
  for (const auto* key : {"single_word", "lstrip", "rstrip"})
    if (reader.boolean(key, false))
      reader.refuse(fmt::format("added token {}: {} is not supported", content, key));
  const auto id = reader.integer("id", -1);
  add_piece(rules, content, id, reader);
  rules.special[static_cast<std::size_t>(id)] = reader.boolean("special", false);
  if (reader.boolean("normalized", !reader.boolean("special", false))) {
    rules.added_normalized.push_back({normalize(rules.normalizer, content), id});
  } else {
    rules.added_raw.push_back({content, id});
  }
}

void parse_template(TokenizerRules& rules, const ConfigReader& reader) {
  if (type_of(reader) != "TemplateProcessing") unsupported(reader);
  auto* side = &rules.before;
  for (const auto& item : common::array_member(reader.json(), "single", reader.where())) {
    const ConfigReader step(item, reader.where());
    if (step.has("Sequence")) {
      side = &rules.after;
      continue;
    }
    const auto name = step.object("SpecialToken").string("id", "");
    const auto ids = reader.object("special_tokens").object(name.c_str()).integers("ids", {-1});
    side->insert(side->end(), ids.begin(), ids.end());
  }
  if (rules.before.size() + rules.after.size() > k_template_limit)
    reader.refuse(fmt::format("it puts {} tokens around a text", rules.before.size() + rules.after.size()));
  for (const auto* list : {&rules.before, &rules.after})
    for (const auto id : *list)
      if (id < 0 || id >= static_cast<std::int64_t>(rules.pieces.size()))
        reader.refuse("a special token is not defined");
}

}  // namespace

TokenizerRules parse_tokenizer_rules(std::string_view json, const std::string& name) {
  TokenizerRules rules;
  std::vector<Merge> merges;
  std::vector<Json> added;
  const Json none = Json::object();
  const ConfigReader vocabulary(none, name + ": model: vocab"), pairs(none, name + ": model: merges");
  const auto put_merge = [&](const std::string&, Json&& merge) {
    if (merges.size() == k_merge_limit) pairs.refuse(fmt::format("there are more than {}", k_merge_limit));
    merges.push_back(parse_merge(merge, pairs));
  };
  const auto put_piece = [&](const std::string& piece, Json&& id) {
    put_vocabulary(rules, piece, id, vocabulary);
  };
  const auto put_added = [&](const std::string&, Json&& token) {
    if (added.size() == k_added_limit)
      refuse_config(name, fmt::format("added_tokens: there are more than {}", k_added_limit));
    added.push_back(std::move(token));
  };
  const Json root = parse_json_parts(
      json, name,
      {{{"model", "vocab"}, put_piece}, {{"model", "merges"}, put_merge}, {{"added_tokens"}, put_added}});
  const ConfigReader reader(root, name);
  if (reader.has("normalizer")) parse_normalizer(reader.object("normalizer"), rules.normalizer);
  parse_model(rules, merges, reader.object("model"));
  if (reader.has("pre_tokenizer")) rules.metaspace = parse_metaspace(reader.object("pre_tokenizer"));
  if (reader.has("added_tokens")) (void)common::array_member(root, "added_tokens", name);
  for (const auto& token : added) parse_added(rules, {token, name});
  if (reader.has("post_processor")) parse_template(rules, reader.object("post_processor"));
  rules.strips_first_space = parse_decoder(reader.object("decoder"));
  for (auto* list : {&rules.added_raw, &rules.added_normalized})
    std::stable_sort(list->begin(), list->end(),
                     [](const auto& a, const auto& b) { return a.content < b.content; });
  return rules;
}

}  // namespace trainer
