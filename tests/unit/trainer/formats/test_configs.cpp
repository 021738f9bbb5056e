// Configurations that no model has: each is refused by the key, before anything is allocated by it.
#include <string>
#include <utility>
#include <vector>

#include "common/error.hpp"
#include "trainer/formats/clap_config.hpp"
#include "trainer/formats/llava_config.hpp"
#include "trainer/formats/log_mel_config.hpp"
#include "trainer/formats/pixels_config.hpp"

#include <doctest/doctest.h>

using common::Json;

namespace {

// The configuration with the value in its place, as "text_config/hidden_size".
Json with(Json config, const std::string& path, const Json& value) {
  Json* at = &config;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    at = &(*at)[path.substr(begin, end - begin)];
    begin = end + 1;
  }
  *at = value;
  return config;
}

using Changes = std::vector<std::pair<std::string, Json>>;

template <typename Read>
void check_all_refused(const Json& good, const Changes& changes, const Read& read) {
  CHECK_NOTHROW(read(good));
  for (const auto& [path, value] : changes) {
    const std::string change = path + " = " + value.dump();
    CAPTURE(change);
    try {
      read(with(good, path, value));
      FAIL_CHECK("it was accepted");
    } catch (const common::Error& error) {
      const std::string what = error.what();
      CAPTURE(what);
      CHECK(error.kind() == common::ErrorKind::format);
      CHECK(what.find("config.json: ") == 0);
      CHECK(what.find("; ") != std::string::npos);  // a remedy
    }
  }
}

}  // namespace

TEST_CASE("a LLaVA of absurd size or with numbers that are none is refused") {
  trainer::LlavaConfig base;
  base.text.vocabulary = 32064;
  const Json good = trainer::format_llava_config(base);
  const std::int64_t huge = std::int64_t{1} << 40;
  Changes changes = {{"text_config/rms_norm_eps", 0},       {"text_config/rms_norm_eps", -1e-5},
                     {"text_config/rope_theta", -1},        {"text_config/rope_theta", 1e300},
                     {"text_config/eos_token_id", 32064},   {"text_config/eos_token_id", -1},
                     {"image_token_index", 32064},          {"image_token_index", -1},
                     {"vision_config/layer_norm_eps", 2},   {"vision_feature_layer", 1000},
                     {"vision_config/patch_size", 0},       {"vision_config/patch_size", 1},
                     {"text_config/hidden_size", "4096"},   {"text_config/hidden_size", 4096.5},
                     {"text_config", Json::array()},        {"vision_feature_layer", Json::array()},
                     {"text_config/head_dim", 127},         {"text_config/num_key_value_heads", 33},
                     {"text_config/num_key_value_heads", 3}};
  for (const char* key : {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers",
                          "num_attention_heads", "head_dim", "max_position_embeddings"})
    for (const std::int64_t value : {std::int64_t{-1}, std::int64_t{0}, huge, INT64_MAX, INT64_MIN})
      changes.emplace_back("text_config/" + std::string(key), value);
  for (const char* key :
       {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "image_size"})
    for (const std::int64_t value : {std::int64_t{-1}, std::int64_t{0}, huge, INT64_MAX, INT64_MIN})
      changes.emplace_back("vision_config/" + std::string(key), value);
  check_all_refused(good, changes, [](const Json& config) {
    trainer::check(trainer::parse_llava_config(config, "config.json"), "config.json");
  });
}

