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

torch::Tensor AudioEncoder::encode(const packer::VerifiedPack& pack, const common::PackPath& path,
                                   const FeatureCache& cache) const {
  return cache.get(pack.digest(path), [&] {
    const common::Waveform sound = common::decode_audio(pack.read(path), path.text());
    return encode(common::to_mono(sound, log_mel_.config().rate_hz));
  });
}

torch::Tensor AudioEncoder::silence() const {
  return encode(std::vector<float>(static_cast<std::size_t>(log_mel_.config().clip_samples), 0.0F));
}

torch::Tensor read_pixels(const packer::VerifiedPack& pack, const common::PackPath& path,
                          const PixelsConfig& config) {
  return pixels_of(common::decode_picture(pack.read(path), path.text()), config);
}

std::vector<torch::Tensor> encode_images(const packer::VerifiedPack& pack, const Llava& base,
                                         const PixelsConfig& config,
                                         const std::vector<QuestionSample>& questions,
                                         const FeatureCache& cache, const Compute& compute) {
  std::map<common::PackPath, std::size_t> first_question;
  std::vector<std::size_t> shown;  // the first question of each image
  for (std::size_t i = 0; i < questions.size(); ++i)
    if (first_question.emplace(questions[i].image, i).second) shown.push_back(i);
  std::vector<torch::Tensor> features(questions.size());
  compute.for_each(shown.size(), [&](std::size_t index) {
    const torch::NoGradGuard frozen;
    const QuestionSample& question = questions[shown[index]];
    const Placement& placement = base.placement();
    const torch::Tensor kept = cache.get(pack.digest(question.image), [&] {
      const torch::Tensor pixels = read_pixels(pack, question.image, config).unsqueeze(0);
      return base.encode_images(pixels.to(placement.device, placement.dtype)).squeeze(0);
    });
    features[shown[index]] = kept.to(placement.device);
  });
  for (std::size_t i = 0; i < questions.size(); ++i)
    features[i] = features[first_question.at(questions[i].image)];
  return features;
}

}  // namespace trainer
