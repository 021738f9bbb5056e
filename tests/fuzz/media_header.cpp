// The headers of sounds and pictures: what is told of a file is possible for its size.
#include "common/media/media_header.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const common::ByteView file(data, size);
  if (const auto sound = common::sound_header(file)) {
    ENSURE(sound->rate_hz > 0 && sound->channels > 0);
    if (sound->container == common::AudioContainer::wav) ENSURE(sound->frames <= size);
  }
  if (const auto picture = common::picture_header(file)) ENSURE(picture->width > 0 && picture->height > 0);
  return 0;
}
