#include "trainer/data/log_mel.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/error.hpp"

namespace trainer {

namespace {

constexpr std::int64_t k_piece_frames = 32;

// Slaney's mel scale (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.
double mel_of_hz(double hz) {
  return hz < 1000 ? hz * 3 / 200 : 15 + std::log(hz / 1000) * 27 / std::log(6.4);
}
double hz_of_mel(double mel) {
  return mel < 15 ? mel * 200 / 3 : 1000 * std::exp((mel - 15) * std::log(6.4) / 27);
}

// [fft/2+1, F]: triangles in Hz, each of area 1 Hz times a constant, as librosa's filters.mel.
torch::Tensor mel_filters(const LogMelConfig& config) {
  const auto bins = config.fft_samples / 2 + 1;
  const double low = mel_of_hz(config.lowest_hz), high = mel_of_hz(config.highest_hz);
  const auto corner = [&](std::int64_t i) {
    return hz_of_mel(low + (high - low) * static_cast<double>(i) / static_cast<double>(config.mel_bins + 1));
  };
  const int last_hz = config.rate_hz / 2;  // of the last bin; a whole number in ClapFeatureExtractor too
  auto filters = torch::zeros({bins, config.mel_bins}, torch::kFloat64);
  auto cell = filters.accessor<double, 2>();
  for (std::int64_t mel = 0; mel < config.mel_bins; ++mel) {
    const double left = corner(mel), middle = corner(mel + 1), right = corner(mel + 2);
    for (std::int64_t bin = 0; bin < bins; ++bin) {
      const double hz = static_cast<double>(bin) * last_hz / static_cast<double>(bins - 1);
      const double height = std::min((hz - left) / (middle - left), (right - hz) / (right - middle));
      cell[bin][mel] = std::max(0.0, height) * 2 / (right - left);
    }
  }
  return filters;
}

// Exactly `length` samples.
std::vector<float> fit_clip(const std::vector<float>& samples, std::size_t length, ClipPadding padding) {
  std::vector<float> clip(length, 0.0F);
  const auto copies = padding == ClipPadding::repeat_pad ? std::max<std::size_t>(1, length / samples.size())
                      : padding == ClipPadding::repeat   ? length / samples.size() + 1
                                                         : 1;
  const auto filled = std::min(length, copies * samples.size());
  for (std::size_t i = 0; i < filled; ++i) clip[i] = samples[i % samples.size()];
  return clip;
}

}  // namespace

LogMel::LogMel(const LogMelConfig& config) : config_(config), filters_(mel_filters(config)) {
  const auto phase = torch::arange(config.fft_samples, torch::kFloat64) *
                     (2 * std::numbers::pi / static_cast<double>(config.fft_samples));
  window_ = 0.5 - 0.5 * phase.cos();
}

torch::Tensor LogMel::compute(const std::vector<float>& samples) const {
  ENSURE(!samples.empty());
  const torch::NoGradGuard no_grad;
  auto clip = fit_clip(samples, static_cast<std::size_t>(config_.clip_samples), config_.padding);
  const auto wave = torch::from_blob(clip.data(), {1, 1, config_.clip_samples}, torch::kFloat32);
  const auto half = config_.fft_samples / 2;
  const auto padded = at::reflection_pad1d(wave, {half, half}).view({-1});
  // [T, fft]: frame t is centred on sample t * hop.
  const auto frames = padded.unfold(0, config_.fft_samples, config_.hop_samples);
  auto mel = torch::empty({1, frames.size(0), config_.mel_bins}, torch::kFloat32);
  // In pieces that stay in the processor's cache: of all frames at once every intermediate is fresh memory,
  // and the kernel takes as long to hand that out as the transform takes.
  for (std::int64_t t = 0; t < frames.size(0); t += k_piece_frames) {
    const auto piece = frames.narrow(0, t, std::min(k_piece_frames, frames.size(0) - t));
    const auto spectrum = at::fft_rfft(piece * window_);                  // fp64
    const auto power = at::matmul(at::abs(spectrum).square(), filters_);  // [piece, F]
    mel[0].narrow(0, t, piece.size(0)).copy_(power.clamp_min(1e-10).log10() * 10);
  }
  return mel;
}

}  // namespace trainer
