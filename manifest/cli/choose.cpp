#include "manifest/cli/choose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/cli/print_json.hpp"
#include "common/cli/program.hpp"
#include "common/error.hpp"
#include "common/file.hpp"
#include "common/json.hpp"
#include "common/sealed/draft_file.hpp"
#include "common/terminal.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/format/parse.hpp"
#include "manifest/format/write.hpp"
#include "manifest/id_list.hpp"
#include "manifest/tables/clip_table.hpp"
#include "manifest/tables/vqa_tables.hpp"

namespace manifest {
namespace {

using common::Error;
using common::ErrorKind;
using common::Json;
namespace fs = std::filesystem;

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
                           const common::CommonFlags& flags) {
  const auto use = [&](const std::string& subtype, const std::string& reason) {
    common::say(flags, fmt::format("images are named as {} ({})", question_set().image_filename(subtype, 387),
                                   reason));
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
  common::Seed seed = 0;
  std::optional<std::size_t> captions;
  std::optional<std::size_t> skipped;
  const IdList* lists = nullptr;  // of ids and files that were not to be chosen
  const SoundSet* data_set = &original_sound_set();
};

// Whether the manifest that is there holds these bytes already. One with others is not overwritten unasked.
bool is_unchanged(const std::string& text, const fs::path& path, Existing existing) {
  std::error_code ignored;
  if (!fs::exists(fs::symlink_status(path, ignored))) return false;
  if (fs::is_regular_file(path, ignored) && fs::file_size(path, ignored) == text.size() &&
      common::digest_file(path).digest == common::digest_of(text))
    return true;
  if (existing == Existing::refuse)
    throw Error(ErrorKind::usage,
                fmt::format("{} exists and holds something else; add --replace to overwrite it, or name "
                            "another --output",
                            path.string()));
  return false;
}

// Where the splits are made in their usual folder: the command of the first one that is not there yet. A base
// is made only by those who have no model at hand.
std::vector<std::string> next_split(const fs::path& folder, const SoundSet& data_set) {
  if (folder != fs::path(k_usual_folder).parent_path()) return {};
  std::vector<std::string> held_out = {"audio", "--split", std::string(data_set.held_out_split),
                                       "--subset-size", "100"};
  if (&data_set != &original_sound_set())
    held_out.insert(held_out.end(), {"--data-set", std::string(data_set.name)});
  const std::pair<const char*, std::vector<std::string>> splits[] = {
      {"subset_manifest.json", {"audio"}},
      {"audio_val_manifest.json", held_out},
      {"val_manifest.json", {"val"}},
      {"retention_manifest.json", {"retention"}}};
  for (const auto& [name, words] : splits)
    if (!fs::exists(folder / name)) return words;
  return {};
}

// The next split, or the check of all that lie beside the one that was written.
void say_next_step(const fs::path& path, const SoundSet& data_set, const common::CommonFlags& flags) {
  std::vector<std::string> command = next_split(path.parent_path(), data_set);
  if (command.empty()) {
    const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    for (const fs::directory_entry& entry : fs::directory_iterator(folder))
      if (entry.path().filename().string().ends_with("_manifest.json"))
        command.push_back((path.parent_path() / entry.path().filename()).string());
    std::sort(command.begin(), command.end());
    if (std::find(command.begin(), command.end(), path.string()) == command.end())
      command.push_back(path.string());
    command.insert(command.begin(), "check");
  }
  command.insert(command.begin(), "safe-manifest");
  common::say_next(flags, command);
}

void publish(const std::string& text, const Written& written, Existing existing,
             const common::CommonFlags& flags) {
  const bool unchanged = is_unchanged(text, written.path, existing);
  if (!unchanged) common::write_file(written.path, text);
  if (flags.json) {
    Json result = Json::object();
    result["output"] = written.path.string();
    result[written.unit] = written.chosen;
    result["population"] = written.population;
    result["seed"] = common::to_json(written.seed);
    if (written.captions) result["captions"] = *written.captions;
    if (written.skipped) result["skipped"] = *written.skipped;
    if (written.lists != nullptr && !written.lists->empty()) {
      result["excluded_ids"] = written.lists->size();
      result["excluded_ids_in_no_row"] = written.lists->unmet();
    }
    result["unchanged"] = unchanged;
    result["sha256"] = common::digest_of(text).hex();
    common::print_json(result, common::JsonLayout::line);
  } else {
    std::string line =
        fmt::format("{} {}: {} of {} {}, seed {}", unchanged ? "unchanged" : "wrote", written.path.string(),
                    written.chosen, written.population, written.unit, written.seed.text());
    if (written.captions) line += fmt::format(", and {} captions", *written.captions);
    if (written.skipped) line += fmt::format(", {} skipped for want of a file", *written.skipped);
    common::print_line(stdout, line);
    if (written.lists != nullptr && !written.lists->empty())
      common::say(flags, fmt::format("lists to exclude: {} entries, {} of them in no row of the table",
                                     written.lists->size(), written.lists->unmet()));
  }
  say_next_step(written.path, *written.data_set, flags);
}

std::vector<fs::path> joined(std::vector<fs::path> paths, const std::vector<fs::path>& more) {
  paths.insert(paths.end(), more.begin(), more.end());
  return paths;
}

Recipe::Source source_of(const char* table, const fs::path& path,
                         const std::optional<Licence>& licence = std::nullopt) {
  return {table, common::digest_file(path).digest, licence};
}

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return a == b || fs::equivalent(a, b, ignored);
}

// What the user names, then the other splits beside the output. A split that is not there has not been made.
std::vector<fs::path> all_excluded(const Exclusion& exclusion, const fs::path& output) {
  std::vector<fs::path> all = exclusion.named;
  const auto add = [&](const std::string& name) {
    const fs::path beside = output.parent_path() / name;
    const auto is_it = [&](const fs::path& path) { return is_same_file(path, beside); };
    if (std::any_of(all.begin(), all.end(), is_it)) return true;
    if (!fs::exists(beside)) return false;
    all.push_back(beside);
    return true;
  };
  for (const std::string& name : exclusion.needed_beside)
    if (!add(name) && exclusion.named.empty())
      throw Error(
          ErrorKind::io,
          fmt::format("{} does not exist, and the new manifest must share nothing with it; make it first "
                      "(safe-manifest {}), or name the manifests to share nothing with (--exclude)",
                      (output.parent_path() / name).string(), name.substr(0, name.find('_'))));
  for (const std::string& name : exclusion.found_beside) add(name);
  return all;
}

// The lists of what must not be chosen.
std::vector<fs::path> lists_of(const Exclusion& exclusion) {
  return joined(exclusion.id_lists, exclusion.file_lists);
}

IdList read_lists(const Exclusion& exclusion, const common::CommonFlags& flags) {
  IdList list;
  for (const fs::path& path : exclusion.id_lists) list.add_ids(path);
  for (const fs::path& path : exclusion.file_lists)
    if (list.add_files(path) == 0)
      common::say(flags,
                  fmt::format("{} is empty: it names no file, and nothing is left out by it", path.string()));
  return list;
}

void add_excluded(const std::vector<fs::path>& manifests, Recipe& recipe) {
  for (const fs::path& path : manifests) recipe.sources.push_back(source_of("excluded", path));
}

// The table of whose the sounds are, beside that of the captions; empty where the data set has none, or it is
// not there.
fs::path credits_of(const fs::path& table, const SoundSet& data_set, const common::CommonFlags& flags) {
  if (data_set.credits_beside == nullptr) return {};
  const std::string name = data_set.credits_beside(table.filename().string());
  const fs::path beside = table.parent_path() / name;
  if (!name.empty() && fs::exists(beside)) return beside;
  common::say(flags, fmt::format("no licence of a clip is stated: there is no {} beside {}",
                                 name.empty() ? "table of them" : name, table.string()));
  return {};
}

}  // namespace

