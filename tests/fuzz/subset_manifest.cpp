// subset_manifest.json and its like: what is accepted is written in a form that reads back to the same.
#include "manifest/format/manifest.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::may_refuse([&] {
    const manifest::SubsetManifest subset = manifest::parse_subset(text, "input");
    const std::string written = manifest::write_subset(subset);
    ENSURE(manifest::write_subset(manifest::parse_subset(written, "written")) == written);
    const auto any = manifest::parse_any(text, "input", manifest::Repeats::refuse);
    ENSURE(manifest::write_subset(std::get<manifest::SubsetManifest>(any)) == written);
    (void)manifest::write_captions_jsonl(subset);
  });
  return 0;
}
