// See stl_vector.h.
#include <bits/c++config.h>
#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#include_next <bits/vector.tcc>
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
