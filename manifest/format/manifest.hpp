// The manifests: which samples. Each is a value that is read from or written to the JSON the Python original
// uses (2-space indent, ASCII, no final newline), so that its loader opens ours and ours opens its.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/seed.hpp"
#include "manifest/format/recipe.hpp"

namespace manifest {

// Which keys a row of clips has: the Python original's, or those of our own that every other data set has.
enum class RowSchema : std::uint8_t { original, named };

// A clip of sound with its captions.
struct ClipEntry {
  std::string caption_id;  // of the row; as clip_id where rows have no ids
  std::string clip_id;
  std::optional<double> start_time_s;  // where the clip begins in the full video; null in some tables
  std::string caption;
  std::vector<std::string> captions;  // further ones; empty: `caption` is the only one
  std::string audio_relpath;          // "audio/train/<name>.wav"
  // Whose the sound is, where every clip has a licence of its own: where it was published, who made it, and
  // the licence's URL or name.
  std::string source{}, author{}, licence{};
  RowSchema schema = RowSchema::original;
};

// subset_manifest.json, audio_val_manifest.json and a pack's manifest.json.
struct SubsetManifest {
  std::string subset_name;
  std::string description;
  common::Seed seed = 0;
  std::string source_dataset;
  std::string audio_rel_root;  // "audio/train"
  std::vector<ClipEntry> entries;
  std::optional<Recipe> recipe = std::nullopt;
  // Empty: the Python original's, whose manifests do not name it. With a name rows have the keys of our own
  // schema, and `columns` are those of the table.
  std::string data_set{};
  std::vector<std::string> columns{};
};

// Where a row has its image_filename: third, as the original's program writes it, or last, as in the manifest
// that comes with it. What is read is written in the same way, as the original does.
enum class ImageNamePlace : std::uint8_t { third, last };

// One question of VQA v2 with its ten answers.
struct QuestionEntry {
  std::int64_t question_id = 0;
  std::int64_t image_id = 0;
  std::string image_filename;  // as its data set calls the picture
  std::string question;
  std::vector<std::string> answers;
  std::string majority_answer;
  ImageNamePlace image_name_place = ImageNamePlace::third;
};

// val_manifest.json, retention_manifest.json, unlike_manifest.json and base_manifest.json.
struct VqaManifest {
  std::string subset_name;
  std::string description;
  common::Seed seed = 0;
  std::string source_dataset;
  std::vector<QuestionEntry> entries;
  // base_manifest.json only: captions of clips that no other manifest holds, text without sound, from which a
  // base learns the words of captions.
  std::vector<ClipEntry> captions;
  std::optional<Recipe> recipe = std::nullopt;
};

// Where a pack keeps the picture of a row.
inline constexpr std::string_view k_image_folder = "images/";
[[nodiscard]] inline std::string image_path(std::string_view image_filename) {
  return std::string(k_image_folder).append(image_filename);
}

inline constexpr std::uint64_t k_manifest_limit_bytes = std::uint64_t{256} << 20;

}  // namespace manifest
