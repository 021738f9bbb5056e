// clang looks into std::vector<c10::IValue> while c10::IValue is incomplete, where libstdc++ 12 makes vector constexpr and
// LibTorch 1.13's headers name that type early; g++ looks later. In front of the real header, and for clang alone: the
// same header without that keyword.
#include <bits/c++config.h>
#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#include_next <bits/stl_vector.h>
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
