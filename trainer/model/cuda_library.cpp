#include "trainer/model/cuda_library.hpp"

#include <ATen/Context.h>
#include <dlfcn.h>

#include <filesystem>

#include "trainer/model/tensor.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;

fs::path library_beside_ours() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&at::globalContext), &info) == 0 || info.dli_fname == nullptr)
    return {};
  return fs::path(info.dli_fname).parent_path() / "libtorch_cuda.so";
}

// What libtorch_cuda.so registers when it is loaded is seen only by calls that come later, so nothing may ask
// LibTorch for CUDA before this.
std::string load() {
  const fs::path library = library_beside_ours();
  std::error_code unreadable;
  if (library.empty() || !fs::exists(library, unreadable)) return {};
  if (::dlopen("libcuda.so.1", RTLD_LAZY) == nullptr) return {};  // no driver, so no device
  if (::dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return {};
  const char* reason = ::dlerror();
  return reason == nullptr ? "no reason given" : reason;
}

}  // namespace

const std::string& why_no_cuda() {
  static const std::string k_reason = load();
  return k_reason;
}

bool has_cuda() { return why_no_cuda().empty() && torch::cuda::is_available(); }

}  // namespace trainer
