// Byte-pair encoding of one stretch of text (Sennrich et al. 2016): the merge of lowest rank first, leftmost
// on ties. A character without a piece is spelled in the bytes' pieces <0x00>..<0xFF>, or becomes the unknown
// piece.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trainer {

using TokenIds = std::vector<std::int64_t>;

enum class ByteFallback { off, on };
enum class UnknownRuns { fused, separate };  // a run of unknown characters is one unknown piece, or one each

class BytePairs {
 public:
  ByteFallback byte_fallback = ByteFallback::on;
  UnknownRuns unknown_runs = UnknownRuns::fused;
  std::optional<std::int64_t> unknown;

  void add_piece(const std::string& piece, std::int64_t id) { ids_[piece] = id; }
  // Of the next rank. False where left, right or both together are no pieces.
  bool add_merge(const std::string& left, const std::string& right);
  [[nodiscard]] std::optional<std::int64_t> find(std::string_view piece) const;
  // Appends to `to`. Characters that cannot be spelled at all are left out.
  void encode(std::string_view text, TokenIds& to) const;

 private:
  struct Merge {
    std::int64_t rank = 0, result = 0;
  };
  [[nodiscard]] const Merge* merge_of(std::int64_t left, std::int64_t right) const;
  [[nodiscard]] TokenIds spell(std::string_view text) const;

  // Ordered: whoever writes a tokenizer.json can choose what collides in a hash table.
  std::map<std::string, std::int64_t, std::less<>> ids_;
  std::map<std::pair<std::int64_t, std::int64_t>, Merge> merges_;
};

// The name of a byte's piece, "<0x0A>".
[[nodiscard]] std::string byte_piece(std::uint8_t byte);
// The byte that a piece names.
[[nodiscard]] std::optional<std::uint8_t> byte_of_piece(std::string_view piece);
// Length of the UTF-8 character at the beginning of `text`, which is not empty; 1 where it is none.
[[nodiscard]] std::size_t character_length(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);
[[nodiscard]] std::string replace_all(std::string_view text, std::string_view from, std::string_view to);

}  // namespace trainer
