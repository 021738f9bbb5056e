#include "manifest/cli/commands.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json.hpp"
#include "common/sealed/draft_file.hpp"
#include "manifest/check.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "manifest/tables/audiocaps_table.hpp"
#include "manifest/tables/layout.hpp"
#include "manifest/tables/vqa_tables.hpp"

namespace manifest {
namespace {

using common::Error;
using common::ErrorKind;
using common::Json;
namespace fs = std::filesystem;

void print_result(const std::string& line) { fmt::print("{}\n", line); }

void remark(const OutputOptions& output, const std::string& line) {
  if (output.verbosity == common::Verbosity::normal) fmt::print(stderr, "{}\n", line);
}

// Before minutes are spent on reading tables.
void require_writable(const fs::path& output, const std::vector<fs::path>& inputs) {
  const fs::path folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored))
    throw Error(ErrorKind::io,
                fmt::format("cannot write {}: there is no folder {}; create it (mkdir -p) or name "
                            "another --output",
                            output.string(), folder.string()));
  if (output.empty() || fs::is_directory(output, ignored))
    throw Error(ErrorKind::usage, fmt::format("--output \"{}\" is a folder; name a file", output.string()));
  for (const fs::path& input : inputs)
    if (fs::equivalent(output, input, ignored))
      throw Error(ErrorKind::usage, fmt::format("--output {} is also read by this command; name another file",
                                                output.string()));
}

std::string year_in(const fs::path& questions) {
  const std::string name = questions.filename().string();
  for (const char* subtype : {"train2014", "val2014"})
    if (name.find(subtype) != std::string::npos) return subtype;
  return {};
}

std::string choose_subtype(const QuestionOptions& options, const VqaTables& tables,
                           const OutputOptions& output) {
  const auto use = [&](const std::string& subtype, const std::string& reason) {
    remark(output, fmt::format("images are named COCO_{}_*.jpg ({})", subtype, reason));
    return subtype;
  };
  if (!options.data_subtype.empty()) return use(options.data_subtype, "--data-subtype");
  if (!tables.data_subtype().empty()) return use(tables.data_subtype(), "data_subtype of the questions file");
  if (const std::string year = year_in(options.questions); !year.empty())
    return use(year, "the questions file's name");
  return use(options.default_subtype, "the default of this command; the questions file does not say");
}

// What a command did: "wrote val.json: 500 of 214354 questions, seed 123".
struct Written {
  fs::path path;
  std::string unit;
  std::size_t chosen = 0;
  std::size_t population = 0;
  std::int64_t seed = 0;
  std::optional<std::size_t> captions;
  std::optional<std::size_t> skipped;
};

void publish(const std::string& text, const Written& written, const OutputOptions& output) {
  common::write_file(written.path, text);
  if (output.form == ResultForm::json) {
    Json result = Json::object();
    result["output"] = written.path.string();
    result[written.unit] = written.chosen;
    result["population"] = written.population;
    result["seed"] = written.seed;
    if (written.captions) result["captions"] = *written.captions;
    if (written.skipped) result["skipped"] = *written.skipped;
    result["sha256"] = common::digest_of(text).hex();
    print_result(common::dump_line(result));
    return;
  }
  std::string line = fmt::format("wrote {}: {} of {} {}, seed {}", written.path.string(), written.chosen,
                                 written.population, written.unit, written.seed);
  if (written.captions) line += fmt::format(", and {} captions", *written.captions);
  if (written.skipped) line += fmt::format(", {} skipped for want of a file", *written.skipped);
  print_result(line);
}

std::vector<fs::path> joined(std::vector<fs::path> paths, const std::vector<fs::path>& more) {
  paths.insert(paths.end(), more.begin(), more.end());
  return paths;
}

Recipe::Source source_of(const char* table, const fs::path& path,
                         const std::optional<Licence>& licence = std::nullopt) {
  return {table, common::digest_file(path).digest, licence};
}

void add_excluded(const std::vector<fs::path>& manifests, Recipe& recipe) {
  for (const fs::path& path : manifests) recipe.sources.push_back(source_of("excluded", path));
}

}  // namespace

