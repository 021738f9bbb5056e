// COCO's instances file: every picture that is given has a licence that is given.
#include "manifest/tables/coco_images.hpp"
#include "tests/fuzz/file_of.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::FileOf file("coco.json", fuzz::text_of(data, size));
  try {
    const auto coco = manifest::read_coco_images({file.path()}, {"COCO_val2014_000000000001.jpg", "a.jpg"},
                                                 common::Verbosity::quiet);
    ENSURE(coco.images.size() <= 2);
  } catch (const common::Error& error) {
    ENSURE(fuzz::may_refuse_file(file, error));
  }
  return 0;
}
