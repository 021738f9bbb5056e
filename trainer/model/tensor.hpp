// Tensors and automatic differentiation: what this project uses of LibTorch. torch/torch.h would bring
// modules, optimisers, data loaders and TorchScript too, and twice the time to compile every file.
#pragma once

#include <torch/autograd.h>
#include <torch/cuda.h>
#include <torch/types.h>
#include <torch/utils.h>
#include <torch/version.h>
