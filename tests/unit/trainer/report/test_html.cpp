#include "trainer/report/html.hpp"

#include <doctest/doctest.h>

using namespace trainer;

TEST_CASE("no text becomes markup, in an element or in an attribute") {
  CHECK(escape_html("<script>\"a\" & 'b'</script>") ==
        "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
  CHECK(escape_html("héllo → ok\n") == "héllo → ok\n");
  CHECK(escape_html(std::string_view("a\0b\x1b", 4)) ==
        "a\xEF\xBF\xBD"
        "b\xEF\xBF\xBD");
}

TEST_CASE("what was escaped is read back") {
  for (const char* text : {"", "plain", "&amp;", "a<b>\"c\"'d'&e", "&lt"})
    CHECK(unescape_html(escape_html(text)) == text);
}

TEST_CASE("base64 is that of RFC 4648") {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) CHECK(base64(common::view_of(plain)) == encoded);
  CHECK(base64(common::view_of("\xFB\xFF\xFE")) == "+//+");
}
