#include "common/path.hpp"

#include "common/error.hpp"

namespace common {

std::string why_not_a_pack_path(std::string_view text, std::size_t limit_bytes) {
  if (text.empty()) return "it is empty";
  if (text.size() > limit_bytes) return "it is longer than " + std::to_string(limit_bytes) + " bytes";
  bool component_start = true;
  for (const char c : text) {
    if (c == '/') {
      if (component_start) return "it has an empty component";
      component_start = true;
      continue;
    }
    if (component_start && c == '.') return "a component begins with '.'";
    const bool legal = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '-';
    if (!legal) return "it holds a character outside A-Z a-z 0-9 . _ -";
    component_start = false;
  }
  if (component_start) return "it ends with '/'";
  return {};
}

PackPath::PackPath(std::string_view text, std::size_t limit_bytes) : text_(text) {
  if (const std::string why = why_not_a_pack_path(text, limit_bytes); !why.empty())
    throw Error(ErrorKind::mismatch, "\"" + text_.substr(0, 200) + "\" cannot be a name in a pack: " + why +
                                         "; rename the file and its manifest row");
}

}  // namespace common
