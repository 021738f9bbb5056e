#include "trainer/formats/model_form.hpp"

#include <filesystem>
#include <string>

#include "common/error.hpp"
#include "common/shell.hpp"

namespace trainer {
namespace {

constexpr std::uint64_t k_config_limit_bytes = 1 << 20;

[[noreturn]] void refuse(const std::string& why) { throw common::Error(common::ErrorKind::io, why); }

std::string python(const std::string& code, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {"python3", "-c", code};
  words.insert(words.end(), arguments.begin(), arguments.end());
  return "\n  " + common::shell_command(words);
}

void refuse_pickled(const ModelFolder& folder) {
  if (folder.has("model.safetensors") || folder.has("model.safetensors.index.json")) return;
  const char* found = folder.has("pytorch_model.bin")              ? "pytorch_model.bin"
                      : folder.has("pytorch_model.bin.index.json") ? "pytorch_model.bin.index.json"
                                                                   : nullptr;
  if (found == nullptr) return;
  // What was not fetched yet needs no conversion.
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    if (const std::string name = entry.path().filename().string();
        name.starts_with("pytorch_model") && (name.ends_with(".bin") || name == found))
      (void)folder.open(name);
  refuse(folder.path().string() + " has its weights as " + found +
         ", which can run code when it is read, and not as safetensors; convert them (with torch and "
         "huggingface_hub):" +
         python("import glob, sys, torch; from huggingface_hub import save_torch_state_dict as save; d = "
                "sys.argv[1]; "
                "w = {}; [w.update(torch.load(f, map_location=\"cpu\", weights_only=True)) for f in "
                "sorted(glob.glob(d + \"/pytorch_model*.bin\"))]; save(w, d)",
                {folder.path().string()}));
}

void refuse_adapter(const ModelFolder& folder) {
  const bool has_weights = folder.has("model.safetensors") || folder.has("model.safetensors.index.json") ||
                           folder.has("pytorch_model.bin") || folder.has("pytorch_model.bin.index.json");
  const char* adapter = folder.has("adapter_model.safetensors") ? "adapter_model.safetensors"
                        : folder.has("adapter_model.bin")       ? "adapter_model.bin"
                                                                : nullptr;
  if (!folder.has("adapter_config.json") || (has_weights && adapter == nullptr)) return;
  if (adapter != nullptr) (void)folder.open(adapter);  // what was not fetched yet cannot be merged
  if (has_weights)
    refuse(folder.path().string() + " holds a whole model and an adapter of PEFT (" + adapter +
           "), and is read differently by different programs; remove the adapter's two files where it is "
           "merged, else merge it (merge_and_unload of peft) and name the folder that is made");
  refuse(folder.path().string() +
         " is an adapter of PEFT and no whole model; merge it with its base (with peft and transformers), "
         "and name "
         "the folder that is made:" +
         python("import sys; from peft import PeftConfig, PeftModel; from transformers import AutoProcessor, "
                "LlavaForConditionalGeneration as M; b = "
                "PeftConfig.from_pretrained(sys.argv[1]).base_model_name_or_path; "
                "PeftModel.from_pretrained(M.from_pretrained(b), "
                "sys.argv[1]).merge_and_unload().save_pretrained(sys.argv[2]); "
                "AutoProcessor.from_pretrained(b).save_pretrained(sys.argv[2])",
                {folder.path().string(), folder.path().string() + "-merged"}));
}

// Of a LLaVA the published one that has this width.
std::string published_like(const common::Json& config) {
  const auto type = config.find("model_type"), text = config.find("text_config");
  if (type == config.end() || *type != "llava" || text == config.end() || !text->is_object()) return {};
  const auto width = text->find("hidden_size");
  const bool is_large = width != text->end() && *width == 5120;
  return std::string(", such as\n  hf download llava-hf/llava-1.5-") + (is_large ? "13b" : "7b") + "-hf";
}

void refuse_quantised(const ModelFolder& folder, const common::Json& config) {
  // MLX calls it otherwise.
  auto found = config.find("quantization_config");
  if (found == config.end() || found->is_null()) found = config.find("quantization");
  if (found == config.end() || found->is_null()) return;
  const auto method = found->is_object() ? found->find("quant_method") : found->end();
  const std::string how =
      method != found->end() && method->is_string() ? method->get<std::string>() : "unknown";
  refuse(folder.path_of(k_model_config_name).string() + ": the model is quantised (" + how +
         "), and gradients go through its weights; take the one in F16 or BF16 that it was made from" +
         published_like(config));
}

void refuse_original_llava(const ModelFolder& folder, const common::Json& config) {
  if (!config.contains("mm_vision_tower")) return;
  refuse(
      folder.path().string() +
      " is a LLaVA in its original layout, without its vision tower; liuhaotian/llava-v1.5-7b and -13b are "
      "published in Hugging Face's as\n  hf download llava-hf/llava-1.5-7b-hf\n  hf download "
      "llava-hf/llava-1.5-13b-hf");
}

}  // namespace

common::Json read_model_config(const ModelFolder& folder) {
  if (!folder.has(k_model_config_name)) refuse_adapter(folder);
  common::Json config = folder.read_json(k_model_config_name, k_config_limit_bytes);
  if (config.is_object()) refuse_original_llava(folder, config);
  refuse_adapter(folder);
  if (config.is_object()) refuse_quantised(folder, config);
  refuse_pickled(folder);
  return config;
}

void require_tokenizer_json(const ModelFolder& folder) {
  if (folder.has("tokenizer.json") || !folder.has("tokenizer.model")) return;
  (void)folder.open("tokenizer.model");
  refuse(folder.path().string() +
         " has tokenizer.model and no tokenizer.json; make it (with 'transformers<5', sentencepiece and "
         "protobuf; "
         "transformers 5 leaves out what a LLaVA needs):" +
         python("import sys; from transformers import AutoTokenizer as T; "
                "T.from_pretrained(sys.argv[1]).save_pretrained(sys.argv[1])",
                {folder.path().string()}));
}

}  // namespace trainer
