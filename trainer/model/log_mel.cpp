#include "trainer/model/log_mel.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/error.hpp"

namespace trainer {

namespace {

constexpr std::int64_t k_piece_frames = 32;

struct MelScale {
  double (*mel_of_hz)(double hz);
  double (*hz_of_mel)(double mel);
};
// Slaney's (Auditory Toolbox, 1998): linear below 1 kHz, logarithmic above.
constexpr MelScale k_slaney = {
    [](double hz) { return hz < 1000 ? hz * 3 / 200 : 15 + std::log(hz / 1000) * 27 / std::log(6.4); },
    [](double mel) { return mel < 15 ? mel * 200 / 3 : 1000 * std::exp((mel - 15) * std::log(6.4) / 27); }};
// HTK's.
constexpr MelScale k_htk = {[](double hz) { return 2595 * std::log10(1 + hz / 700); },
                            [](double mel) { return 700 * (std::pow(10, mel / 2595) - 1); }};

// [fft/2+1, F]: triangles in Hz. Slaney's have an area of 1 Hz times a constant, as librosa's filters.mel;
// HTK's are 1 high.
torch::Tensor mel_filters(const LogMelConfig& config) {
  const bool fused = config.truncation == ClipTruncation::fusion;
  const MelScale scale = fused ? k_htk : k_slaney;
  const auto bins = config.fft_samples / 2 + 1;
  const double low = scale.mel_of_hz(config.lowest_hz), high = scale.mel_of_hz(config.highest_hz);
  const auto corner = [&](std::int64_t i) {
    return scale.hz_of_mel(low +
                           (high - low) * static_cast<double>(i) / static_cast<double>(config.mel_bins + 1));
  };
  const int last_hz = config.rate_hz / 2;  // of the last bin; a whole number in ClapFeatureExtractor too
  auto filters = torch::zeros({bins, config.mel_bins}, torch::kFloat64);
  auto cell = filters.accessor<double, 2>();
  for (std::int64_t mel = 0; mel < config.mel_bins; ++mel) {
    const double left = corner(mel), middle = corner(mel + 1), right = corner(mel + 2);
    for (std::int64_t bin = 0; bin < bins; ++bin) {
      const double hz = static_cast<double>(bin) * last_hz / static_cast<double>(bins - 1);
      const double height = std::min((hz - left) / (middle - left), (right - hz) / (right - middle));
      cell[bin][mel] = fused ? std::max(0.0, height) : std::max(0.0, height) * 2 / (right - left);
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

// mel [total, F] of a clip longer than `frames` -> [4, frames, F]: all of it made that short, and a piece of
// each third.
torch::Tensor fuse_pieces(const torch::Tensor& mel, std::int64_t frames) {
  const std::int64_t starts = mel.size(0) - frames + 1;
  if (starts == 1) return mel.unsqueeze(0).repeat({4, 1, 1});
  // The first start of each third, as numpy's array_split cuts them; the start of the clip where a third is
  // empty.
  const std::int64_t first = (starts + 2) / 3, second = (starts + 1) / 3;
  const auto piece = [&](std::int64_t start) { return mel.narrow(0, start < starts ? start : 0, frames); };
  const auto whole =
      at::upsample_bilinear2d(mel.view({1, 1, mel.size(0), mel.size(1)}), {frames, mel.size(1)}, false);
  return torch::stack({whole.view({frames, mel.size(1)}), piece(0), piece(first), piece(first + second)});
}

}  // namespace

LogMel::LogMel(const LogMelConfig& config) : config_(config), filters_(mel_filters(config)) {
  const auto phase = torch::arange(config.fft_samples, torch::kFloat64) *
                     (2 * std::numbers::pi / static_cast<double>(config.fft_samples));
  window_ = 0.5 - 0.5 * phase.cos();
}

torch::Tensor LogMel::spectrogram(std::vector<float> clip) const {
  const auto samples = static_cast<std::int64_t>(clip.size());
  const auto wave = torch::from_blob(clip.data(), {1, 1, samples}, torch::kFloat32);
  const auto half = config_.fft_samples / 2;
  const auto padded = at::reflection_pad1d(wave, {half, half}).view({-1});
  // [T, fft]: frame t is centred on sample t * hop.
  const auto frames = padded.unfold(0, config_.fft_samples, config_.hop_samples);
  auto mel = torch::empty({frames.size(0), config_.mel_bins}, torch::kFloat32);
  // In pieces that stay in the processor's cache: of all frames at once every intermediate is fresh memory,
  // and the kernel takes as long to hand that out as the transform takes.
  for (std::int64_t t = 0; t < frames.size(0); t += k_piece_frames) {
    const auto piece = frames.narrow(0, t, std::min(k_piece_frames, frames.size(0) - t));
    const auto spectrum = at::fft_rfft(piece * window_);                  // fp64
    const auto power = at::matmul(at::abs(spectrum).square(), filters_);  // [piece, F]
    mel.narrow(0, t, piece.size(0)).copy_(power.clamp_min(1e-10).log10() * 10);
  }
  return mel;
}

torch::Tensor LogMel::compute(const std::vector<float>& samples) const {
  ENSURE(!samples.empty());
  const torch::NoGradGuard no_grad;
  const auto length = static_cast<std::size_t>(config_.clip_samples);
  if (config_.truncation == ClipTruncation::first_seconds)
    return spectrogram(fit_clip(samples, length, config_.padding)).unsqueeze(0);
  if (samples.size() <= length)
    return spectrogram(fit_clip(samples, length, config_.padding)).unsqueeze(0).repeat({4, 1, 1});
  return fuse_pieces(spectrogram(samples), config_.frames());
}

}  // namespace trainer
