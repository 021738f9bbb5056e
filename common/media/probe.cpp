#include "common/media/probe.hpp"

#include "common/error.hpp"
#include "common/media/image.hpp"
#include "common/media/media_header.hpp"

namespace common {

AudioFacts probe_sound(ByteView file, const std::string& name, Probe probe) {
  if (probe == Probe::skip)
    if (const auto facts = sound_header(file)) return *facts;
  return probe_audio(file, name);
}

PictureSize probe_picture(ByteView file, const std::string& name, Probe probe) {
  const auto facts = picture_header(file);
  if (!facts)
    throw Error(ErrorKind::mismatch,
                name + " does not decode as a JPEG or PNG; replace the file or leave it out of the manifest");
  if (probe == Probe::decode) (void)decode_picture(file, name);
  return *facts;
}

}  // namespace common
