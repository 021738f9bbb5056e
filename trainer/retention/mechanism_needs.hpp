// What a mechanism needs before it can act, and what it costs; known from its settings alone.
#pragma once

#include <cstdint>

namespace trainer {

struct MechanismNeeds {
  // The first step whose update it can change. Wo is zero in the first one: then SAFE is its base, and
  // whatever looks at the difference of the two has no gradient yet.
  std::int64_t first_step = 2;
  std::int64_t questions = 1;       // retention questions, at least
  const char* questions_flag = "";  // that lowers it; empty: none does
  double questions_a_step = 0;      // asked with gradients, on average
  std::int64_t adapter_copies = 0;  // numbers that it keeps for each trained number
  std::int64_t layer_squares = 0;   // [H, H] matrices in fp64 that it keeps for each fused layer
};

}  // namespace trainer
