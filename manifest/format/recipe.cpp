#include "manifest/format/recipe.hpp"

#include "common/error.hpp"

namespace manifest {

using common::Json;

namespace {

constexpr std::uint64_t k_recipe_limit_bytes = std::uint64_t{16} << 20;

common::Digest digest_member(const Json& json, const char* key, const std::string& where) {
  if (const auto digest = common::parse_digest(common::string_member(json, key, where))) return *digest;
  throw common::Error(
      common::ErrorKind::format,
      where + ": \"" + key + "\" must be 64 hexadecimal digits in lower case; correct the file");
}

}  // namespace

Licence parse_licence(const Json& json, const std::string& where) {
  common::refuse_other_members(json, {"name", "url"}, where);
  Licence licence;
  if (json.contains("name")) licence.name = common::string_member(json, "name", where);
  if (json.contains("url")) licence.url = common::string_member(json, "url", where);
  if (licence == Licence{})
    throw common::Error(common::ErrorKind::format, where + " has neither a name nor a URL; correct the file");
  return licence;
}

Json to_json(const Licence& licence) {
  Json json = Json::object();
  if (!licence.name.empty()) json["name"] = licence.name;
  if (!licence.url.empty()) json["url"] = licence.url;
  return json;
}

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
    common::refuse_other_members(row, {"table", "sha256", "licence"}, where + ": source");
    Recipe::Source source{common::string_member(row, "table", where + ": source"),
                          digest_member(row, "sha256", where + ": source")};
    if (row.contains("licence")) source.licence = parse_licence(row["licence"], where + ": licence");
    recipe.sources.push_back(std::move(source));
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
  for (const Recipe::Source& source : recipe.sources) {
    Json row{{"table", source.table}, {"sha256", source.digest.hex()}};
    if (source.licence) row["licence"] = to_json(*source.licence);
    json["sources"].push_back(std::move(row));
  }
  if (recipe.skipped.empty()) return json;
  json["skipped"] = Json::array();
  for (const Recipe::Skipped& skipped : recipe.skipped)
    json["skipped"].push_back({{"youtube_id", skipped.clip_id}, {"reason", skipped.reason}});
  return json;
}

std::filesystem::path recipe_path(const std::filesystem::path& manifest) {
  return std::filesystem::path(manifest).replace_extension(".recipe.json");
}

std::string write_recipe_file(const Recipe& recipe, const common::Digest& manifest) {
  return common::dump_pretty({{"manifest_sha256", manifest.hex()}, {"recipe", to_json(recipe)}}) + "\n";
}

std::optional<Recipe> read_recipe_file(const std::filesystem::path& manifest, const common::Digest& digest) {
  const std::filesystem::path path = recipe_path(manifest);
  if (!std::filesystem::exists(path)) return std::nullopt;
  const std::string name = path.string();
  const Json json = common::read_json(path, k_recipe_limit_bytes);
  common::refuse_other_members(json, {"manifest_sha256", "recipe"}, name);
  if (digest_member(json, "manifest_sha256", name) != digest)
    throw common::Error(common::ErrorKind::mismatch,
                        name + " tells how a manifest was chosen that is no longer the one beside it, " +
                            manifest.string() + "; make the manifest again, or remove " + name);
  return parse_recipe(common::member(json, "recipe", name), name + ": recipe");
}

}  // namespace manifest