int choose_questions(const QuestionOptions& options, const common::CommonFlags& flags) {
  const std::vector<fs::path> exclude = all_excluded(options.exclude, options.output);
  const std::vector<fs::path> lists = lists_of(options.exclude);
  std::vector<fs::path> inputs = joined(joined({options.questions, options.annotations}, exclude), lists);
  inputs = joined(std::move(inputs), options.unlike);
  if (options.captions) inputs.push_back(*options.captions);
  require_writable(options.output, inputs);

  Excluded excluded = read_excluded(exclude);
  exclude_words(options.unlike, excluded);
  IdList list = read_lists(options.exclude, flags);
  std::vector<ClipEntry> captions;
  if (options.captions) {
    const ClipTable table = read_clip_table(*options.captions);
    list.exclude(table.rows, *table.data_set, {}, excluded);
    captions = select_captions(table.rows, excluded);
  }
  const VqaTables tables =
      read_vqa_tables(options.questions, options.annotations, flags.threads, flags.verbosity());
  if (!list.empty()) list.exclude(tables, excluded);
  const std::string subtype = choose_subtype(options, tables, flags);
  QuestionChoice choice = select_questions(
      tables, {options.split, options.subset_size, options.seed, subtype, options.strategy}, excluded);
  choice.manifest.captions = std::move(captions);
  Recipe recipe{name_of(options.strategy),
                choice.population,
                {tables.questions_source(), tables.annotations_source()},
                {}};
  if (options.captions)
    recipe.sources.push_back(source_of("captions", *options.captions, options.captions_licence));
  add_excluded(exclude, recipe);
  add_excluded(lists, recipe);
  for (const fs::path& path : options.unlike) recipe.sources.push_back(source_of("unlike", path));
  // The original's own choice has the original's bytes, and its recipe a file of its own.
  const bool is_original = options.split == VqaSplit::val && options.strategy == Strategy::original &&
                           exclude.empty() && lists.empty() && options.unlike.empty();
  if (!is_original) choice.manifest.recipe = recipe;

  Written written{options.output,
                  "questions",
                  choice.manifest.entries.size(),
                  choice.population,
                  options.seed,
                  {},
                  {},
                  {}};
  if (options.captions) written.captions = choice.manifest.captions.size();
  written.lists = &list;
  const std::string text = write_vqa(choice.manifest);
  publish(text, written, options.existing, flags);
  if (is_original)
    common::write_file(recipe_path(options.output), write_recipe_file(recipe, common::digest_of(text)));
  else
    fs::remove(recipe_path(options.output));
  return 0;
}

