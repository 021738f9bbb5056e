// A LLaVA as a Hugging Face folder has it: its tensors under whatever names, and its configuration.
#include <functional>

#include "common/error.hpp"
#include "common/file.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/tiny_llava.hpp"
#include "trainer/model/tensor.hpp"

#include <doctest/doctest.h>

using support::logits_of;
using support::tiny;
using support::tiny_llava;
using trainer::Llava;

TEST_CASE("a saved folder loads to the same logits, bit for bit, and the same seed gives the same bytes") {
  const torch::NoGradGuard no_grad;
  const support::Scratch a, b;
  auto llava = tiny_llava();
  support::save_files(llava.files(), a.path());
  support::save_files(tiny_llava().files(), b.path());
  CHECK(llava.files() == tiny_llava().files());
  const auto loaded = Llava::load(a.path());
  CHECK(logits_of(loaded, {1, 5, 7}).equal(logits_of(llava, {1, 5, 7})));
  const auto pixels = torch::rand({1, 3, 12, 12});
  CHECK(loaded.encode_images(pixels).equal(llava.encode_images(pixels)));
}

TEST_CASE("every layout of names that is in use loads to the same model") {
  const torch::NoGradGuard no_grad;
  auto llava = tiny_llava();
  const auto classic = llava.parameters();
  const auto replaced = [](std::string name, const std::string& from, const std::string& to) {
    if (name.starts_with(from)) name = to + name.substr(from.size());
    return name;
  };
  const std::map<std::string, std::function<std::string(const std::string&)>> layouts = {
      {"4.52",
       [&](const std::string& n) {
         return replaced(replaced(replaced(replaced(n, "language_model.lm_head", "lm_head"),
                                           "language_model.model", "model.language_model"),
                                  "vision_tower", "model.vision_tower"),
                         "multi_modal", "model.multi_modal");
       }},
      {"flat vision",
       [&](const std::string& n) { return replaced(n, "vision_tower.vision_model", "model.vision_tower"); }},
      {"peft", [&](const std::string& n) { return "base_model.model." + n; }},
      {"original",
       [&](const std::string& n) {
         return replaced(replaced(replaced(replaced(replaced(n, "language_model.lm_head", "lm_head"),
                                                    "language_model.model", "model"),
                                           "multi_modal_projector.linear_1", "model.mm_projector.0"),
                                  "multi_modal_projector.linear_2", "model.mm_projector.2"),
                         "vision_tower", "model.vision_tower.vision_tower");
       }},
      {"clip alone",
       [&](const std::string& n) { return replaced(n, "vision_tower.vision_model", "vision_model"); }}};
  for (const auto& [layout, rename] : layouts) {
    CAPTURE(layout);
    const support::Scratch folder;
    support::save_files(llava.files(), folder.path());
    trainer::TensorFile content;
    for (const auto& [name, tensor] : classic) content.tensors[rename(name)] = tensor;
    content.tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch::ones({2});
    content.tensors["something.else"] = torch::ones({1});
    trainer::write_safetensors(folder / "model.safetensors", content);
    auto loaded = Llava::load(folder.path());
    for (const auto& [name, tensor] : loaded.parameters()) CHECK(tensor.equal(classic.at(name)));
  }
}

TEST_CASE("a folder with a tensor missing, twice or of another shape is refused by the tensor's name") {
  auto llava = tiny_llava();
  const std::string name = "language_model.model.layers.1.mlp.up_proj.weight";
  const auto check_refused = [&](const std::function<void(trainer::NamedTensors&)>& damage,
                                 const std::string& because) {
    const support::Scratch folder;
    support::save_files(llava.files(), folder.path());
    auto tensors = llava.parameters();
    damage(tensors);
    trainer::write_safetensors(folder / "model.safetensors", {tensors, {}});
    try {
      (void)Llava::load(folder.path());
      FAIL_CHECK("loaded: " << because);
    } catch (const common::Error& error) {
      CHECK(error.kind() == common::ErrorKind::mismatch);
      CHECK(std::string(error.what()).find(name) != std::string::npos);
      CHECK(std::string(error.what()).find(because) != std::string::npos);
    }
  };
  check_refused([&](auto& t) { t.erase(name); }, "missing");
  check_refused([&](auto& t) { t[name] = torch::ones({3, 16}); }, "shape [3, 16]");
  check_refused([&](auto& t) { t["base_model.model." + name] = t[name]; }, "both are");
  check_refused([&](auto& t) { t[name] = t[name].to(torch::kUInt8).narrow(1, 0, 1).contiguous(); },
                "quantised");
}

