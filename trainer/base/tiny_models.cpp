#include "trainer/base/tiny_models.hpp"

#include <cmath>
#include <numbers>

#include "common/random.hpp"
#include "trainer/base/whiten.hpp"

namespace trainer {
namespace {

constexpr int k_rate_hz = 48000;
constexpr int k_calibration_sounds = 192;

// Two tones, sweeps or noise bands with random envelopes: sounds of no pack.
std::vector<float> calibration_sound(std::int64_t seed, int index) {
  common::Random random(seed, "calibration/" + std::to_string(index));
  std::vector<float> sound(static_cast<std::size_t>(k_rate_hz) * 10, 0.0F);
  const int parts = 1 + static_cast<int>(random.below(4));
  for (int part = 0; part < parts; ++part) {
    const double low_hz = 60 * std::pow(150.0, random.uniform());
    const double high_hz = random.uniform() < 0.5 ? low_hz : 60 * std::pow(150.0, random.uniform());
    const bool noise = random.uniform() < 0.4;
    const double begin_s = random.uniform(0, 8);
    const double length_s = random.uniform(0.1, 10 - begin_s);
    const double pulse_hz = random.uniform() < 0.5 ? 0 : random.uniform(0.5, 8);
    const double level = 0.3 * std::pow(0.05, random.uniform());
    const auto begin = static_cast<std::size_t>(begin_s * k_rate_hz);
    const auto count = static_cast<std::size_t>(length_s * k_rate_hz);
    double phase = 0;
    double filtered = 0;
    for (std::size_t i = 0; i < count && begin + i < sound.size(); ++i) {
      const double t = static_cast<double>(i) / static_cast<double>(count);
      phase += 2 * std::numbers::pi * (low_hz + (high_hz - low_hz) * t) / k_rate_hz;
      filtered += 0.2 * (random.uniform(-1, 1) - filtered);
      const double pulse =
          pulse_hz == 0 ? 1 : 0.5 + 0.5 * std::sin(2 * std::numbers::pi * pulse_hz * t * length_s);
      sound[begin + i] +=
          static_cast<float>(level * pulse * (noise ? 2 * filtered * std::cos(phase) : std::sin(phase)));
    }
  }
  return sound;
}

// Sets the tower's first projection so that the pooled states of the calibration sounds come out centred,
// with unit variance and uncorrelated (as far as there are directions), and the second to a fixed random
// rotation.
void whiten_projection(Clap& clap, const torch::Tensor& pooled_states) {
  NamedTensors weights = clap.parameters();
  torch::Tensor weight1 = weights.at("audio_projection.linear1.weight");  // [D, C]
  torch::Tensor bias1 = weights.at("audio_projection.linear1.bias");      // [D]
  const Whitening whitening = whiten(pooled_states, pooled_states.size(1), 1e-4);
  const torch::Tensor rotation =
      weight1.to(torch::kFloat64);  // as drawn: mixes the whitened directions into D
  const torch::Tensor matrix = rotation.mm(whitening.matrix);  // [D, C]
  weight1.copy_(matrix.to(torch::kFloat32));
  bias1.copy_((-matrix.mv(whitening.mean)).to(torch::kFloat32));
}

}  // namespace

LlavaConfig tiny_llava_config(std::int64_t width, std::int64_t vocabulary, std::int64_t image_token,
                              std::int64_t pad_token) {
  LlavaConfig config;
  config.vision.hidden = 64;
  config.vision.intermediate = 192;
  config.vision.layers = 2;
  config.vision.heads = 4;
  config.vision.image_side = 30;
  config.vision.patch_side = 10;
  config.text.vocabulary = vocabulary;
  config.text.hidden = width;
  config.text.intermediate = width * 7 / 24 * 8;  // 224 of 96
  config.text.layers = 4;
  config.text.heads = 4;
  config.text.kv_heads = 4;
  config.text.head_width = width / config.text.heads;
  config.text.position_limit = 256;
  config.text.norm_epsilon = 1e-5;
  config.image_token = image_token;
  config.pad_token = pad_token;
  config.feature_layers = {-1};  // two layers only: none to spare
  return config;
}

Llava make_tiny_llava(const LlavaConfig& config, std::int64_t seed) {
  const torch::NoGradGuard no_graph;
  Llava llava = Llava::random(config, seed);
  for (auto& [name, weight] : llava.parameters()) {
    if (name.find("position_embedding") != std::string::npos ||
        name.find("class_embedding") != std::string::npos)
      weight.mul_(0.5 / weight.std().item<double>());
  }
  return llava;
}

PixelsConfig tiny_pixels_config() {
  PixelsConfig config;
  config.resize_side = 30;
  config.crop_side = 30;
  return config;
}

ClapConfig tiny_clap_config() {
  ClapConfig config;
  config.window = 4;
  config.mel_bins = 64;
  config.spec_side = 256;
  config.patch_side = 8;
  config.patch_stride = 8;
  config.embed = 32;
  config.depths = {1, 1};
  config.heads = {2, 4};
  config.projection = 64;
  return config;
}

LogMelConfig tiny_log_mel_config() {
  LogMelConfig config;
  config.lowest_hz = 50;
  return config;
}

Clap make_tiny_clap(std::int64_t seed) {
  const torch::NoGradGuard no_graph;
  Clap clap = Clap::random(tiny_clap_config(), seed);
  const LogMel log_mel(tiny_log_mel_config());
  std::vector<torch::Tensor> mels;
  for (int i = 0; i < k_calibration_sounds; ++i) mels.push_back(log_mel.compute(calibration_sound(seed, i)));
  const torch::Tensor all = torch::stack(mels);  // [sounds, 1, T, F]
  NamedTensors weights = clap.parameters();
  const torch::Tensor bins = all.flatten(0, 2);  // [sounds * T, F]
  weights.at("audio_model.audio_encoder.batch_norm.running_mean").copy_(bins.mean(0));
  weights.at("audio_model.audio_encoder.batch_norm.running_var").copy_(bins.var(0, true));
  std::vector<torch::Tensor> pooled;
  for (const torch::Tensor& mel : mels)
    pooled.push_back(clap.encode(mel.unsqueeze(0)).frames.mean(1).squeeze(0));
  whiten_projection(clap, torch::stack(pooled));
  return clap;
}

}  // namespace trainer
