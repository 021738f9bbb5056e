// What a file is that was taken for a JPEG or PNG, from its first bytes, for a message that helps: pictures
// of other forms, and what stands in a picture's place where a download went wrong. Decides nothing else.
#pragma once

#include <string>

#include "common/bytes.hpp"

namespace common {

enum class PictureForm { jpeg, png, other };
[[nodiscard]] PictureForm picture_form(ByteView file);

// Of a file whose form is `other`: "is a WebP picture, ...; convert it, ...", to follow the file's name.
[[nodiscard]] std::string describe_other_form(ByteView file);

}  // namespace common
