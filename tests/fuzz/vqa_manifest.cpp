// val_manifest.json and its like: what is accepted is written in a form that reads back to the same.
#include "manifest/format/manifest.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "manifest/majority.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::may_refuse([&] {
    const manifest::VqaManifest vqa = manifest::parse_vqa(text, "input");
    const std::string written = manifest::write_vqa(vqa);
    ENSURE(manifest::write_vqa(manifest::parse_vqa(written, "written")) == written);
    const auto any = manifest::parse_any(text, "input", manifest::Repeats::refuse);
    ENSURE(manifest::write_vqa(std::get<manifest::VqaManifest>(any)) == written);
    for (const manifest::QuestionEntry& entry : vqa.entries) (void)manifest::majority_answer(entry.answers);
  });
  return 0;
}
