// Our stream of JSON against nlohmann's parser: what one takes the other takes.
#include "common/json.hpp"
#include "common/json_stream.hpp"
#include "tests/fuzz/fuzz.hpp"

namespace {

bool is_taken(const auto& call) {
  try {
    call();
    return true;
  } catch (const common::Error& error) {
    ENSURE(error.kind() == common::ErrorKind::format);
    return false;
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  const bool ours = is_taken([&] {
    common::JsonStream stream(text, "input");
    stream.pass();
    stream.finish();
  });
  std::string fault;
  const bool theirs = is_taken([&] {
    try {
      (void)common::parse_json(text, "input");
    } catch (const common::Error& error) {
      fault = error.what();
      throw;
    }
  });
  // A document refuses more: what would be lost in a value. A stream leaves that to who asks for the value.
  const bool is_about_values = fault.find("duplicate key") != std::string::npos ||
                               fault.find("64 bits") != std::string::npos ||
                               fault.find("too large for a double") != std::string::npos ||
                               fault.find("out of range") != std::string::npos;
  ENSURE(ours == theirs || (ours && is_about_values));
  return 0;
}
