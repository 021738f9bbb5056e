// The activations that published configurations name.
#pragma once

namespace trainer {

enum class Activation { gelu, gelu_tanh, quick_gelu, relu, silu };

}  // namespace trainer
