#include "trainer/formats/model_form.hpp"

#include "common/error.hpp"
#include "tests/support/process.hpp"
#include "tests/support/scratch.hpp"
#include "trainer/formats/tokenizer.hpp"

#include <doctest/doctest.h>

using support::put_file;
using trainer::ModelFolder;

namespace {

std::string refusal(const support::Scratch& folder) {
  try {
    (void)trainer::read_model_config(ModelFolder(folder.path()));
  } catch (const common::Error& error) {
    CHECK(error.kind() == common::ErrorKind::io);
    return error.what();
  }
  return {};
}

}  // namespace

TEST_CASE("a model in another form is refused with the command that converts it") {
  struct Case {
    const char *file, *content;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases = {
      {"pytorch_model.bin", "PK", {"pytorch_model.bin", "python3 -c", "save_torch_state_dict"}},
      {"pytorch_model.bin.index.json",
       "{}",
       {"pytorch_model.bin.index.json", "python3 -c", "save_torch_state_dict"}},
      {"config.json",
       R"({"quantization_config": {"quant_method": "bitsandbytes"}})",
       {"quantised (bitsandbytes)"}},
      {"config.json", R"({"quantization_config": 4})", {"quantised (unknown)"}},
      {"config.json",
       R"({"model_type": "llava", "mm_vision_tower": "openai/clip-vit-large-patch14-336"})",
       {"original layout", "hf download llava-hf/llava-1.5-7b-hf"}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.content);
    const support::Scratch folder;
    put_file(folder / "config.json", "{}");
    put_file(folder / one.file, one.content);
    const std::string text = refusal(folder);
    for (const std::string& part : one.parts) {
      CAPTURE(part);
      CAPTURE(text);
      CHECK(text.find(part) != std::string::npos);
    }
  }
}

TEST_CASE(
    "an adapter that was not merged is called that, and its configuration alone beside weights is none") {
  const support::Scratch folder;
  put_file(folder / "adapter_config.json", "{}");
  CHECK(refusal(folder).find("merge_and_unload") != std::string::npos);
  put_file(folder / "config.json", "{}");
  CHECK(refusal(folder).find("merge_and_unload") != std::string::npos);
  put_file(folder / "model.safetensors", "");
  CHECK(refusal(folder).empty());
  put_file(folder / "adapter_model.safetensors", "x");
  CHECK(refusal(folder).find("a whole model and an adapter of PEFT") != std::string::npos);
  put_file(folder / "config.json", R"({"model_type": "llava_llama", "mm_vision_tower": "openai/clip"})");
  CHECK(refusal(folder).find("original layout") !=
        std::string::npos);  // whose base is no LLaVA to merge with
}

TEST_CASE("what a conversion or a merge would read and was never fetched is to be fetched first") {
  const std::string pointer =
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') + "\nsize 12\n";
  const auto text_with = [&](const std::vector<std::pair<std::string, std::string>>& files) {
    const support::Scratch folder;
    for (const auto& [name, text] : files) put_file(folder / name, text);
    return refusal(folder);
  };
  for (const std::string& text :
       {text_with({{"config.json", "{}"},
                   {"pytorch_model.bin.index.json", "{}"},
                   {"pytorch_model-00001-of-00002.bin", "PK"},
                   {"pytorch_model-00002-of-00002.bin", pointer}}),
        text_with({{"adapter_config.json", "{}"}, {"adapter_model.safetensors", pointer}})}) {
    CAPTURE(text);
    CHECK(text.find("is a Git LFS pointer") != std::string::npos);
    CHECK(text.find("python3") == std::string::npos);
  }
}

TEST_CASE(
    "quantised weights are called so however their writer says it, with the published model of that width") {
  const auto text_of = [&](const std::string& config) {
    const support::Scratch folder;
    put_file(folder / "config.json", config);
    return refusal(folder);
  };
  const std::string large = text_of(
      R"({"model_type": "llava", "text_config": {"hidden_size": 5120}, "quantization": {"bits": 4}})");
  CHECK(large.find("quantised") != std::string::npos);
  CHECK(large.find("hf download llava-hf/llava-1.5-13b-hf") != std::string::npos);
  const std::string audio =
      text_of(R"({"model_type": "clap", "quantization_config": {"quant_method": "gptq"}})");
  CHECK(audio.find("quantised (gptq)") != std::string::npos);
  CHECK(audio.find("llava") == std::string::npos);
  for (const char* odd :
       {R"({"model_type": 4, "text_config": [], "quantization": true})",
        R"({"model_type": "llava", "text_config": {"hidden_size": "5120"}, "quantization": {}})"})
    CHECK(text_of(odd).find("quantised (unknown)") != std::string::npos);
}

TEST_CASE("pickled weights that were never fetched are to be fetched, and not converted") {
  const support::Scratch folder;
  put_file(folder / "config.json", "{}");
  put_file(folder / "pytorch_model.bin",
           "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') + "\nsize 12\n");
  const std::string text = refusal(folder);
  CHECK(text.find("is a Git LFS pointer") != std::string::npos);
  CHECK(text.find("python3") == std::string::npos);
}

TEST_CASE("pickled weights beside safetensors are not in the way, nor is a quantization_config of null") {
  const support::Scratch folder;
  put_file(folder / "config.json", R"({"quantization_config": null})");
  put_file(folder / "pytorch_model.bin", "PK");
  put_file(folder / "model.safetensors", "");
  CHECK(refusal(folder).empty());
}

TEST_CASE("a folder with spaces and quotes is one word of the command") {
  const support::Scratch scratch;
  const auto named = scratch / "it's mine";
  std::filesystem::create_directory(named);
  put_file(named / "config.json", "{}");
  put_file(named / "pytorch_model.bin", "PK");
  CHECK_THROWS_WITH_AS((void)trainer::read_model_config(ModelFolder(named)),
                       doctest::Contains("it'\\''s mine'"), common::Error);
}

TEST_CASE(
    "a tokenizer that is SentencePiece's file alone is refused with the command that makes tokenizer.json") {
  const support::Scratch folder;
  put_file(folder / "tokenizer.model", "x");
  CHECK_THROWS_WITH_AS((void)trainer::Tokenizer::load(ModelFolder(folder.path())),
                       doctest::Contains("AutoTokenizer"), common::Error);
}
