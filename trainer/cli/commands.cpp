#include "trainer/cli/commands.hpp"

#include <c10/util/Exception.h>

#include <string>

#include "common/error.hpp"

namespace trainer {

int on_device(const std::function<int()>& work) {
  try {
    return work();
  } catch (const c10::OutOfMemoryError& error) {
    throw common::Error(common::ErrorKind::io, std::string("out of GPU memory: ") +
                                                   error.what_without_backtrace() +
                                                   "; use --device cpu, smaller batches or a smaller base");
  }
}

}  // namespace trainer
