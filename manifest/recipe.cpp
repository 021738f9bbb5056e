#include "manifest/recipe.hpp"

#include "common/error.hpp"

namespace manifest {

using common::Json;

Recipe parse_recipe(const Json& json, const std::string& where) {
  common::refuse_other_members(json, {"strategy", "population", "sources", "skipped"}, where);
  Recipe recipe;
  recipe.strategy = common::string_member(json, "strategy", where);
  const std::int64_t population = common::integer_member(json, "population", where);
  if (population < 0)
    throw common::Error(common::ErrorKind::format,
                        where + ": \"population\" must be 0 or more; correct the file");
  recipe.population = static_cast<std::uint64_t>(population);
  for (const Json& row : common::array_member(json, "sources", where)) {
    common::refuse_other_members(row, {"table", "sha256"}, where + ": source");
    const auto digest = common::parse_digest(common::string_member(row, "sha256", where + ": source"));
    if (!digest)
      throw common::Error(
          common::ErrorKind::format,
          where + ": source: \"sha256\" must be 64 hexadecimal digits in lower case; correct the file");
    recipe.sources.push_back({common::string_member(row, "table", where + ": source"), *digest});
  }
  if (!json.contains("skipped")) return recipe;
  for (const Json& row : common::array_member(json, "skipped", where)) {
    common::refuse_other_members(row, {"youtube_id", "reason"}, where + ": skipped clip");
    recipe.skipped.push_back({common::string_member(row, "youtube_id", where + ": skipped clip"),
                              common::string_member(row, "reason", where + ": skipped clip")});
  }
  return recipe;
}

Json to_json(const Recipe& recipe) {
  Json json{{"strategy", recipe.strategy}, {"population", recipe.population}, {"sources", Json::array()}};
  for (const Recipe::Source& source : recipe.sources)
    json["sources"].push_back({{"table", source.table}, {"sha256", source.digest.hex()}});
  if (recipe.skipped.empty()) return json;
  json["skipped"] = Json::array();
  for (const Recipe::Skipped& skipped : recipe.skipped)
    json["skipped"].push_back({{"youtube_id", skipped.youtube_id}, {"reason", skipped.reason}});
  return json;
}

}  // namespace manifest
