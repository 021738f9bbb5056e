#include "common/error.hpp"
#include "common/file.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/tensors.hpp"
#include "trainer/model/clap.hpp"
#include "trainer/model/tensor.hpp"

#include <doctest/doctest.h>

using support::difference;
using trainer::Clap;
using trainer::ClapConfig;

namespace {

ClapConfig tiny_clap() {
  ClapConfig c;
  c.window = 4;
  c.mel_bins = 16;
  c.spec_side = 64;
  c.patch_side = c.patch_stride = 4;
  c.embed = 8;
  c.depths = {2, 2};
  c.heads = {2, 4};
  c.projection = 12;
  return c;
}

}  // namespace

TEST_CASE("windows joined are the image that was split, and a window holds neighbours") {
  const auto image = torch::rand({2, 8, 8, 3});
  const auto windows = trainer::split_windows(image, 4);
  CHECK(windows.sizes() == std::vector<std::int64_t>{8, 16, 3});
  CHECK(trainer::join_windows(windows, 4, 8).equal(image));
  CHECK(windows[1].equal(image[0].slice(0, 0, 4).slice(1, 4, 8).reshape({16, 3})));
}

TEST_CASE("a clip has pooled, normalised and frame states, whatever its length up to the limit") {
  const torch::NoGradGuard no_grad;
  const auto clap = Clap::random(tiny_clap(), 1);
  for (const std::int64_t frames : {17, 250, 256}) {
    const auto out = clap.encode(torch::randn({2, 1, frames, 16}));
    CHECK(out.pooled.sizes() == std::vector<std::int64_t>{2, 12});
    CHECK(out.frames.sizes() == std::vector<std::int64_t>{2, 64, 16});
    CHECK(difference(out.normalised.norm(2, -1), torch::ones({2})) < 1e-6);
  }
}

TEST_CASE("a clip's states do not depend on the other clips but by rounding") {
  const torch::NoGradGuard no_grad;
  const auto clap = Clap::random(tiny_clap(), 1);
  const auto mels = torch::randn({3, 1, 250, 16});
  const auto together = clap.encode(mels), alone = clap.encode(mels.slice(0, 1, 2));
  CHECK(difference(together.pooled[1], alone.pooled[0]) < 2e-5);
  CHECK(difference(together.frames[1], alone.frames[0]) < 2e-5);
  CHECK(difference(together.pooled[0], together.pooled[1]) > 1e-3);
}

TEST_CASE(
    "with one block, a patch reaches its own window and no other; a second, shifted one carries it over") {
  const torch::NoGradGuard no_grad;
  const auto reached = [](std::int64_t depth) {
    auto config = tiny_clap();
    config.depths = {depth};
    config.heads = {2};
    const auto clap = Clap::random(config, 1);
    // Constant but for one frame. 256 frames need no stretching: bin 0, frame 0 is the patch at row 0, column
    // 0.
    auto mel = torch::zeros({1, 1, 256, 16});
    const auto before = clap.encode(mel).frames;
    mel[0][0][0][0] = 3;
    return (clap.encode(mel).frames - before).abs().amax(-1).view({16, 16}) > 1e-7;
  };
  const auto one = reached(1), two = reached(2);
  CHECK(one.slice(0, 0, 4).slice(1, 0, 4).all().item<bool>());
  CHECK(one.sum().item<std::int64_t>() == 16);
  // The shifted windows that touch the first window, without wrapping around: rows and columns 0..5.
  CHECK(two.slice(0, 0, 6).slice(1, 0, 6).all().item<bool>());
  CHECK(two.sum().item<std::int64_t>() == 36);
}

TEST_CASE("a saved folder loads to the same states, bit for bit, and a tensor too many is refused") {
  const torch::NoGradGuard no_grad;
  const support::Scratch folder;
  auto clap = Clap::random(tiny_clap(), 2);
  clap.parameters().at("audio_model.audio_encoder.batch_norm.running_mean").fill_(-20);
  support::save_files(clap.files(), folder.path());
  const auto mel = torch::randn({1, 1, 250, 16});
  const auto loaded = Clap::load(folder.path());
  CHECK(loaded.encode(mel).pooled.equal(clap.encode(mel).pooled));
  auto file = trainer::read_safetensors(folder / "model.safetensors");
  file.tensors["text_model.embeddings.weight"] = torch::ones({1});
  file.tensors["surprise"] = torch::ones({1});
  trainer::write_safetensors(folder / "model.safetensors", file);
  CHECK(Clap::load(folder.path()).encode(mel).pooled.equal(clap.encode(mel).pooled));
  file.tensors["audio_model.audio_encoder.layers.9.surprise"] = torch::ones({1});
  trainer::write_safetensors(folder / "model.safetensors", file);
  CHECK_THROWS_WITH_AS((void)Clap::load(folder.path()),
                       doctest::Contains("audio_model.audio_encoder.layers.9.surprise"), common::Error);
}

