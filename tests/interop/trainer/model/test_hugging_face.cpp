// Our models, tokenizer and features against Hugging Face's own code, both ways: folders that transformers
// wrote are read here, folders written here are opened by transformers. SAFE_PEER_PYTHON names a Python that
// has transformers; without one the tests say so and pass, unless SAFE_PEERS=required.
#include <cstdlib>
#include <cstring>

#include "common/file.hpp"
#include "common/json.hpp"
#include "common/sealed/draft_file.hpp"
#include "tests/support/process.hpp"
#include "tests/support/tensors.hpp"
#include "trainer/data/pixels.hpp"
#include "trainer/model/beam_search.hpp"
#include "trainer/model/clap.hpp"
#include "trainer/model/llava.hpp"
#include "trainer/model/log_mel.hpp"
#include "trainer/model/tensor.hpp"
#include "trainer/model/tokenizer_training.hpp"

#include <doctest/doctest.h>

using trainer::PadSide;
using trainer::TokenIds;

namespace {

constexpr const char* k_script = SAFE_SOURCE_DIR "/tests/interop/hf_fixtures.py";
constexpr std::uint64_t k_json_limit_bytes = 1 << 24;

const char* peer_python() {
  const char* python = std::getenv("SAFE_PEER_PYTHON");
  const char* peers = std::getenv("SAFE_PEERS");
  const bool required = peers != nullptr && std::strcmp(peers, "required") == 0;
  if (python == nullptr) {
    REQUIRE_MESSAGE(!required, "SAFE_PEER_PYTHON names no Python");
    MESSAGE("skipped: SAFE_PEER_PYTHON names no Python with transformers");
  }
  return python;
}

// Made once for all cases: starting transformers takes seconds.
struct Fixtures {
  support::Scratch folder;
  std::map<std::string, torch::Tensor> tensors;

  explicit Fixtures(const char* python) {
    const auto made = support::run_process({python, k_script, "make", folder.path().string()});
    REQUIRE_MESSAGE(made.code == 0, made.err);
    tensors = trainer::read_safetensors(folder / "expected.safetensors").tensors;
  }
  [[nodiscard]] const torch::Tensor& at(const std::string& name) const {
    REQUIRE_MESSAGE(tensors.contains(name), name);
    return tensors.at(name);
  }
  [[nodiscard]] common::Json json(const std::string& name) const {
    return common::read_json(folder / name, k_json_limit_bytes);
  }
};

const Fixtures* fixtures() {
  const char* python = peer_python();
  if (python == nullptr) return nullptr;
  static const Fixtures made(python);
  return &made;
}

// 1e-5 and 1e-4 of the value; the largest difference is printed, as the table of agreement.
void check_close(const std::string& stage, const torch::Tensor& ours, const torch::Tensor& theirs) {
  REQUIRE_MESSAGE(ours.sizes() == theirs.sizes(), stage);
  const auto difference = (ours - theirs).abs().max().item<double>();
  MESSAGE(stage << ": max abs difference " << difference << " of values up to "
                << theirs.abs().max().item<double>());
  CHECK_MESSAGE(ours.allclose(theirs, 1e-4, 1e-5), stage);
}

TokenIds without_padding(const torch::Tensor& row, std::int64_t pad_token) {
  TokenIds ids;
  for (std::int64_t i = 0; i < row.size(0); ++i)
    if (row[i].item<std::int64_t>() != pad_token) ids.push_back(row[i].item<std::int64_t>());
  return ids;
}

void check_llava(const Fixtures& made, const std::string& variant, const std::string& side_name) {
  const auto llava = trainer::Llava::load(made.folder / ("llava_" + variant));
  const auto prefix = variant + "." + side_name + ".";
  const auto ids = made.at(prefix + "ids");
  std::vector<TokenIds> rows;
  for (std::int64_t row = 0; row < ids.size(0); ++row)
    rows.push_back(llava.expand_image(without_padding(ids[row], llava.config().pad_token)));
  const auto batch =
      trainer::pad_rows(rows, llava.config().pad_token, side_name == "left" ? PadSide::left : PadSide::right);
  REQUIRE(batch.valid.equal(made.at(prefix + "mask").to(torch::kBool)));
  const auto features = llava.encode_images(made.at(variant + ".pixels"));
  check_close(prefix + "features", features, made.at(prefix + "features"));
  const auto hidden = llava.embed(batch.ids, features);
  const auto check_valid = [&](const std::string& stage, const torch::Tensor& ours) {
    check_close(prefix + stage, ours.index({batch.valid}), made.at(prefix + stage).index({batch.valid}));
  };
  check_valid("hidden0", hidden);
  const auto logits = llava.run(hidden, batch.valid, [&](std::int64_t layer, const torch::Tensor& state) {
    if (layer + 1 < llava.decoder().layers()) check_valid("hidden" + std::to_string(layer + 1), state);
    return state;
  });
  check_valid("logits", logits);
  CHECK(logits.argmax(-1)
            .index({batch.valid})
            .equal(made.at(prefix + "logits").argmax(-1).index({batch.valid})));
}

}  // namespace

