// Models in a form that is not read here: pickled weights, a SentencePiece file, an adapter that was not
// merged, quantised weights, the original LLaVA's layout. Each is refused with the one command that converts
// it.
#pragma once

#include "common/json.hpp"
#include "trainer/formats/model_folder.hpp"

namespace trainer {

inline constexpr const char* k_model_config_name = "config.json";

// The folder's config.json. An io error for a folder in another form; weights and tokenizer are not opened.
[[nodiscard]] common::Json read_model_config(const ModelFolder& folder);
// An io error where there is tokenizer.model and no tokenizer.json.
void require_tokenizer_json(const ModelFolder& folder);

}  // namespace trainer
