#include "common/media/probe.hpp"

#include "common/media/image.hpp"
#include "common/media/media_header.hpp"

namespace common {

AudioFacts probe_sound(ByteView file, const std::string& name, Probe probe, OtherForms others) {
  if (probe == Probe::skip)
    if (const auto facts = sound_header(file)) return *facts;
  return probe_audio(file, name, others);
}

PictureSize probe_picture(ByteView file, const std::string& name, Probe probe) {
  const PictureSize size = picture_size(file, name);
  if (probe == Probe::decode) (void)decode_picture(file, name);
  return size;
}

}  // namespace common
