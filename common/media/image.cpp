#include "common/media/image.hpp"

#include "common/error.hpp"
#include "common/media/jpeg.hpp"
#include "common/media/orientation.hpp"
#include "common/media/picture_form.hpp"
#include "common/media/png.hpp"

namespace common {

void refuse_picture(const std::string& name, const std::string& why) {
  throw Error(ErrorKind::mismatch, name + " does not decode as a picture: " + why +
                                       "; replace the file or leave it out of the manifest");
}

void refuse_long_picture(const std::string& name, std::uint64_t bytes) {
  refuse_picture(name, "it has " + std::to_string(bytes) + " bytes, more than the limit of " +
                           std::to_string(k_picture_limit_bytes));
}

PictureSize picture_size(ByteView file, const std::string& name) {
  if (file.size() > k_picture_limit_bytes) refuse_long_picture(name, file.size());
  if (picture_form(file) == PictureForm::other)
    throw Error(ErrorKind::mismatch,
                name + " " + describe_other_form(file) + ", or leave it out of the manifest");
  const auto size = picture_header(file);
  if (!size) refuse_picture(name, "its header is damaged");
  // Neither is negative, and both have at most 20 bits.
  const auto width = static_cast<std::uint64_t>(size->width),
             height = static_cast<std::uint64_t>(size->height);
  if (width * height > k_picture_limit_pixels)
    refuse_picture(name, "its header declares " + std::to_string(width) + " x " + std::to_string(height) +
                             " pixels, more than the limit of " + std::to_string(k_picture_limit_pixels));
  return *size;
}

Picture decode_picture(ByteView file, const std::string& name) {
  const PictureSize size = picture_size(file, name);
  if (picture_form(file) == PictureForm::png) return decode_png(file, size.width, size.height, name);
  return upright(decode_jpeg(file, size.width, size.height, name), exif_orientation(file));
}

}  // namespace common
