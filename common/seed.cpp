#include "common/seed.hpp"

#include <algorithm>

namespace common {
namespace {
// Python's sys.int_info.default_max_str_digits.
constexpr std::size_t k_digits = 4300;
}  // namespace

std::optional<Seed> Seed::parse(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  std::string_view digits = text.substr(is_negative ? 1 : 0);
  if (digits.empty() || digits.size() > k_digits ||
      digits.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  digits.remove_prefix(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  Seed seed = 0;
  seed.text_ = (is_negative && digits != "0" ? "-" : "") + std::string(digits);
  return seed;
}

std::vector<std::uint32_t> Seed::key() const {
  std::vector<std::uint32_t> words = {0};
  for (const char c : text_) {
    if (c == '-') continue;
    std::uint64_t carry = static_cast<std::uint64_t>(c - '0');
    for (std::uint32_t& word : words) {
      carry += std::uint64_t{word} * 10;
      word = static_cast<std::uint32_t>(carry);
      carry >>= 32;
    }
    if (carry != 0) words.push_back(static_cast<std::uint32_t>(carry));
  }
  return words;
}

Json to_json(const Seed& seed) { return integer_of_any_size(seed.text()); }

Seed seed_member(const Json& object, const std::string& where) {
  // JSON has no other integers than those that Seed::parse reads.
  return Seed::parse(digits_member(object, "seed", where)).value_or(Seed(0));
}

}  // namespace common
