// How the rows of a manifest were chosen: with the manifest's seed, all that it takes to choose them again.
// It stands in every manifest that the Python original does not make, and beside those that it makes, which
// have its bytes. Tables are named by what they are and what they hold, never by where they lay.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/json.hpp"
#include "common/json_object.hpp"

namespace manifest {

// What a table says of its own licence, or what the user says of it: a name, a URL, or both.
struct Licence {
  std::string name, url;
  bool operator==(const Licence&) const = default;
};

struct Recipe {
  // A file that the choice follows from: "questions", "annotations", "metadata", "captions",
  // "excluded" or "unlike".
  struct Source {
    std::string table;
    common::Digest digest;
    std::optional<Licence> licence{};  // nothing: nobody stated one
    bool operator==(const Source&) const = default;
  };
  // A clip that was drawn and passed over, because its file was not there.
  struct Skipped {
    std::string clip_id;
    std::string reason;
    bool operator==(const Skipped&) const = default;
  };
  std::string strategy;          // "original" or "stratified"
  std::uint64_t population = 0;  // of how many it was chosen
  std::vector<Source> sources;
  std::vector<Skipped> skipped;  // in the order of the draw
  bool operator==(const Recipe&) const = default;
};

// Tables that one choice can follow from, and clips that can have been passed over.
inline constexpr common::JsonListLimit k_source_limit{1'000};
inline constexpr common::JsonListLimit k_skipped_limit{2'000'000};

// The object that comes next: the member "recipe" of a manifest, say. `where` begins every error message.
[[nodiscard]] Recipe read_recipe(common::JsonStream& stream, const std::string& where);
[[nodiscard]] common::Json to_json(const Recipe& recipe);
[[nodiscard]] Licence read_licence(common::JsonStream& stream, const std::string& where);
[[nodiscard]] common::Json to_json(const Licence& licence);

// A manifest with the original's bytes has no place for its recipe, so that stands in a file beside it:
// "val_manifest.recipe.json" for "val_manifest.json". It names the manifest by its digest.
[[nodiscard]] std::filesystem::path recipe_path(const std::filesystem::path& manifest);
[[nodiscard]] std::string write_recipe_file(const Recipe& recipe, const common::Digest& manifest);
// Nothing where there is no such file; a mismatch error where it speaks of another manifest.
[[nodiscard]] std::optional<Recipe> read_recipe_file(const std::filesystem::path& manifest,
                                                     const common::Digest& digest);

}  // namespace manifest
