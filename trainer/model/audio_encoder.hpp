// The frozen encoder that hears, as the trainer asks it. Axes: D width of what it gives, N vectors of one
// clip.
#pragma once

#include <cstdint>
#include <vector>

#include "trainer/model/tap.hpp"
#include "trainer/model/tensor.hpp"

namespace trainer {

class AudioEncoder {
 public:
  virtual ~AudioEncoder() = default;

  [[nodiscard]] virtual std::int64_t width() const = 0;  // D
  [[nodiscard]] virtual int rate_hz() const = 0;
  // Mono samples at rate_hz(), at least one -> what encode() takes, on the CPU. Clips are prepared side by
  // side, however wide the network behind is.
  [[nodiscard]] virtual torch::Tensor prepare(const std::vector<float>& samples) const = 0;
  // -> [N, D], fp32 on the CPU. Of one clip alone, so that no batch changes a bit of it. `tap` sees each
  // stage.
  [[nodiscard]] virtual torch::Tensor encode(const torch::Tensor& prepared, const Tap& tap) const = 0;
  [[nodiscard]] torch::Tensor encode(const torch::Tensor& prepared) const { return encode(prepared, {}); }

 protected:
  AudioEncoder() = default;
  AudioEncoder(const AudioEncoder&) = default;
  AudioEncoder(AudioEncoder&&) = default;
  AudioEncoder& operator=(const AudioEncoder&) = default;
  AudioEncoder& operator=(AudioEncoder&&) = default;
};

}  // namespace trainer
