#include "trainer/formats/log_mel_config.hpp"

#include <fmt/format.h>

#include <cmath>

#include "common/error.hpp"
#include "trainer/formats/config_reader.hpp"
#include "trainer/formats/preprocessor.hpp"

namespace trainer {

using common::Json;

namespace {

// Several times what any published encoder hears; each sizes an allocation.
constexpr std::int64_t k_rate_limit_hz = 192'000, k_fft_limit = 1 << 14, k_mel_bin_limit = 1024;
constexpr double k_clip_limit_s = 60;

ClipPadding parse_padding(const ConfigReader& reader) {
  const auto text = reader.string("padding", "repeatpad");
  if (text == "repeatpad") return ClipPadding::repeat_pad;
  if (text == "repeat") return ClipPadding::repeat;
  if (text == "pad") return ClipPadding::zeros;
  reader.refuse("padding " + text + " is none of repeatpad, repeat, pad");
}

}  // namespace

LogMelConfig parse_log_mel_config(const Json& config, const std::string& name) {
  const ConfigReader reader(config, name);
  const auto truncation = reader.string("truncation", "fusion");
  if (truncation != "rand_trunc" && truncation != "fusion")
    reader.refuse("truncation " + truncation + " is not supported; rand_trunc and fusion are");
  if (reader.has("top_db")) reader.refuse("top_db is not supported; null is");
  LogMelConfig c;
  const auto rate = reader.integer("sampling_rate", c.rate_hz);
  const double seconds = reader.number("max_length_s", 10);
  if (rate < 1 || rate > k_rate_limit_hz || !(seconds > 0) || seconds > k_clip_limit_s)
    reader.refuse(fmt::format("sampling_rate {} or max_length_s {} is out of bounds", rate, seconds));
  c.rate_hz = static_cast<int>(rate);
  c.clip_samples = std::llround(seconds * static_cast<double>(rate));
  c.fft_samples = reader.integer("fft_window_size", c.fft_samples);
  c.hop_samples = reader.integer("hop_length", c.hop_samples);
  c.mel_bins = reader.integer("feature_size", c.mel_bins);
  c.lowest_hz = reader.number("frequency_min", c.lowest_hz);
  c.highest_hz = reader.number("frequency_max", c.highest_hz);
  c.padding = parse_padding(reader);
  c.truncation = truncation == "fusion" ? ClipTruncation::fusion : ClipTruncation::first_seconds;
  if (c.fft_samples < 2 || c.fft_samples > k_fft_limit || c.fft_samples % 2 != 0 ||
      c.fft_samples / 2 >= c.clip_samples || c.hop_samples < 1 || c.hop_samples > c.clip_samples)
    reader.refuse("fft_window_size or hop_length does not suit the clip's length");
  if (c.mel_bins < 1 || c.mel_bins > k_mel_bin_limit || !(c.lowest_hz >= 0) || !(c.highest_hz > c.lowest_hz))
    reader.refuse("feature_size, frequency_min or frequency_max is out of bounds");
  return c;
}

LogMelConfig load_log_mel_config(const ModelFolder& folder) {
  const Preprocessor found = read_preprocessor(folder, "feature_extractor");
  return parse_log_mel_config(found.config, found.where);
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
          {"truncation", c.truncation == ClipTruncation::fusion ? "fusion" : "rand_trunc"}};
}

}  // namespace trainer