TEST_CASE("a stored relative_position_index must be the one that the layout defines, and may be absent") {
  const support::Scratch folder;
  auto clap = Clap::random(tiny_clap(), 2);
  support::save_files(clap.files(), folder.path());
  const std::string name =
      "audio_model.audio_encoder.layers.0.blocks.0.attention.self.relative_position_index";
  auto file = trainer::read_safetensors(folder / "model.safetensors");
  REQUIRE(file.tensors.contains(name));
  file.tensors[name] = file.tensors[name].flip(0);
  trainer::write_safetensors(folder / "model.safetensors", file);
  CHECK_THROWS_AS((void)Clap::load(folder.path()), common::Error);
  file.tensors.erase(name);
  trainer::write_safetensors(folder / "model.safetensors", file);
  CHECK_NOTHROW((void)Clap::load(folder.path()));
}

TEST_CASE(
    "with fusion, where pieces add nothing a clip is what it is without, and else its pieces are heard") {
  const torch::NoGradGuard no_grad;
  auto fused = tiny_clap();
  fused.fusion = true;
  auto with = Clap::random(fused, 3), without = Clap::random(tiny_clap(), 3);
  const auto mel = torch::randn({2, 4, 250, 16});
  auto other_pieces = mel.clone();
  other_pieces.slice(1, 1).add_(1);
  CHECK(difference(with.encode(mel).pooled, with.encode(other_pieces).pooled) > 1e-4);
  // Attention of 0 weighs both halves alike, twice a half; and patches of the pieces are 0.
  for (auto& [name, tensor] : with.parameters())
    if (name.find("mel_conv2d") != std::string::npos || name.ends_with("_att.4.weight") ||
        name.ends_with("_att.5.weight"))
      tensor.zero_();
  CHECK(difference(with.encode(mel).pooled, without.encode(mel.slice(1, 0, 1)).pooled) < 1e-6);
}

TEST_CASE("a fused folder loads to the same states, bit for bit") {
  const torch::NoGradGuard no_grad;
  const support::Scratch folder;
  auto config = tiny_clap();
  config.fusion = true;
  config.fusion_reduction = 2;
  auto clap = Clap::random(config, 2);
  support::save_files(clap.files(), folder.path());
  const auto mel = torch::randn({1, 4, 256, 16});
  const auto loaded = Clap::load(folder.path());
  CHECK(loaded.encode(mel).pooled.equal(clap.encode(mel).pooled));
}

TEST_CASE(
    "what is not computed and sizes that do not tile are refused, and defaults are the published model's") {
  const auto parsed = [](const std::string& audio) {
    return trainer::parse_clap_config(
        common::parse_json("{\"model_type\":\"clap\",\"audio_config\":{" + audio + "}}", "x"), "x");
  };
  const auto config = parsed("");
  CHECK(config.frame_width() == 768);
  CHECK(config.frame_limit() == 1024);
  CHECK(config.depths == std::vector<std::int64_t>{2, 2, 6, 2});
  CHECK(trainer::format_clap_config(trainer::parse_clap_config(trainer::format_clap_config(config), "x")) ==
        trainer::format_clap_config(config));
  CHECK(parsed("\"enable_fusion\":true").fusion);
  try {
    (void)parsed("\"enable_fusion\":true,\"fusion_type\":\"channel_map\"");
    FAIL_CHECK("another fusion was accepted");
  } catch (const common::Error& error) {
    CHECK(std::string(error.what()).find("channel_map") != std::string::npos);
  }
  for (const auto* bad : {"\"num_mel_bins\":60", "\"patch_size\":[4,8]", "\"depths\":[2,2]",
                          "\"hidden_size\":100", "\"window_size\":7", "\"num_attention_heads\":[5,8,16,32]"})
    CHECK_THROWS_AS((void)parsed(bad), common::Error);
}