int choose_questions(const QuestionOptions& options, const OutputOptions& output) {
  std::vector<fs::path> inputs = joined({options.questions, options.annotations}, options.exclude);
  if (options.captions) inputs.push_back(*options.captions);
  require_writable(options.output, inputs);

  const Excluded excluded = read_excluded(options.exclude);
  std::vector<ClipEntry> captions;
  if (options.captions) captions = select_captions(read_audiocaps_table(*options.captions), excluded);
  const VqaTables tables =
      read_vqa_tables(options.questions, options.annotations, output.threads, output.verbosity);
  const std::string subtype = choose_subtype(options, tables, output);
  QuestionChoice choice = select_questions(
      tables, {options.split, options.subset_size, options.seed, subtype, options.strategy}, excluded);
  choice.manifest.captions = std::move(captions);
  Recipe recipe{name_of(options.strategy),
                choice.population,
                {tables.questions_source(), tables.annotations_source()},
                {}};
  if (options.captions)
    recipe.sources.push_back(source_of("captions", *options.captions, options.captions_licence));
  add_excluded(options.exclude, recipe);
  // The original's own choice has the original's bytes, and its recipe a file of its own.
  const bool is_original =
      options.split == VqaSplit::val && options.strategy == Strategy::original && options.exclude.empty();
  if (!is_original) choice.manifest.recipe = recipe;

  Written written{
      options.output, "questions", choice.manifest.entries.size(), choice.population, options.seed, {}, {}};
  if (options.captions) written.captions = choice.manifest.captions.size();
  const std::string text = write_vqa(choice.manifest);
  publish(text, written, output);
  if (is_original)
    common::write_file(recipe_path(options.output), write_recipe_file(recipe, common::digest_of(text)));
  else
    fs::remove(recipe_path(options.output));
  return 0;
}

int choose_clips(const ClipOptions& options, const OutputOptions& output) {
  require_writable(options.output, joined({options.metadata}, options.exclude));
  if (options.available && !fs::is_directory(*options.available))
    throw Error(ErrorKind::io,
                fmt::format("--available {} is not a folder; name the one that holds audio/{}/",
                            options.available->string(), options.split));
  const Excluded excluded = read_excluded(options.exclude);
  const std::vector<ClipEntry> rows = read_audiocaps_table(options.metadata);
  ClipRequest request{options.split, options.subset_size, options.seed, {}};
  if (options.available)
    request.is_available = [&](const std::string& audio_relpath) {
      return has_file(*options.available, clip_files(audio_relpath));
    };
  ClipChoice choice = select_clips(rows, request, excluded);
  Recipe& recipe = choice.manifest.recipe.emplace();
  recipe = {name_of(Strategy::original),
            choice.population,
            {source_of("metadata", options.metadata, options.licence)},
            {}};
  add_excluded(options.exclude, recipe);
  Written written{
      options.output, "clips", choice.manifest.entries.size(), choice.population, options.seed, {}, {}};
  if (options.available) written.skipped = choice.skipped.size();
  recipe.skipped = std::move(choice.skipped);
  publish(write_subset(choice.manifest), written, output);
  return 0;
}

namespace {
std::size_t skipped_by(const NamedManifest& named) {
  return std::visit([](const auto& one) { return one.recipe ? one.recipe->skipped.size() : 0; },
                    named.manifest);
}
}  // namespace

int check(const std::vector<fs::path>& manifests, const OutputOptions& output) {
  std::vector<NamedManifest> named;
  for (const fs::path& path : manifests) named.push_back({path.string(), read_any(path, Repeats::keep)});
  const std::vector<Finding> findings = check_manifests(named);
  const int code = findings.empty() ? 0 : 1;
  if (output.form == ResultForm::json) {
    Json result = Json::object();
    result["manifests"] = Json::array();
    for (const NamedManifest& one : named) result["manifests"].push_back(one.name);
    result["skipped"] = Json::object();
    for (const NamedManifest& one : named)
      if (const std::size_t count = skipped_by(one)) result["skipped"][one.name] = count;
    result["findings"] = Json::array();
    for (const Finding& finding : findings)
      result["findings"].push_back(
          {{"kind", finding.kind}, {"files", finding.files}, {"text", finding.text}});
    print_result(common::dump_pretty(result));
    return code;
  }
  for (const Finding& finding : findings)
    print_result(fmt::format("{}: {}: {}", finding.kind, fmt::join(finding.files, " and "), finding.text));
  if (findings.empty()) print_result(fmt::format("ok: {} manifests, nothing found", named.size()));
  for (const NamedManifest& one : named)
    if (const std::size_t count = skipped_by(one))
      remark(output, fmt::format("{}: clips skipped when it was made: {}; safe-manifest show names them",
                                 one.name, count));
  remark(output, findings.empty()
                     ? std::string("checked: leaks, duplicates, majority answers, names of images and clips")
                     : fmt::format("{} findings; make the manifest again, with --exclude naming the other",
                                   findings.size()));
  return code;
}

}  // namespace manifest
