#include "trainer/data/encoders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>

#include "common/error.hpp"
#include "common/media/audio.hpp"
#include "trainer/samples/picture.hpp"

namespace trainer {
namespace {

// The features of each file, from the cache where it has them. Files are read, decoded and prepared side by
// side; the network runs as its width has it.
std::vector<torch::Tensor> encode_files(
    const std::vector<common::Digest>& files, const FeatureCache& cache, const Compute& compute,
    const std::function<torch::Tensor(std::size_t file)>& prepare,
    const std::function<torch::Tensor(const torch::Tensor& prepared)>& encode,
    const std::function<void()>& done) {
  constexpr std::size_t k_files_ahead = 64;  // 16 MB of spectrograms, 87 MB of pixels of 336 x 336
  std::vector<torch::Tensor> features(files.size());
  for (std::size_t begin = 0; begin < files.size(); begin += k_files_ahead) {
    std::vector<torch::Tensor> prepared(std::min(k_files_ahead, files.size() - begin));
    compute.prepare(prepared.size(), [&](std::size_t i) {
      if (auto kept = cache.find(files[begin + i]))
        features[begin + i] = std::move(*kept);
      else
        prepared[i] = prepare(begin + i);
    });
    compute.for_each(prepared.size(), [&](std::size_t i) {
      torch::Tensor& one = features[begin + i];
      if (!one.defined()) {
        one = encode(prepared[i]);
        cache.keep(files[begin + i], one);
      }
      done();
    });
  }
  return features;
}

torch::Tensor prepare_clip(const packer::VerifiedPack& pack, const common::PackPath& clip,
                           const AudioEncoder& audio) {
  const common::Waveform sound = common::decode_audio(pack.read(clip), clip.text());
  const std::vector<float> samples = common::to_mono(sound, audio.rate_hz());
  if (samples.empty())
    throw common::Error(
        common::ErrorKind::mismatch,
        fmt::format("{} is too short: it has no sample at {} Hz; leave the clip out of the manifest",
                    clip.text(), audio.rate_hz()));
  return audio.prepare(samples);
}

// [N, D] -> [D], the very bits where N is 1.
torch::Tensor pooled(const torch::Tensor& vectors) {
  return vectors.size(0) == 1 ? vectors.squeeze(0) : vectors.mean(0);
}

}  // namespace

std::vector<torch::Tensor> encode_clips(const packer::VerifiedPack& pack, const AudioEncoder& audio,
                                        const std::vector<common::PackPath>& clips, const FeatureCache& cache,
                                        const Compute& compute, common::Progress& progress) {
  std::vector<common::Digest> files;
  for (const common::PackPath& clip : clips) files.push_back(pack.digest(clip));
  return encode_files(
      files, cache, compute, [&](std::size_t i) { return prepare_clip(pack, clips[i], audio); },
      [&](const torch::Tensor& prepared) { return pooled(audio.encode(prepared)); },
      [&] { progress.add(1); });
}

torch::Tensor encode_silence(const AudioEncoder& audio) {
  return pooled(audio.encode(audio.prepare({0.0F})));
}

torch::Tensor read_pixels(const packer::VerifiedPack& pack, const common::PackPath& path,
                          const PixelsConfig& config) {
  // The longer side grows with the shorter one before the middle is cut out.
  constexpr int k_ratio_limit = 200;
  const common::Picture picture = read_picture(pack, path);
  if (picture.width / k_ratio_limit > picture.height || picture.height / k_ratio_limit > picture.width)
    throw common::Error(
        common::ErrorKind::mismatch,
        fmt::format("{} has {} x {} pixels, and one side may be at most {} times the other; leave the "
                    "picture out of the manifest",
                    path.text(), picture.width, picture.height, k_ratio_limit));
  return pixels_of(picture, config);
}

std::vector<torch::Tensor> encode_images(const packer::VerifiedPack& pack, const VisionLanguageBase& base,
                                         const PixelsConfig& config,
                                         const std::vector<QuestionSample>& questions,
                                         const FeatureCache& cache, const Compute& compute) {
  std::map<common::PackPath, std::size_t> numbers;  // of each image, in the order of their first questions
  std::vector<common::PackPath> images;
  std::vector<common::Digest> files;
  for (const QuestionSample& question : questions)
    if (numbers.emplace(question.image, images.size()).second) {
      images.push_back(question.image);
      files.push_back(pack.digest(question.image));
    }
  const Placement& placement = base.placement();
  const auto encode = [&](const torch::Tensor& pixels) {
    const torch::NoGradGuard frozen;
    return base.encode_images(pixels.unsqueeze(0).to(placement.device, placement.dtype))
        .squeeze(0)
        .to(torch::kCPU);
  };
  const std::vector<torch::Tensor> encoded = encode_files(
      files, cache, compute, [&](std::size_t i) { return read_pixels(pack, images[i], config); }, encode,
      [] {});
  std::vector<torch::Tensor> features;
  for (const QuestionSample& question : questions) features.push_back(encoded[numbers.at(question.image)]);
  return features;
}

}  // namespace trainer
