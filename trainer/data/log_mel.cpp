#include "trainer/data/log_mel.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/error.hpp"
#include "trainer/model/config_reader.hpp"

namespace trainer {

using common::Json;

namespace {

constexpr std::uint64_t k_config_limit_bytes = 1 << 20;
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

ClipPadding parse_padding(const ConfigReader& reader) {
  const auto text = reader.string("padding", "repeatpad");
  if (text == "repeatpad") return ClipPadding::repeat_pad;
  if (text == "repeat") return ClipPadding::repeat;
  if (text == "pad") return ClipPadding::zeros;
  reader.refuse("padding " + text + " is none of repeatpad, repeat, pad");
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

LogMelConfig parse_log_mel_config(const Json& config, const std::string& name) {
  const ConfigReader reader(config, name);
  const auto truncation = reader.string("truncation", "fusion");
  if (truncation != "rand_trunc")
    reader.refuse("truncation " + truncation +
                  " is not supported; rand_trunc, of the unfused checkpoints, is");
  if (reader.has("top_db")) reader.refuse("top_db is not supported; null is");
  LogMelConfig c;
  const auto rate = reader.integer("sampling_rate", c.rate_hz);
  const double seconds = reader.number("max_length_s", 10);
  if (rate < 1 || rate > 1'000'000 || !(seconds > 0) || seconds > 3600)
    reader.refuse("sampling_rate or max_length_s is out of bounds");
  c.rate_hz = static_cast<int>(rate);
  c.clip_samples = std::llround(seconds * static_cast<double>(rate));
  c.fft_samples = reader.integer("fft_window_size", c.fft_samples);
  c.hop_samples = reader.integer("hop_length", c.hop_samples);
  c.mel_bins = reader.integer("feature_size", c.mel_bins);
  c.lowest_hz = reader.number("frequency_min", c.lowest_hz);
  c.highest_hz = reader.number("frequency_max", c.highest_hz);
  c.padding = parse_padding(reader);
  if (c.fft_samples < 2 || c.fft_samples % 2 != 0 || c.fft_samples / 2 >= c.clip_samples ||
      c.hop_samples < 1 || c.hop_samples > c.clip_samples)
    reader.refuse("fft_window_size or hop_length does not suit the clip's length");
  if (c.mel_bins < 1 || c.mel_bins > 4096 || !(c.lowest_hz >= 0) || !(c.highest_hz > c.lowest_hz))
    reader.refuse("feature_size, frequency_min or frequency_max is out of bounds");
  return c;
}

LogMelConfig load_log_mel_config(const ModelFolder& folder) {
  const std::string name = "preprocessor_config.json";
  return parse_log_mel_config(folder.read_json(name, k_config_limit_bytes), folder.path_of(name).string());
}

Json format_log_mel_config(const LogMelConfig& c) {
  const char* padding = c.padding == ClipPadding::repeat_pad ? "repeatpad"
                        : c.padding == ClipPadding::repeat   ? "repeat"
                                                             : "pad";
  ENSURE(c.clip_samples % c.rate_hz == 0);  // transformers counts clips in whole seconds
  return {{"feature_extractor_type", "ClapFeatureExtractor"},
          {"feature_size", c.mel_bins},
          {"sampling_rate", c.rate_hz},
          {"max_length_s", c.clip_samples / c.rate_hz},
          {"nb_max_samples", c.clip_samples},
          {"fft_window_size", c.fft_samples},
          {"hop_length", c.hop_samples},
          {"frequency_min", c.lowest_hz},
          {"frequency_max", c.highest_hz},
          {"padding", padding},
          {"padding_value", 0.0},
          {"padding_side", "right"},
          {"return_attention_mask", false},
          {"top_db", nullptr},
          {"truncation", "rand_trunc"}};
}

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
