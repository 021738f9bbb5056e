// The file of a model's folder that says how its inputs are prepared.
#pragma once

#include <string>

#include "common/json.hpp"
#include "trainer/formats/model_folder.hpp"

namespace trainer {

struct Preprocessor {
  common::Json config;
  std::string where;  // the file, and the member of it, for messages
};

// preprocessor_config.json; where there is none, `member` of processor_config.json, where transformers 5
// keeps it ("image_processor", "feature_extractor"). Neither is an io error.
[[nodiscard]] Preprocessor read_preprocessor(const ModelFolder& folder, const std::string& member);

}  // namespace trainer
