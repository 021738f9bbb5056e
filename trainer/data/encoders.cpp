#include "trainer/data/encoders.hpp"

#include <map>

#include "common/audio.hpp"

namespace trainer {

AudioEncoder AudioEncoder::load(const std::filesystem::path& folder, const Placement& placement) {
  return {Clap::load(folder, placement), load_log_mel_config(folder), placement};
}

torch::Tensor AudioEncoder::encode(const std::vector<float>& mono) const {
  const torch::NoGradGuard frozen;
  const torch::Tensor mel = log_mel_.compute(mono).unsqueeze(0);
  return clap_.encode(mel.to(placement_.device)).normalised.squeeze(0).to(torch::kCPU, torch::kFloat32);
}

torch::Tensor AudioEncoder::encode(const packer::VerifiedPack& pack, const common::PackPath& path) const {
  const common::Waveform sound = common::decode_audio(pack.read(path), path.text());
  return encode(common::to_mono(sound, log_mel_.config().rate_hz));
}

torch::Tensor AudioEncoder::silence() const {
  return encode(std::vector<float>(static_cast<std::size_t>(log_mel_.config().clip_samples), 0.0F));
}

torch::Tensor AudioEncoder::encode_all(const packer::VerifiedPack& pack, const std::vector<ClipSample>& clips) const {
  std::vector<torch::Tensor> vectors;
  vectors.reserve(clips.size());
  for (const ClipSample& clip : clips) vectors.push_back(encode(pack, clip.path));
  return vectors.empty() ? torch::zeros({0, width()}) : torch::stack(vectors);
}

torch::Tensor read_pixels(const packer::VerifiedPack& pack, const common::PackPath& path,
                          const PixelsConfig& config) {
  return pixels_of(common::decode_picture(pack.read(path), path.text()), config);
}

std::vector<torch::Tensor> encode_images(const packer::VerifiedPack& pack, const Llava& base,
                                         const PixelsConfig& config, const std::vector<QuestionSample>& questions) {
  const torch::NoGradGuard frozen;
  std::map<common::PackPath, torch::Tensor> by_path;
  std::vector<torch::Tensor> features;
  features.reserve(questions.size());
  for (const QuestionSample& question : questions) {
    const auto [found, fresh] = by_path.try_emplace(question.image);
    if (fresh) {
      const torch::Tensor pixels = read_pixels(pack, question.image, config).unsqueeze(0);
      found->second =
          base.encode_images(pixels.to(base.placement().device, base.placement().dtype)).squeeze(0);
    }
    features.push_back(found->second);
  }
  return features;
}

}  // namespace trainer
