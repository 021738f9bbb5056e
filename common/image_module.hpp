// What common/image asks of OpenCV, in a module of its own: OpenCV is 142 shared objects, 0.1 s of start-up
// and 45 MiB, which a program is to pay for only where there is a picture.
#pragma once

#include <string>

#include "common/image.hpp"

extern "C" {

// False where the file does not decode; `why` says why then.
bool safe_image_decode(common::ByteView file, common::Picture& picture, std::string& why);
bool safe_image_encode(const common::Picture& picture, int quality, common::Bytes& jpeg);
}
