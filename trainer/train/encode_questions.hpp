// Questions with their images, encoded image by image: what stands before the first position that may hear is
// run once an image, and every question about it goes on from there. Memory holds a few images at a time.
#pragma once

#include <optional>
#include <vector>

#include "common/progress.hpp"
#include "trainer/data/encoders.hpp"
#include "trainer/model/batch.hpp"
#include "trainer/model/prefix_store.hpp"
#include "trainer/train/config.hpp"

namespace trainer {

struct QuestionScene {
  const packer::VerifiedPack& pack;
  const VisionLanguageBase& base;
  const PixelsConfig& pixels;
  const RunConfig& config;
  const FeatureCache& images;
  const Compute& compute;
  const DiskTensors& disk;
  common::Progress& progress;
  std::optional<Kept> kept{};  // of the prefixes of retention questions; else by the memory that there is
};

struct EncodedQuestions {
  std::vector<torch::Tensor> heads;  // of each question's image, shared; empty for retention questions
  std::vector<EncodedRow> rows;
  PrefixStore prefixes;  // of retention questions
};

// For evaluation, which needs the image in every layer: heads and rows. Rows without pictures, all of them or
// none, have no heads.
[[nodiscard]] EncodedQuestions encode_validation(const QuestionScene& scene,
                                                 const std::vector<QuestionSample>& questions,
                                                 const std::vector<Row>& rows);
// For training, which needs it above the first fused layer: rows with the base's answers, and prefixes.
[[nodiscard]] EncodedQuestions encode_retention(const QuestionScene& scene,
                                                const std::vector<QuestionSample>& questions,
                                                const std::vector<Row>& rows);

}  // namespace trainer
