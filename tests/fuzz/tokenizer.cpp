// tokenizer.json, and behind a NUL byte a text: what is accepted gives ids that it has pieces for.
#include "trainer/formats/tokenizer.hpp"

#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = fuzz::text_of(data, size);
  const std::size_t end = std::min(input.find('\0'), input.size());
  const std::string_view text = input.substr(std::min(input.size(), end + 1));
  fuzz::may_refuse([&] {
    const auto tokenizer = trainer::Tokenizer::parse(input.substr(0, end), "tokenizer.json");
    const trainer::TokenIds ids = tokenizer.encode(text);
    for (const std::int64_t id : ids) (void)tokenizer.piece(id);
    for (const std::int64_t id : tokenizer.added_in(text)) ENSURE(tokenizer.find(tokenizer.piece(id)));
    (void)tokenizer.decode(ids);
    (void)tokenizer.find(text);
  });
  return 0;
}
