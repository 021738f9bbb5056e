#include "trainer/train/encode_questions.hpp"

#include <algorithm>
#include <map>

#include "common/error.hpp"
#include "trainer/model/memory.hpp"

namespace trainer {
namespace {

struct ImageOfQuestions {
  std::vector<std::size_t> questions;  // about it, ascending
};

std::vector<ImageOfQuestions> by_image(const std::vector<QuestionSample>& questions) {
  std::map<common::PackPath, std::size_t> numbers;
  std::vector<ImageOfQuestions> images;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    const auto [place, fresh] = numbers.emplace(questions[i].image, images.size());
    if (fresh) images.emplace_back();
    images[place->second].questions.push_back(i);
  }
  return images;
}

// work(image, its head): heads are on the base's device.
template <typename Work>
void for_each_image(const QuestionScene& scene, const std::vector<QuestionSample>& questions,
                    const std::vector<Row>& rows, const std::vector<ImageOfQuestions>& images,
                    const Work& work) {
  constexpr std::size_t k_images_ahead = 32;  // 380 MB of features at 13B
  for (std::size_t begin = 0; begin < images.size(); begin += k_images_ahead) {
    const std::size_t count = std::min(k_images_ahead, images.size() - begin);
    std::vector<QuestionSample> first;  // one question an image
    for (std::size_t i = 0; i < count; ++i) first.push_back(questions[images[begin + i].questions.front()]);
    const std::vector<torch::Tensor> features =
        encode_images(scene.pack, scene.base, scene.pixels, first, scene.images, scene.compute);
    scene.compute.for_each(count, [&](std::size_t i) {
      const torch::NoGradGuard frozen;
      const ImageOfQuestions& image = images[begin + i];
      work(begin + i, embed_head(scene.base, rows[image.questions.front()], features[i]));
      scene.progress.add(image.questions.size());
    });
  }
}

bool has_prefix(const QuestionScene& scene) { return scene.config.fusion.positions == FusionPositions::text; }

// The layer from which training needs the prefix: the one above the first fused layer, if there is one.
std::int64_t layer_above(const QuestionScene& scene) {
  return std::min(scene.config.fusion.layers.front() + 1, scene.base.decoder().layers() - 1);
}

Kept what_to_keep(const QuestionScene& scene, std::size_t images, std::int64_t positions) {
  if (scene.kept) return *scene.kept;
  const std::uint64_t keys = images * scene.base.decoder().prefix_bytes(layer_above(scene), positions);
  return keys <= free_bytes(scene.base.placement().device) / 4 ? Kept::keys : Kept::states;
}

void encode_without_pictures(const QuestionScene& scene, const std::vector<Row>& rows,
                             std::vector<EncodedRow>& encoded) {
  scene.compute.for_each(rows.size(), [&](std::size_t i) {
    encoded[i] =
        encode_row(scene.base, rows[i], {}, nullptr, scene.config.fusion.layers.front(), Teacher::not_asked);
    encoded[i].hidden = scene.disk.keep(encoded[i].hidden);
    scene.progress.add(1);
  });
}

}  // namespace

EncodedQuestions encode_validation(const QuestionScene& scene, const std::vector<QuestionSample>& questions,
                                   const std::vector<Row>& rows) {
  EncodedQuestions encoded;
  encoded.heads.resize(rows.size());
  encoded.rows.resize(rows.size());
  if (!rows.empty() && rows.front().image < 0) {
    encode_without_pictures(scene, rows, encoded.rows);
    return encoded;
  }
  const std::vector<ImageOfQuestions> images = by_image(questions);
  for_each_image(scene, questions, rows, images, [&](std::size_t image, const torch::Tensor& head) {
    std::shared_ptr<const KvCache> prefix;
    if (has_prefix(scene))
      prefix = std::make_shared<KvCache>(scene.base.decoder().run_prefix(head.unsqueeze(0), 0));
    const torch::Tensor kept = scene.disk.keep(head);
    for (const std::size_t question : images[image].questions) {
      encoded.heads[question] = kept;
      encoded.rows[question] = encode_row(scene.base, rows[question], head, prefix,
                                          scene.config.fusion.layers.front(), Teacher::not_asked);
      encoded.rows[question].hidden = scene.disk.keep(encoded.rows[question].hidden);
    }
  });
  return encoded;
}

EncodedQuestions encode_retention(const QuestionScene& scene, const std::vector<QuestionSample>& questions,
                                  const std::vector<Row>& rows) {
  EncodedQuestions encoded;
  encoded.rows.resize(rows.size());
  const std::vector<ImageOfQuestions> images = by_image(questions);
  const std::int64_t above = layer_above(scene);
  if (has_prefix(scene) && !images.empty())
    encoded.prefixes = PrefixStore(static_cast<std::int64_t>(images.size()), above,
                                   what_to_keep(scene, images.size(), rows.front().fused_begin), scene.disk);
  for_each_image(scene, questions, rows, images, [&](std::size_t image, const torch::Tensor& head) {
    std::shared_ptr<const KvCache> prefix;
    if (has_prefix(scene)) {
      torch::Tensor states = head.unsqueeze(0);  // that enter layer `above`
      const auto note = [&](std::int64_t layer, const torch::Tensor& hidden) {
        if (layer + 1 == above) states = hidden;
        return hidden;
      };
      prefix = std::make_shared<KvCache>(scene.base.decoder().run_prefix(head.unsqueeze(0), 0, note));
      encoded.prefixes.put(static_cast<std::int64_t>(image), states, *prefix);
    }
    for (const std::size_t question : images[image].questions) {
      EncodedRow& row = encoded.rows[question];
      row = encode_row(scene.base, rows[question], head, prefix, scene.config.fusion.layers.front(),
                       Teacher::asked);
      row.hidden = scene.disk.keep(row.hidden);
      if (has_prefix(scene)) row.prefix = static_cast<std::int64_t>(image);
    }
  });
  return encoded;
}

}  // namespace trainer
