// A base on the disk: vl/ and audio/ in Hugging Face's layout, base.json, which says what it was made of, and
// SHA256SUMS over all of it. Only this writes one: into a draft that takes its place whole.
#pragma once

#include <filesystem>
#include <optional>

#include "common/json.hpp"
#include "common/sealed/draft.hpp"
#include "trainer/formats/model_folder.hpp"

namespace trainer {

inline constexpr const char* k_base_record_name = "base.json";

// Whether a base may take the place of what is there: a base may, damaged or not, but a folder with anything
// that no base holds is somebody's work.
[[nodiscard]] common::Replaceable base_replaceable();

// base.json of a base that is there and has no finding; nothing otherwise.
[[nodiscard]] std::optional<common::Json> read_base_record(const std::filesystem::path& base,
                                                           unsigned threads);

// Puts the files of vl/ and audio/ into the draft.
void put_model(common::Draft& draft, const std::string& folder, const ModelFiles& files);
// Adds base.json and SHA256SUMS, and publishes.
void publish_base(common::Draft& draft, const common::Json& record);

}  // namespace trainer
