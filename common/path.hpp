// A name inside a pack. One grammar for every place that a name can come from: components of A-Z a-z 0-9 . _
// -, none beginning with '.', separated by single '/', at most 100 bytes. So no name is absolute, climbs out,
// hides, or means something else on another system. A run that holds a pack allows for the name of its
// folder.
#pragma once

#include <compare>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace common {

class PackPath {
 public:
  static constexpr std::size_t k_limit_bytes = 100;
  PackPath() = default;
  // Throws mismatch where `text` breaks the grammar; says which rule.
  explicit PackPath(std::string_view text, std::size_t limit_bytes = k_limit_bytes);
  [[nodiscard]] const std::string& text() const { return text_; }
  // The file under a host folder.
  [[nodiscard]] std::filesystem::path under(const std::filesystem::path& root) const { return root / text_; }
  // By bytes, as `LC_ALL=C sort` does.
  auto operator<=>(const PackPath&) const = default;

 private:
  std::string text_;
};

// Empty where `text` is a legal name; otherwise the reason it is not.
[[nodiscard]] std::string why_not_a_pack_path(std::string_view text,
                                              std::size_t limit_bytes = PackPath::k_limit_bytes);

}  // namespace common
