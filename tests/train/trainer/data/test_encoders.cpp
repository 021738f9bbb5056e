#include "packer/build/build.hpp"
#include "packer/check/open.hpp"
#include "tests/support/scratch.hpp"
#include "tests/support/small_experiment.hpp"
#include "tests/support/small_pack.hpp"
#include "trainer/base/tiny_models.hpp"
#include "trainer/model/clap_encoder.hpp"

#include <doctest/doctest.h>

using namespace trainer;

namespace {

struct Features {
  std::vector<torch::Tensor> clips, images;
};

struct Encoded {
  support::Scratch scratch;
  packer::VerifiedPack pack;
  PackSamples samples;
  ClapEncoder audio{Clap::random(tiny_clap_config(), 1), tiny_log_mel_config(), {}};
  Tokenizer tokenizer = support::small_tokenizer();
  Llava base = support::small_llava(tokenizer);

  Encoded() : pack(open()), samples(read_samples(pack)) {}
  packer::VerifiedPack open() {
    (void)packer::build_pack(support::small_sources(scratch.path()));
    return packer::open_pack(scratch / "data_pack", {std::nullopt, 2, common::Verbosity::quiet});
  }
  // width: of the language model that Compute is told of; above k_wide one network runs at a time, on all
  // threads.
  [[nodiscard]] Features features(std::int64_t width, const FeatureCache& cache) const {
    const Compute compute(2, width, {});
    common::Progress progress("encoding", "items", samples.clips.size(), common::Verbosity::quiet);
    std::vector<common::PackPath> paths;
    for (const ClipSample& clip : samples.clips) paths.push_back(clip.path);
    PixelsConfig pixels;
    pixels.resize_side = pixels.crop_side = 12;
    return {encode_clips(pack, audio, paths, cache, compute, progress),
            encode_images(pack, base, pixels, samples.validation, cache, compute)};
  }
};

}  // namespace

TEST_CASE(
    "clips and pictures have the same features however wide the model behind is, and the very bits that were "
    "kept") {
  const Encoded encoded;
  const Features narrow = encoded.features(24, {});
  const Features wide = encoded.features(Compute::k_wide + 1, {});
  REQUIRE(narrow.clips.size() == 2);
  REQUIRE(narrow.images.size() == 3);  // one a question
  const FeatureCache cache(encoded.scratch / "features", common::digest_of("models"), CacheKey({7}));
  const Features filling = encoded.features(24, cache);
  const Features kept = encoded.features(Compute::k_wide + 1, cache);
  const auto compare = [](const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b,
                          double rounding) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK((a[i] - b[i]).abs().max().item<double>() <= rounding);
  };
  compare(narrow.clips, wide.clips, 1e-5);
  compare(narrow.images, wide.images, 1e-4);
  compare(narrow.clips, filling.clips, 0);
  compare(narrow.images, filling.images, 0);
  compare(narrow.clips, kept.clips, 0);
  compare(narrow.images, kept.images, 0);
  CHECK(narrow.images[0].equal(narrow.images[1]));  // two questions of one picture
  CHECK_FALSE(narrow.images[0].equal(narrow.images[2]));
  CHECK_FALSE(narrow.clips[0].equal(narrow.clips[1]));
}
