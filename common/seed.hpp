// A seed as Python's random.seed takes one: a whole number of any size, with a sign.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/json.hpp"

namespace common {

class Seed {
 public:
  Seed(std::int64_t value) : text_(std::to_string(value)) {}  // NOLINT: a small number is a seed
  // "-123"; nothing where `text` is no decimal number, or has more than the 4300 digits that Python reads.
  [[nodiscard]] static std::optional<Seed> parse(std::string_view text);

  // In decimal, without leading zeros.
  [[nodiscard]] const std::string& text() const { return text_; }
  // The absolute value in base 2^32, least significant first, at least one: the key of init_by_array.
  [[nodiscard]] std::vector<std::uint32_t> key() const;

  bool operator==(const Seed&) const = default;

 private:
  std::string text_;
};

[[nodiscard]] Json to_json(const Seed& seed);
// The member "seed" of an object; `where` begins the message where it is none.
[[nodiscard]] Seed seed_member(const Json& object, const std::string& where);

}  // namespace common
