// CLAP's audio tower as Hugging Face stores it: HTSAT, with or without fusion, and its projection.
// Axes: B clips, M spectrograms of a clip (1, or 4 with fusion), T frames, F mel bins, N tokens of the last
// stage, C their width, D width of the projection.
#pragma once

#include "trainer/formats/clap_config.hpp"
#include "trainer/formats/model_folder.hpp"
#include "trainer/model/tap.hpp"
#include "trainer/model/weights.hpp"

namespace trainer {

struct ClapOutput {
  torch::Tensor pooled;      // [B, D], projected, not normalised (ClapAudioModelWithProjection)
  torch::Tensor normalised;  // [B, D], pooled / its L2 norm (get_audio_features)
  torch::Tensor frames;      // [B, N, C], after the final norm, rows of the token grid one after another
};

struct BatchNorm {
  torch::Tensor weight, bias, mean, variance;  // [channels], the last two as training left them
};

class Clap {
 public:
  // As Llava's. Weights do not require gradients.
  [[nodiscard]] static Clap load(const ModelFolder& folder, const Placement& placement = {});
  [[nodiscard]] static Clap random(const ClapConfig& config, std::int64_t seed,
                                   const Placement& placement = {});
  // config.json and model.safetensors with the audio half only: ClapAudioModelWithProjection opens it.
  [[nodiscard]] ModelFiles files();

  [[nodiscard]] const ClapConfig& config() const { return config_; }
  // log_mel [B,M,T,F], T at most config().frame_limit(). A clip's pieces are always heard with the whole, as
  // transformers does for a clip alone. `tap` sees each stage.
  [[nodiscard]] ClapOutput encode(const torch::Tensor& log_mel, const Tap& tap = {}) const;
  // By Hugging Face name, with the batch norm's running statistics: the model's own tensors.
  [[nodiscard]] NamedTensors parameters();

 private:
  struct Block {
    LayerNorm norm_before, norm_after;
    Linear query, key, value, out, fc1, fc2;
    torch::Tensor bias_table;      // [(2w-1)², heads]
    torch::Tensor relative_index;  // [w², w²] int64: computed; a stored one must equal it
  };
  struct Stage {
    std::vector<Block> blocks;
    LayerNorm merge_norm;  // of the patch merging, undefined in the last stage
    Linear merge;
    std::int64_t side = 0;     // tokens along each axis
    torch::Tensor shift_bias;  // [windows, w², w²] of the odd blocks, undefined where one window is all
  };
  // A 1 x 1 convolution and batch norm, twice, with a ReLU between: one half of the attention of fusion.
  struct Squeeze {
    Linear narrow, widen;  // weights [out, in, 1, 1]
    BatchNorm narrow_norm, widen_norm;
  };
  Clap(const ClapConfig& config, const Placement& placement);
  void visit(const WeightVisitor& visitor);
  [[nodiscard]] torch::Tensor fold(const torch::Tensor& log_mel) const;
  void visit_block(const WeightVisitor& visitor, const std::string& name, Block& block, std::int64_t width,
                   std::int64_t heads);
  [[nodiscard]] torch::Tensor attend_windows(const Block& block, std::int64_t heads,
                                             const torch::Tensor& windows,
                                             const torch::Tensor& shift_bias) const;
  [[nodiscard]] torch::Tensor run_block(const Block& block, const Stage& stage, std::int64_t heads,
                                        std::int64_t shift, const torch::Tensor& x) const;
  void visit_fusion(const WeightVisitor& visitor, const std::string& name);
  void visit_squeeze(const WeightVisitor& visitor, const std::string& name, Squeeze& squeeze,
                     std::int64_t first);
  [[nodiscard]] torch::Tensor squeeze(const Squeeze& squeeze, const torch::Tensor& x) const;
  // folded [B,M,S,S] -> [B,embed,side,side]
  [[nodiscard]] torch::Tensor embed_patches(const torch::Tensor& folded) const;
  [[nodiscard]] torch::Tensor merge(const Stage& stage, const torch::Tensor& x) const;

  ClapConfig config_;
  Placement placement_;
  BatchNorm norm_;      // [F]
  Linear patch_;        // weight [embed, 1, patch, patch]
  Linear piece_patch_;  // weight [embed, 1, patch, 3 patch]: of the three pieces, with fusion
  Squeeze local_, global_;
  LayerNorm patch_norm_, final_norm_;
  std::vector<Stage> stages_;
  Linear projection_1_, projection_2_;
};

// x [B, side, side, C] <-> windows [B * (side/window)², window², C]
[[nodiscard]] torch::Tensor split_windows(const torch::Tensor& x, std::int64_t window);
[[nodiscard]] torch::Tensor join_windows(const torch::Tensor& windows, std::int64_t window,
                                         std::int64_t side);

}  // namespace trainer
