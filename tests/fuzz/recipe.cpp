// How a manifest was chosen: what is accepted is read again as it was written.
#include "manifest/format/recipe.hpp"
#include "common/json_stream.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto read = [](std::string_view text) {
    common::JsonStream stream(text, "input");
    manifest::Recipe recipe = manifest::read_recipe(stream, "input");
    stream.finish();
    return recipe;
  };
  fuzz::may_refuse([&] {
    const manifest::Recipe recipe = read(fuzz::text_of(data, size));
    ENSURE(read(common::dump_line(manifest::to_json(recipe))) == recipe);
  });
  return 0;
}