TEST_CASE("LLaVA folders that transformers wrote give its numbers at every stage") {
  const torch::NoGradGuard no_grad;
  const auto* made = fixtures();
  if (made == nullptr) return;
  for (const auto* variant : {"plain", "mha_full", "linear_rope", "gelu_vision"})
    for (const auto* side : {"left", "right"}) check_llava(*made, variant, side);
}

TEST_CASE("greedy answers, and those of four beams, are those of transformers' generate") {
  const torch::NoGradGuard no_grad;
  const auto* made = fixtures();
  if (made == nullptr) return;
  const auto all = made->json("answers.json"), of_beams = made->json("beam_answers.json");
  bool any_differs = false;
  for (const auto& [variant, answers] : all.items()) {
    CAPTURE(variant);
    const auto llava = trainer::Llava::load(made->folder / ("llava_" + variant));
    const auto features = llava.encode_images(made->at(variant + ".pixels")).slice(0, 0, 1);
    const auto batch = trainer::pad_rows(
        {llava.expand_image({1, 5, 62, 7, 9, 11}), llava.expand_image({1, 62, 8, 4})}, 63, PadSide::left);
    // Its one picture: both rows had the first of the two.
    const auto hidden = llava.embed(batch.ids, at::cat({features, features}));
    const auto said = trainer::generate(llava.decoder(), llava.tokens().eos, hidden, batch.valid, 6);
    for (std::size_t row = 0; row < 2; ++row) CHECK(said[row] == answers[row].get<TokenIds>());
    const auto found = trainer::beam_search(llava.decoder(), llava.tokens().eos, hidden, batch.valid, 6, 4);
    for (std::size_t row = 0; row < 2; ++row) CHECK(found[row] == of_beams[variant][row].get<TokenIds>());
    any_differs = any_differs || found != said;
  }
  CHECK(any_differs);  // or the beams were not tested
}

TEST_CASE("CLAP folders that transformers wrote give its numbers") {
  const torch::NoGradGuard no_grad;
  const auto* made = fixtures();
  if (made == nullptr) return;
  for (const std::string name : {"clap_tiny", "clap_overlap"}) {
    const auto clap = trainer::Clap::load(made->folder / name);
    const auto out = clap.encode(made->at(name + ".mel"));
    check_close(name + " pooled", out.pooled, made->at(name + ".pooled"));
    check_close(name + " mean of frames", out.frames.mean(1), made->at(name + ".mean"));
  }
}

TEST_CASE("pixels are those of CLIPImageProcessor, and resizing is Pillow's to the last bit") {
  const auto* made = fixtures();
  if (made == nullptr) return;
  const auto config = trainer::load_pixels_config(made->folder / "image");
  for (const std::string name : {"noise_wide", "noise_tall", "small", "smooth", "exact"}) {
    const auto image = made->at("image." + name).contiguous();
    const auto* bytes = image.data_ptr<std::uint8_t>();
    const common::Picture picture{
        static_cast<int>(image.size(1)), static_cast<int>(image.size(0)), {bytes, bytes + image.numel()}};
    const auto resized = trainer::resize_bicubic(picture, 23, 45).pixels;
    const auto theirs = made->at("resized." + name).contiguous();
    CHECK(resized == std::vector<std::uint8_t>(theirs.data_ptr<std::uint8_t>(),
                                               theirs.data_ptr<std::uint8_t>() + theirs.numel()));
    check_close("pixels " + name, trainer::pixels_of(picture, config), made->at("pixels." + name));
  }
}

TEST_CASE("log-mels are those of ClapFeatureExtractor to a thousandth of a decibel") {
  const auto* made = fixtures();
  if (made == nullptr) return;
  const trainer::LogMel log_mel(trainer::load_log_mel_config(made->folder / "audio"));
  for (const std::string name : {"short", "exact", "silent_end", "one"}) {
    const auto wave = made->at("wave." + name).contiguous();
    const auto ours = log_mel.compute({wave.data_ptr<float>(), wave.data_ptr<float>() + wave.numel()});
    const auto theirs = made->at("mel." + name);
    REQUIRE(ours.sizes() == theirs.sizes());
    const auto difference = (ours - theirs).abs().max().item<double>();
    MESSAGE("log-mel " << name << ": max abs difference " << difference << " dB");
    CHECK(difference < 1e-3);
  }
}

TEST_CASE("texts encode and decode as `tokenizers` does, for every way of prefixing") {
  const auto* made = fixtures();
  if (made == nullptr) return;
  const auto all = made->json("texts.json");
  for (const auto& [kind, rows] : all.items()) {
    const auto tokenizer = trainer::Tokenizer::load(made->folder / ("tokenizer_" + kind));
    for (const auto& row : rows) {
      const auto text = row["text"].get<std::string>();
      CAPTURE(kind);
      CAPTURE(text);
      const auto ids = tokenizer.encode(text);
      CHECK(ids == row["ids"].get<TokenIds>());
      CHECK(tokenizer.decode(ids) == row["decoded"].get<std::string>());
    }
  }
}

