#include "trainer/cli/arithmetic.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

namespace trainer {
namespace {

using Words = std::span<char* const>;

// Of each library the variable that names its kernels. Haswell is the first processor with AVX2 and FMA.
constexpr std::array<const char*, 5> k_settings = {"OPENBLAS_CORETYPE=Haswell", "ATEN_CPU_CAPABILITY=avx2",
                                                   "ONEDNN_MAX_CPU_ISA=AVX2", "DNNL_MAX_CPU_ISA=AVX2",
                                                   "MKL_CBWR=AVX2"};
constexpr std::array<std::string_view, 5> k_computing = {"run", "sweep", "evaluate", "make-base", "inspect"};

// With the equals sign.
std::string_view name_of(const char* setting) {
  return std::string_view(setting, static_cast<std::size_t>(std::strchr(setting, '=') - setting) + 1);
}

bool computes(Words words) {
  return std::any_of(words.begin(), words.end(), [](const char* word) {
    return std::find(k_computing.begin(), k_computing.end(), std::string_view(word)) != k_computing.end();
  });
}

bool asks_for_native(Words words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "--arithmetic=native") return true;
    if (word == "--arithmetic" && i + 1 < words.size() && std::string_view(words[i + 1]) == "native")
      return true;
  }
  return false;
}

bool has(char** environment, const char* setting) {
  for (char** one = environment; *one != nullptr; ++one)
    if (std::strcmp(*one, setting) == 0) return true;
  return false;
}

bool is_set_here(const char* variable) {
  return std::any_of(k_settings.begin(), k_settings.end(), [&](const char* setting) {
    return std::string_view(variable).starts_with(name_of(setting));
  });
}

}  // namespace

void fix_arithmetic(int count, char** words, char** environment) {
#if defined(__x86_64__)
  const Words all(words, static_cast<std::size_t>(std::max(count, 0)));
  if (environment == nullptr || !computes(all) || asks_for_native(all)) return;
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return;
  if (std::all_of(k_settings.begin(), k_settings.end(),
                  [&](const char* setting) { return has(environment, setting); }))
    return;
  // No allocation: malloc may not be ready.
  static std::array<char*, 4096> changed;
  std::size_t size = 0;
  for (char** one = environment; *one != nullptr; ++one) {
    if (is_set_here(*one)) continue;
    if (size + k_settings.size() + 1 >= changed.size()) return;
    changed[size++] = *one;
  }
  for (const char* const setting : k_settings) changed[size++] = const_cast<char*>(setting);
  changed[size] = nullptr;
  // By its own path, or the process would be called "exe". Where neither can be, native it is: the run
  // records it.
  static std::array<char, 4096> path;
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
  if (length > 0) ::execve(path.data(), words, changed.data());
  ::execve("/proc/self/exe", words, changed.data());
#else
  (void)count;
  (void)words;
  (void)environment;
#endif
}

}  // namespace trainer
