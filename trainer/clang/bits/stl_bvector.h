// See stl_vector.h. __fill_a1 was declared constexpr elsewhere, so it gets another name here.
#include <bits/c++config.h>
#pragma push_macro("_GLIBCXX20_CONSTEXPR")
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#define __fill_a1 fill_bits
#include_next <bits/stl_bvector.h>
#undef __fill_a1
#pragma pop_macro("_GLIBCXX20_CONSTEXPR")
