#include "packer/probe.hpp"

#include "common/error.hpp"
#include "common/image.hpp"
#include "packer/media_header.hpp"

namespace packer {

common::AudioFacts probe_sound(common::ByteView file, const std::string& name, Probe probe) {
  if (probe == Probe::skip)
    if (const auto facts = sound_header(file)) return *facts;
  return common::probe_audio(file, name);
}

ImageFacts probe_picture(common::ByteView file, const std::string& name, Probe probe) {
  const auto facts = picture_header(file);
  if (!facts)
    throw common::Error(
        common::ErrorKind::mismatch,
        name + " does not decode as a JPEG or PNG; replace the file or leave it out of the manifest");
  if (probe == Probe::decode) (void)common::decode_picture(file, name);
  return *facts;
}

}  // namespace packer