int choose_clips(const ClipOptions& options, const common::CommonFlags& flags) {
  const std::vector<fs::path> exclude = all_excluded(options.exclude, options.output);
  const std::vector<fs::path> lists = lists_of(options.exclude);
  require_writable(options.output, joined(joined({options.metadata}, exclude), lists));
  if (options.available && !fs::is_directory(*options.available))
    throw Error(ErrorKind::io,
                fmt::format("--available {} is not a folder; name the one that holds audio/{}/",
                            options.available->string(), options.split));
  Excluded excluded = read_excluded(exclude);
  IdList list = read_lists(options.exclude, flags);
  ClipTable table = read_clip_table(options.metadata, options.data_set);
  const SoundSet& data_set = *table.data_set;
  const fs::path credits = credits_of(options.metadata, data_set, flags);
  std::map<std::string, std::string> other_ids;
  if (!credits.empty()) other_ids = add_credits(credits, data_set, table.rows);
  if (!list.empty()) list.exclude(table.rows, data_set, other_ids, excluded);
  ClipRequest request{options.split, options.subset_size, options.seed, {}, &data_set};
  FolderTree available(options.available.value_or(fs::path()));
  if (options.available)
    request.is_available = [&](const ClipEntry& clip) {
      return !find_sound(data_set.sources(clip), available.tree()).path.empty();
    };
  ClipChoice choice = select_clips(table.rows, request, excluded);
  Recipe& recipe = choice.manifest.recipe.emplace();
  recipe = {name_of(Strategy::original),
            choice.population,
            {source_of("metadata", options.metadata, options.licence)},
            {}};
  if (!credits.empty()) recipe.sources.push_back(source_of("credits", credits));
  add_excluded(exclude, recipe);
  add_excluded(lists, recipe);
  Written written{options.output,
                  "clips",
                  choice.manifest.entries.size(),
                  choice.population,
                  options.seed,
                  {},
                  {},
                  {},
                  &original_sound_set()};
  written.lists = &list;
  written.data_set = &data_set;
  if (options.available) written.skipped = choice.skipped.size();
  recipe.skipped = std::move(choice.skipped);
  publish(write_subset(choice.manifest), written, options.existing, flags);
  return 0;
}

}  // namespace manifest
