// The module's one door: what safe-packer looks up once it has loaded it.
#pragma once

#include "packer/leaks/vision_interface.hpp"

extern "C" const packer::VisionInterface* safe_vision();
