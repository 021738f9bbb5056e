// A program that is built against a Python package's LibTorch links its CPU half alone, so that it is linked
// and runs where CUDA is not installed. The other half, libtorch_cuda.so beside libtorch_cpu.so, is loaded
// when it is first asked for and there is a driver.
#pragma once

#include <string>

namespace trainer {

// Whether LibTorch sees a CUDA device.
[[nodiscard]] bool has_cuda();

// Why libtorch_cuda.so could not be loaded, as the loader says it; empty where that did not fail.
[[nodiscard]] const std::string& why_no_cuda();

}  // namespace trainer
