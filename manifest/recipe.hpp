// How the rows of a manifest were chosen: with the manifest's seed, all that it takes to choose them again.
// It stands in every manifest that the Python original does not make; what it makes has its bytes. Tables are
// named by what they are and what they hold, never by where they lay.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "common/json.hpp"

namespace manifest {

struct Recipe {
  // A file that the choice follows from: "questions", "annotations", "metadata", "captions" or "excluded".
  struct Source {
    std::string table;
    common::Digest digest;
    bool operator==(const Source&) const = default;
  };
  // A clip that was drawn and passed over, because its file was not there.
  struct Skipped {
    std::string youtube_id;
    std::string reason;
    bool operator==(const Skipped&) const = default;
  };
  std::string strategy;          // "original" or "stratified"
  std::uint64_t population = 0;  // of how many it was chosen
  std::vector<Source> sources;
  std::vector<Skipped> skipped;  // in the order of the draw
  bool operator==(const Recipe&) const = default;
};

// The member "recipe" of a manifest; `where` begins every error message.
[[nodiscard]] Recipe parse_recipe(const common::Json& json, const std::string& where);
[[nodiscard]] common::Json to_json(const Recipe& recipe);

}  // namespace manifest