TEST_CASE("folders written here open in transformers without a missing or unknown tensor, with our numbers") {
  const torch::NoGradGuard no_grad;
  const char* python = peer_python();
  if (python == nullptr) return;
  const support::Scratch root;
  std::filesystem::create_directories(root / "llava");
  std::filesystem::create_directories(root / "clap");

  trainer::TokenizerTraining training;
  training.lines = {"USER: <image>\nWhat colour is the circle? Answer: ASSISTANT: blue",
                    "a dog barks, a dog howls, a door"};
  training.phrases = {"USER: ", " ASSISTANT:", " Answer:"};
  training.vocabulary_limit = 360;
  common::write_file(root / "llava" / "tokenizer.json", trainer::train_tokenizer(training));
  common::write_file(root / "llava" / "tokenizer_config.json",
                     common::dump_pretty(trainer::tokenizer_config()));
  const auto tokenizer = trainer::Tokenizer::load(root / "llava");
  const std::vector<std::string> texts = {"",
                                          "USER: <image>\nWhat colour is the circle? Answer: ASSISTANT: blue",
                                          "  a  dog\n", "\xE6\xBC\xA2 ASSISTANT:x", "USER:  USER: "};
  common::write_file(root / "texts.json", common::dump_line(texts));

  trainer::LlavaConfig config;
  config.vision = {16, 24, 2, 2, 12, 4, trainer::Activation::quick_gelu, 1e-5};
  config.text.vocabulary = tokenizer.size();
  config.text.hidden = 16;
  config.text.intermediate = 24;
  config.text.layers = 2;
  config.text.heads = 4;
  config.text.kv_heads = 2;
  config.text.head_width = 4;
  config.image_token = tokenizer.id_of("<image>");
  config.pad_token = tokenizer.id_of("<pad>");
  auto llava = trainer::Llava::random(config, 11);
  for (auto& [name, tensor] : llava.parameters())
    if (name.ends_with("embed_tokens.weight") || name.ends_with("lm_head.weight")) tensor.mul_(25);
  support::save_files(llava.files(), root / "llava");
  trainer::PixelsConfig pixels_config;
  pixels_config.resize_side = pixels_config.crop_side = 12;
  common::write_file(root / "llava" / "preprocessor_config.json",
                     common::dump_pretty(trainer::format_pixels_config(pixels_config)));

  trainer::ClapConfig clap_config;
  clap_config.window = 4;
  clap_config.mel_bins = 16;
  clap_config.spec_side = 64;
  clap_config.embed = 8;
  clap_config.depths = {2, 2};
  clap_config.heads = {2, 4};
  clap_config.projection = 12;
  auto clap = trainer::Clap::random(clap_config, 12);
  support::save_files(clap.files(), root / "clap");
  common::write_file(root / "clap" / "preprocessor_config.json",
                     common::dump_pretty(trainer::format_log_mel_config({})));

  const std::vector<TokenIds> rows = {{1, config.image_token, 300, 301},
                                      {1, 5, config.image_token, 300, 301, 302}};
  const auto batch = trainer::pad_rows(rows, config.pad_token, PadSide::right);
  const auto pixels = torch::rand({2, 3, 12, 12}), mel = torch::randn({2, 1, 250, 16});
  trainer::write_safetensors(root / "inputs.safetensors",
                             {{{"ids", batch.ids}, {"pixels", pixels}, {"mel", mel}}, {}});
  const auto opened = support::run_process({python, k_script, "open", root.path().string()});
  REQUIRE_MESSAGE(opened.code == 0, opened.err);

  const auto theirs = trainer::read_safetensors(root / "outputs.safetensors").tensors;
  std::vector<TokenIds> expanded;
  for (const auto& row : rows) expanded.push_back(llava.expand_image(row));
  const auto full = trainer::pad_rows(expanded, config.pad_token, PadSide::right);
  const auto logits = llava.run(llava.embed(full.ids, llava.encode_images(pixels)), full.valid);
  check_close("our LLaVA in transformers: logits", logits.index({full.valid}),
              theirs.at("logits").index({full.valid}));
  check_close("our CLAP in transformers: pooled", clap.encode(mel).pooled, theirs.at("pooled"));
  const auto encoded = common::read_json(root / "ids.json", k_json_limit_bytes);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CAPTURE(texts[i]);
    CHECK(tokenizer.encode(texts[i]) == encoded[i]["ids"].get<TokenIds>());
    CHECK(tokenizer.decode(tokenizer.encode(texts[i])) == encoded[i]["decoded"].get<std::string>());
  }
}
