#include "manifest/format/recipe.hpp"

#include "common/error.hpp"
#include "common/file.hpp"

namespace manifest {

using common::Json;

namespace {

constexpr std::uint64_t k_recipe_limit_bytes = std::uint64_t{16} << 20;

constexpr common::JsonMember k_recipe_members[] = {
    {"strategy"}, {"population"}, {"sources"}, common::optional_member("skipped")};
constexpr common::JsonMember k_source_members[] = {{"table"}, {"sha256"}, common::optional_member("licence")};
constexpr common::JsonMember k_skipped_members[] = {{"youtube_id"}, {"reason"}};
constexpr common::JsonMember k_licence_members[] = {common::optional_member("name"),
                                                    common::optional_member("url")};
constexpr common::JsonMember k_file_members[] = {{"manifest_sha256"}, {"recipe"}};

Recipe::Source read_source(common::JsonStream& stream, const std::string& where) {
  Recipe::Source source;
  common::JsonObject row(stream, where + ": source", k_source_members);
  while (row.next())
    if (row.is("table"))
      source.table = row.string();
    else if (row.is("sha256"))
      source.digest = row.digest();
    else
      source.licence = read_licence(stream, where + ": licence");
  return source;
}

Recipe::Skipped read_skipped(common::JsonStream& stream, const std::string& where) {
  Recipe::Skipped skipped;
  common::JsonObject row(stream, where + ": skipped clip", k_skipped_members);
  while (row.next()) (row.is("reason") ? skipped.reason : skipped.clip_id) = row.string();
  return skipped;
}

}  // namespace

Licence read_licence(common::JsonStream& stream, const std::string& where) {
  Licence licence;
  common::JsonObject row(stream, where, k_licence_members);
  while (row.next()) (row.is("name") ? licence.name : licence.url) = row.string();
  if (licence == Licence{}) row.fail("there is neither a name nor a URL; correct the file");
  return licence;
}

Json to_json(const Licence& licence) {
  Json json = Json::object();
  if (!licence.name.empty()) json["name"] = licence.name;
  if (!licence.url.empty()) json["url"] = licence.url;
  return json;
}

Recipe read_recipe(common::JsonStream& stream, const std::string& where) {
  Recipe recipe;
  common::JsonObject row(stream, where, k_recipe_members);
  while (row.next())
    if (row.is("strategy"))
      recipe.strategy = row.string();
    else if (row.is("population"))
      recipe.population = row.count();
    else if (row.is("sources"))
      row.list(k_source_limit, [&] { recipe.sources.push_back(read_source(stream, where)); });
    else
      row.list(k_skipped_limit, [&] { recipe.skipped.push_back(read_skipped(stream, where)); });
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
  const std::string text = common::read_text(path, k_recipe_limit_bytes);
  common::JsonStream stream(text, name);
  common::JsonObject root(stream, name, k_file_members);
  common::Digest manifest_digest;
  Recipe recipe;
  while (root.next())
    if (root.is("recipe"))
      recipe = read_recipe(stream, name + ": recipe");
    else
      manifest_digest = root.digest();
  stream.finish();
  if (manifest_digest != digest)
    throw common::Error(common::ErrorKind::mismatch,
                        name + " tells how a manifest was chosen that is no longer the one beside it, " +
                            manifest.string() + "; make the manifest again, or remove " + name);
  return recipe;
}

}  // namespace manifest
