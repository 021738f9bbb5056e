// What a model makes of one text, picture or clip, stage by stage, to be compared with another program's
// numbers before a night is spent on a run.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/json.hpp"
#include "trainer/formats/prompt_form.hpp"
#include "trainer/model/compute.hpp"

namespace trainer {

struct InspectRequest {
  std::filesystem::path model;
  std::vector<std::string> texts;  // cut into tokens; the first is the question that a picture is asked
  std::optional<std::filesystem::path> image, clip;
  std::optional<std::string> answer;  // whose likelihood is measured
  PromptForm prompt = PromptForm::original;
  std::int64_t token_limit = 12;
  DeviceChoice device = DeviceChoice::automatic;
  DtypeChoice dtype = DtypeChoice::automatic;  // of a base
};

// Weights are read only where there is a picture or a clip; without one config.json, tokenizer.json and the
// headers of the weights are. Keys: trainer/README.md, "inspect". A picture for an audio encoder, or a clip
// or text for none, is a usage error.
[[nodiscard]] common::Json inspect_model(const InspectRequest& request);

}  // namespace trainer
