// What is printed, put into a page or into JSON: nothing that a terminal or a browser acts on comes through,
// and plain text stays as it is.
#include "common/cli/print_json.hpp"
#include "common/terminal.hpp"
#include "common/utf8.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "trainer/report/html.hpp"

namespace {

// C0 but for those of `allowed`, DEL, C1, and what turns the direction of writing.
bool is_harmless(std::string_view text, std::string_view allowed) {
  while (!text.empty()) {
    const common::FirstCharacter first = common::first_character(text);
    const char32_t c = first.value;
    if (!first.is_valid) return false;
    const bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    if (is_control && (c >= 0x80 || allowed.find(static_cast<char>(c)) == std::string_view::npos))
      return false;
    if ((c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)) return false;
    text.remove_prefix(first.bytes);
  }
  return true;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  const std::string one_line = common::escape_for_terminal(text), message = common::escape_message(text),
                    html = trainer::escape_html(text);
  ENSURE(is_harmless(one_line, ""));
  ENSURE(is_harmless(message, "\n\t"));
  ENSURE(common::escape_message(message) == message);
  ENSURE(is_harmless(html, "\n\t"));
  ENSURE(html.find_first_of("<>\"'") == std::string::npos);
  const common::Json shown = common::printable({{text, text}});
  ENSURE(common::parse_json(common::dump_line(shown), "output") == shown);
  return 0;
}
