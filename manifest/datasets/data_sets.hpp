// The data sets that this project knows. To add one, describe it in a file beside this and list it here.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "manifest/datasets/data_set.hpp"

namespace manifest {

// The first is that of the Python original, which a manifest without a name of its data set means.
[[nodiscard]] std::span<const SoundSet* const> sound_sets();
[[nodiscard]] const SoundSet& original_sound_set();
// Null where there is none of this name.
[[nodiscard]] const SoundSet* find_sound_set(std::string_view name);
// Where its tables and sources are looked for: "data/audiocaps".
[[nodiscard]] std::filesystem::path usual_root(std::string_view data_set);
// Throws mismatch where this program does not know it.
[[nodiscard]] const SoundSet& sound_set_of(const SubsetManifest& subset);
// "audiocaps, clotho".
[[nodiscard]] std::string names_of_sound_sets();

// Questions come from one data set so far.
[[nodiscard]] const QuestionSet& question_set();

}  // namespace manifest
