#include "trainer/data/encoders.hpp"

#include <algorithm>
#include <map>

#include "common/audio.hpp"

namespace trainer {

AudioEncoder AudioEncoder::load(const std::filesystem::path& folder, const Placement& placement) {
  return {Clap::load(folder, placement), load_log_mel_config(folder), placement};
}

torch::Tensor AudioEncoder::spectrogram(const packer::VerifiedPack& pack,
                                        const common::PackPath& clip) const {
  const common::Waveform sound = common::decode_audio(pack.read(clip), clip.text());
  return log_mel_.compute(common::to_mono(sound, log_mel_.config().rate_hz));
}

torch::Tensor AudioEncoder::encode(const torch::Tensor& spectrogram) const {
  const torch::NoGradGuard frozen;
  return clap_.encode(spectrogram.unsqueeze(0).to(placement_.device))
      .normalised.squeeze(0)
      .to(torch::kCPU, torch::kFloat32);
}

std::vector<torch::Tensor> AudioEncoder::encode(const packer::VerifiedPack& pack,
                                                const std::vector<common::PackPath>& clips,
                                                const FeatureCache& cache, const Compute& compute,
                                                common::Progress& progress) const {
  constexpr std::size_t k_clips_ahead = 64;  // 16 MB of spectrograms
  std::vector<torch::Tensor> vectors(clips.size());
  for (std::size_t begin = 0; begin < clips.size(); begin += k_clips_ahead) {
    std::vector<torch::Tensor> spectrograms(std::min(k_clips_ahead, clips.size() - begin));
    compute.prepare(spectrograms.size(), [&](std::size_t i) {
      if (auto kept = cache.find(pack.digest(clips[begin + i])))
        vectors[begin + i] = std::move(*kept);
      else
        spectrograms[i] = spectrogram(pack, clips[begin + i]);
    });
    compute.for_each(spectrograms.size(), [&](std::size_t i) {
      torch::Tensor& vector = vectors[begin + i];
      if (!vector.defined()) {
        vector = encode(spectrograms[i]);
        cache.keep(pack.digest(clips[begin + i]), vector);
      }
      progress.add(1);
    });
  }
  return vectors;
}

torch::Tensor AudioEncoder::silence() const { return encode(log_mel_.compute({0.0F})); }

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