TEST_CASE(
    "a tensor that the network does not have is refused, so that no part of a model is left out in silence") {
  auto llava = tiny_llava();
  const auto refusal = [&](const std::string& name, bool in_place_of_weight) {
    const support::Scratch folder;
    support::save_files(llava.files(), folder.path());
    auto tensors = llava.parameters();
    if (in_place_of_weight) tensors.erase(name.substr(0, name.find(".base_layer")) + ".weight");
    tensors[name] = torch::ones({2});
    trainer::write_safetensors(folder / "model.safetensors", {tensors, {}});
    try {
      (void)Llava::load(folder.path());
      return std::string();
    } catch (const common::Error& error) {
      return std::string(error.what());
    }
  };
  for (const char* name :
       {"language_model.model.layers.7.mlp.up_proj.weight",
        "language_model.model.layers.0.self_attn.q_proj.bias",
        "model.language_model.layers.0.self_attn.q_norm.weight", "multi_modal_projector.linear_3.weight",
        "vision_tower.vision_model.encoder.layers.9.mlp.fc1.weight"}) {
    CAPTURE(name);
    const std::string text = refusal(name, false);
    CHECK(text.find(name) != std::string::npos);
    CHECK(text.find("not of the network that config.json describes") != std::string::npos);
  }
  const std::string layer = "language_model.model.layers.0.self_attn.q_proj";
  for (const std::string part : {".lora_A.weight", ".lora_B.default.weight"})
    CHECK(refusal(layer + part, false).find("adapter of PEFT that was not merged") != std::string::npos);
  CHECK(refusal(layer + ".base_layer.weight", true).find("adapter of PEFT") != std::string::npos);
  for (const char* name : {"something.else", "image_newline", "logit_scale_a", "text_model.layer.weight"})
    CHECK(refusal(name, false).empty());
}

TEST_CASE(
    "sparse configurations get transformers' defaults, and all three spellings of rotary scaling are read") {
  const auto parsed = [](const char* text) {
    return trainer::parse_llava_config(common::parse_json(text, "x"), "x");
  };
  const auto seven_b = parsed(
      R"({"model_type":"llava","text_config":{"max_position_embeddings":4096,"rms_norm_eps":1e-5,"vocab_size":32064},"vision_config":{"hidden_size":1024,"image_size":336,"intermediate_size":4096,"num_attention_heads":16,"num_hidden_layers":24,"patch_size":14}})");
  CHECK(seven_b.text.hidden == 4096);
  CHECK(seven_b.text.kv_heads == 32);
  CHECK(seven_b.text.norm_epsilon == 1e-5);
  CHECK(seven_b.vision.activation == trainer::Activation::quick_gelu);
  CHECK(seven_b.image_positions() == 576);
  CHECK(parsed("{}").vision.hidden == 1024);
  for (const auto* rope : {R"("rope_theta":5000,"rope_scaling":{"type":"linear","factor":2})",
                           R"("rope_theta":5000,"rope_scaling":{"rope_type":"linear","factor":2.0})",
                           R"("rope_parameters":{"rope_type":"linear","factor":2.0,"rope_theta":5000})"}) {
    const auto config = parsed((std::string("{\"text_config\":{") + rope + "}}").c_str());
    CHECK(config.text.rope_scale == 2);
    CHECK(config.text.rope_theta == 5000);
  }
  for (const auto* bad :
       {R"({"model_type":"llava_llama"})", R"({"text_config":{"model_type":"qwen2"}})",
        R"({"text_config":{"rope_scaling":{"type":"yarn","factor":2}}})",
        R"({"vision_feature_select_strategy":"cls"})", R"({"text_config":{"hidden_size":"big"}})"})
    CHECK_THROWS_AS((void)parsed(bad), common::Error);
  auto config = tiny();
  config.text.kv_heads = 3;
  CHECK_THROWS_AS((void)Llava::random(config, 0), common::Error);
  config = tiny();
  config.text.rope_scale = 4;
  config.selection = trainer::FeatureSelection::all;
  config.feature_layers = {1, -1};
  const auto again = trainer::parse_llava_config(trainer::format_llava_config(config), "x");
  CHECK(trainer::format_llava_config(again) == trainer::format_llava_config(config));
}
