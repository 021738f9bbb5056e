// The decoders of pictures: what is accepted has the pixels that its header declares, within the limits.
#include "common/media/image.hpp"
#include "common/media/picture_form.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const common::ByteView file(data, size);
  if (common::picture_form(file) == common::PictureForm::other)
    ENSURE(!common::describe_other_form(file).empty());
  // A fuzzer's time is not for pictures of many pixels.
  constexpr int k_limit_side = 4096;
  const auto declared = common::picture_header(file);
  if (declared && (declared->width > k_limit_side || declared->height > k_limit_side)) return 0;
  fuzz::may_refuse([&] {
    const common::Picture picture = common::decode_picture(file, "picture");
    const auto sides = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height);
    ENSURE(sides > 0 && sides <= common::k_picture_limit_pixels && picture.pixels.size() == 3 * sides);
  });
  return 0;
}