TEST_CASE("a decoder of type mistral has Mistral's defaults, and a sliding_window of null is none") {
  const auto parsed = [](const char* text) {
    const std::string json =
        std::string(R"({"model_type": "llava", "text_config": {"model_type": "mistral")") + text + "}}";
    return trainer::parse_llava_config(common::parse_json(json, "x"), "x").text;
  };
  const trainer::DecoderConfig config = parsed("");
  CHECK(config.kind == trainer::DecoderKind::mistral);
  CHECK(config.kv_heads == 8);
  CHECK(config.intermediate == 14336);
  CHECK(config.row_limit() == 4096);
  CHECK(parsed(R"(, "sliding_window": null)").row_limit() == 131072);
  CHECK(parsed(R"(, "sliding_window": 9, "max_position_embeddings": 5)").row_limit() == 5);
  trainer::LlavaConfig whole;
  whole.text = parsed(R"(, "sliding_window": null)");
  whole.text.vocabulary = 32064;
  const Json formatted = trainer::format_llava_config(whole);
  CHECK(trainer::format_llava_config(trainer::parse_llava_config(formatted, "x")) == formatted);
  CHECK_THROWS_WITH_AS(
      trainer::check(trainer::parse_llava_config(with(formatted, "text_config/sliding_window", 49), "x"),
                     "x"),
      doctest::Contains("sliding_window"), common::Error);
  CHECK_THROWS_WITH_AS(
      trainer::check(trainer::parse_llava_config(with(formatted, "text_config/sliding_window", -1), "x"),
                     "x"),
      doctest::Contains("sliding_window"), common::Error);
  CHECK_THROWS_WITH_AS(
      (void)trainer::parse_llava_config(with(formatted, "text_config/model_type", "qwen2"), "x"),
      doctest::Contains("model_type qwen2 is not supported"), common::Error);
}

TEST_CASE("a CLAP of absurd size or with numbers that are none is refused") {
  Changes changes = {{"audio_config/depths", {2, 2, 6, 1000}},
                     {"audio_config/depths", Json::array()},
                     {"audio_config/num_attention_heads", {4, 8, 16, 0}},
                     {"audio_config/num_attention_heads", {4, 8, 16}},
                     {"audio_config/patch_stride", {1, 1}},
                     {"audio_config/patch_stride", {4, 2}},
                     {"audio_config/layer_norm_eps", 0},
                     {"audio_config/mlp_ratio", -1},
                     {"audio_config/mlp_ratio", 1e6},
                     {"audio_config/enable_fusion", "yes"}};
  for (const char* key :
       {"window_size", "num_mel_bins", "spec_size", "patch_size", "patch_embeds_hidden_size"})
    for (const std::int64_t value : {std::int64_t{-1}, std::int64_t{0}, std::int64_t{1} << 31, INT64_MAX})
      changes.emplace_back("audio_config/" + std::string(key), value);
  check_all_refused(trainer::format_clap_config({}), changes,
                    [](const Json& config) { (void)trainer::parse_clap_config(config, "config.json"); });
}

TEST_CASE("preprocessing that makes no numbers, or allocates without bounds, is refused") {
  check_all_refused(trainer::format_pixels_config({}),
                    {{"image_std", {0.2, 0, 0.2}},
                     {"image_std", {0.2, -0.2, 0.2}},
                     {"image_std", {1e-300, 1, 1}},
                     {"image_std", {0.2, 0.2}},
                     {"image_mean", {1e300, 0, 0}},
                     {"rescale_factor", 0},
                     {"rescale_factor", -1},
                     {"crop_size", {{"height", -5}, {"width", -5}}},
                     {"crop_size", {{"height", 2}, {"width", 3}}},
                     {"size", {{"shortest_edge", 1 << 30}}},
                     {"size", {{"shortest_edge", 0}}}},
                    [](const Json& config) { (void)trainer::parse_pixels_config(config, "config.json"); });
  check_all_refused(trainer::format_log_mel_config({}),
                    {{"sampling_rate", 0},
                     {"sampling_rate", 1'000'000'000},
                     {"max_length_s", 3600},
                     {"max_length_s", -1},
                     {"fft_window_size", 1 << 20},
                     {"fft_window_size", 1023},
                     {"hop_length", 0},
                     {"feature_size", 1 << 20},
                     {"frequency_min", -1},
                     {"frequency_max", 0}},
                    [](const Json& config) { (void)trainer::parse_log_mel_config(config, "config.json"); });
}
