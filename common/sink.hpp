// Where bytes go, front to back. Nothing is complete before finish(); a sink that is dropped publishes
// nothing.
#pragma once

#include "common/bytes.hpp"

namespace common {

class Sink {
 public:
  virtual ~Sink() = default;
  virtual void write(ByteView bytes) = 0;
  virtual void finish() = 0;
};

}  // namespace common
