#include "trainer/formats/byte_pairs.hpp"

#include <fmt/format.h>

#include <queue>

#include "common/error.hpp"

namespace trainer {

std::string byte_piece(std::uint8_t byte) { return fmt::format("<0x{:02X}>", byte); }

std::optional<std::uint8_t> byte_of_piece(std::string_view piece) {
  if (piece.size() != 6 || !piece.starts_with("<0x") || piece[5] != '>') return std::nullopt;
  const auto digit = [](char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  const int high = digit(piece[3]), low = digit(piece[4]);
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<std::uint8_t>(high * 16 + low);
}

namespace {

// 0 where the bytes are no well-formed character (Unicode 15, table 3-7).
std::size_t well_formed_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0; };
  const auto follows = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
  const auto lead = at(0);
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4 || !follows(1)) return 0;
  if (lead < 0xE0) return 2;
  if (!follows(2) || (lead == 0xE0 && at(1) < 0xA0) || (lead == 0xED && at(1) > 0x9F)) return 0;
  if (lead < 0xF0) return 3;
  if (!follows(3) || (lead == 0xF0 && at(1) < 0x90) || (lead == 0xF4 && at(1) > 0x8F)) return 0;
  return 4;
}

}  // namespace

std::size_t character_length(std::string_view text) {
  ENSURE(!text.empty());
  return std::max<std::size_t>(1, well_formed_length(text));
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = well_formed_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string replace_all(std::string_view text, std::string_view from, std::string_view to) {
  ENSURE(!from.empty());
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const bool hit = text.substr(at).starts_with(from);
    result += hit ? to : text.substr(at, 1);
    at += hit ? from.size() : 1;
  }
  return result;
}

std::optional<std::int64_t> BytePairs::find(std::string_view piece) const {
  const auto at = ids_.find(piece);
  return at == ids_.end() ? std::nullopt : std::optional(at->second);
}

bool BytePairs::add_merge(const std::string& left, const std::string& right) {
  const auto a = find(left), b = find(right), both = find(left + right);
  if (!a || !b || !both) return false;
  merges_.try_emplace({*a, *b}, Merge{static_cast<std::int64_t>(merges_.size()), *both});
  return true;
}

const BytePairs::Merge* BytePairs::merge_of(std::int64_t left, std::int64_t right) const {
  const auto at = merges_.find({left, right});
  return at == merges_.end() ? nullptr : &at->second;
}

TokenIds BytePairs::spell(std::string_view text) const {
  TokenIds symbols;
  while (!text.empty()) {
    const auto character = text.substr(0, character_length(text));
    text.remove_prefix(character.size());
    if (const auto id = find(character)) {
      symbols.push_back(*id);
      continue;
    }
    TokenIds bytes;
    for (const char c : character)
      if (const auto id = find(byte_piece(static_cast<std::uint8_t>(c)))) bytes.push_back(*id);
    if (byte_fallback == ByteFallback::on && bytes.size() == character.size()) {
      symbols.insert(symbols.end(), bytes.begin(), bytes.end());
    } else if (unknown &&
               (unknown_runs == UnknownRuns::separate || symbols.empty() || symbols.back() != *unknown)) {
      symbols.push_back(*unknown);
    }
  }
  return symbols;
}

void BytePairs::encode(std::string_view text, TokenIds& to) const {
  auto symbols = spell(text);
  const auto count = static_cast<std::int64_t>(symbols.size());
  std::vector<std::int64_t> next(symbols.size()), previous(symbols.size());  // a linked list; -1 ends it
  for (std::int64_t i = 0; i < count; ++i) {
    next[static_cast<std::size_t>(i)] = i + 1 < count ? i + 1 : -1;
    previous[static_cast<std::size_t>(i)] = i - 1;
  }
  struct Candidate {
    std::int64_t rank, at, result;
    bool operator>(const Candidate& other) const {
      return std::pair(rank, at) > std::pair(other.rank, other.at);
    }
  };
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto symbol = [&](std::int64_t at) -> std::int64_t& { return symbols[static_cast<std::size_t>(at)]; };
  const auto link = [&](std::vector<std::int64_t>& list, std::int64_t at) -> std::int64_t& {
    return list[static_cast<std::size_t>(at)];
  };
  const auto merge_at = [&](std::int64_t at) -> const Merge* {
    if (at < 0 || symbol(at) < 0 || link(next, at) < 0) return nullptr;
    return merge_of(symbol(at), symbol(link(next, at)));
  };
  const auto offer = [&](std::int64_t at) {
    if (const auto* merge = merge_at(at)) queue.push({merge->rank, at, merge->result});
  };
  for (std::int64_t i = 0; i < count; ++i) offer(i);
  while (!queue.empty()) {
    const auto best = queue.top();
    queue.pop();
    // Its neighbours may have changed since it was offered.
    if (const auto* merge = merge_at(best.at); merge == nullptr || merge->result != best.result) continue;
    const auto gone = link(next, best.at);
    symbol(best.at) = best.result;
    symbol(gone) = -1;
    link(next, best.at) = link(next, gone);
    if (link(next, gone) >= 0) link(previous, link(next, gone)) = best.at;
    offer(link(previous, best.at));
    offer(best.at);
  }
  for (const auto id : symbols)
    if (id >= 0) to.push_back(id);
}

}  // namespace trainer
