// The frozen model that sees and speaks, as training and evaluation ask it. Whatever the model is, its words
// come from a Decoder; what lies before the decoder is the model's own affair. Axes: B rows, L positions, H
// width of the decoder, P features of one image, S side in pixels.
#pragma once

#include <cstdint>

#include "trainer/model/decoder.hpp"
#include "trainer/model/generate.hpp"
#include "trainer/model/tap.hpp"

namespace trainer {

// Ids with a meaning of their own, as config.json has them.
struct BaseTokens {
  std::int64_t image = 0, pad = 0, bos = 0, eos = 0;
};

class VisionLanguageBase {
 public:
  virtual ~VisionLanguageBase() = default;

  [[nodiscard]] virtual const Placement& placement() const = 0;
  [[nodiscard]] virtual const Decoder& decoder() const = 0;
  [[nodiscard]] virtual BaseTokens tokens() const = 0;
  [[nodiscard]] virtual std::int64_t image_side() const = 0;  // S
  // pixels [B,3,S,S] -> [B,P,H]. `tap` sees each stage.
  [[nodiscard]] virtual torch::Tensor encode_images(const torch::Tensor& pixels, const Tap& tap) const = 0;
  [[nodiscard]] torch::Tensor encode_images(const torch::Tensor& pixels) const {
    return encode_images(pixels, {});
  }
  // Each image token becomes P of them.
  [[nodiscard]] virtual TokenIds expand_image(const TokenIds& ids) const = 0;
  // ids [B,L] -> [B,L,H]; where ids hold the image token, `features` [images,P,H] are put in reading order.
  // A number of image tokens other than images · P is an ENSURE: expand_image makes them match.
  [[nodiscard]] virtual torch::Tensor embed(const torch::Tensor& ids,
                                            const torch::Tensor& features = {}) const = 0;

 protected:
  VisionLanguageBase() = default;
  VisionLanguageBase(const VisionLanguageBase&) = default;
  VisionLanguageBase(VisionLanguageBase&&) = default;
  VisionLanguageBase& operator=(const VisionLanguageBase&) = default;
  VisionLanguageBase& operator=(VisionLanguageBase&&) = default;
};

}  // namespace trainer
