#include "trainer/cli/shape_flags.hpp"

#include "common/error.hpp"

namespace trainer {
namespace {

constexpr common::WholeRange k_token_range = {1, 1 << 12}, k_width_range = {1, 1 << 16},
                             k_head_range = {1, 1 << 10}, k_rank_range = {0, 1 << 12},
                             k_layer_range = {0, (1 << 10) - 1};

// "4,8,12": ascending.
std::vector<std::int64_t> parse_layers(const std::string& flag, const std::string& text) {
  std::vector<std::int64_t> layers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.size(), text.find(',', begin));
    layers.push_back(common::parse_whole(flag, text.substr(begin, end - begin), k_layer_range));
    if (layers.size() > 1 && layers.back() <= layers[layers.size() - 2])
      throw common::Error(common::ErrorKind::usage,
                          flag + " " + text + ": the layers do not ascend; sort them");
    begin = end + 1;
  }
  return layers;
}

}  // namespace

void add_prompt_flag(common::Verb& verb, std::string& prompt) {
  verb.choice(
      "--prompt", prompt,
      {{"original", "as the Python original asks: \"Answer in one word or a number. Question: ...\""},
       {"llava",
        "as llava-hf's template has it: \"...\\nAnswer the question using a single word or phrase.\""}},
      "Put questions to the base in this form");
}

void add_shape_flags(common::Verb& verb, ShapeFlags& f) {
  const char* as_configured = "as --model-config has it";
  verb.whole("--audio-tokens", f.audio_tokens, k_token_range, "Make this many audio tokens of a clip")
      .otherwise(as_configured);
  verb.whole("--bottleneck", f.bottleneck, k_width_range,
             "Give the audio projector this width between its two maps")
      .otherwise(as_configured);
  verb.value("--fusion-layers", "LAYER,LAYER,...",
             "Fuse audio into the outputs of these decoder layers, the first is 0",
             [&f](const std::string& flag, const std::string& text) {
               f.fusion_layers = parse_layers(flag, text);
             })
      .otherwise(as_configured);
  verb.whole("--fusion-heads", f.fusion_heads, k_head_range, "Attend to audio with this many heads")
      .otherwise("as many as the base has; 4 with --model-config tiny");
  verb.whole(
          "--lora-rank", f.lora_rank, k_rank_range,
          "Train low-rank changes of this rank in the fusion's query, key, value and output maps; 0: whole "
          "maps")
      .otherwise(as_configured);
  add_prompt_flag(verb, f.prompt);
}

PromptForm prompt_form(const std::string& flag) {
  return flag == "llava" ? PromptForm::llava : PromptForm::original;
}

void apply(const ShapeFlags& flags, RunConfig& config) {
  config.prompt = prompt_form(flags.prompt);
  if (flags.audio_tokens) config.projector.tokens = *flags.audio_tokens;
  if (flags.bottleneck) config.projector.bottleneck = *flags.bottleneck;
  if (flags.fusion_layers) config.fusion.layers = *flags.fusion_layers;
  if (flags.fusion_heads) config.fusion.heads = *flags.fusion_heads;
  if (flags.lora_rank) config.fusion.rank = *flags.lora_rank;
}

}  // namespace trainer
