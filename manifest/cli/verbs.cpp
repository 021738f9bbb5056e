#include "manifest/cli/verbs.hpp"

#include <fmt/format.h>

#include <memory>

#include "common/error.hpp"
#include "manifest/cli/choose.hpp"
#include "manifest/cli/inspect.hpp"
#include "manifest/datasets/data_sets.hpp"
#include "manifest/tables/clip_table.hpp"

namespace manifest {
namespace {

namespace fs = std::filesystem;
using common::Verb;

const std::string k_experiment = k_usual_folder;

void take_seed(const std::string& flag, const std::string& text, common::Seed& to) {
  const std::optional<common::Seed> seed = common::Seed::parse(text);
  if (!seed)
    throw common::Error(common::ErrorKind::usage,
                        fmt::format("{}: \"{}\" is no whole number; give one of any size, such as 42 or -7",
                                    flag, text.substr(0, 60)));
  to = *seed;
}

template <typename Options>
void add_choice_flags(Verb& verb, Options& options, const std::string& what, const std::string& excluded) {
  verb.whole("--subset-size", options.subset_size, common::k_whole,
             "Choose this many " + what + "; 0: all of them");
  verb.value("--seed", "N",
             "Draw with this seed: a whole number of any size, as Python's random.seed takes it",
             [&options](const std::string& flag, const std::string& text) {
               take_seed(flag, text, options.seed);
             })
      .otherwise(options.seed.text());
  verb.paths("--exclude", options.exclude.named,
             "Share no image, question or clip with this manifest; repeatable")
      .otherwise(excluded);
  verb.paths("--exclude-ids", options.exclude.id_lists,
             "Choose nothing that this list names: one id a line, a CSV with a column of ids, or JSON; "
             "repeatable");
  verb.paths("--exclude-bytes", options.exclude.file_lists,
             "Choose no file that this list names: lines of SHA-256 and path, as sha256sum writes them and "
             "safe-packer build prints equal files; repeatable");
}

void add_licence_flag(Verb& verb, const std::string& name, std::optional<Licence>& licence) {
  verb.value(name, "NAME|URL", "State the licence of the table of clips, which has no place for one",
             [&licence](const std::string&, const std::string& text) {
               licence = text.starts_with("http") ? Licence{"", text} : Licence{text, ""};
             })
      .otherwise("none is assumed");
}

QuestionOptions question_defaults(VqaSplit split, const std::string& verb) {
  QuestionOptions options;
  options.split = split;
  options.default_subtype = split == VqaSplit::base ? "train2014" : "val2014";
  options.output = k_experiment + verb + "_manifest.json";
  switch (split) {
    case VqaSplit::val:
      options.subset_size = 500;
      options.seed = 123;
      break;
    case VqaSplit::retention:
      options.subset_size = 500;
      options.seed = 321;
      options.exclude.needed_beside = {"val_manifest.json"};
      break;
    case VqaSplit::unlike:
      options.subset_size = 500;
      options.seed = 213;
      options.exclude.needed_beside = {"val_manifest.json", "retention_manifest.json"};
      break;
    case VqaSplit::base:
      options.subset_size = 8000;
      options.seed = 231;
      options.exclude.needed_beside = {"val_manifest.json", "retention_manifest.json"};
      options.exclude.found_beside = {"subset_manifest.json", "audio_val_manifest.json",
                                      "unlike_manifest.json"};
      break;
  }
  return options;
}

std::string excluded_text(const Exclusion& exclusion) {
  std::vector<std::string> names = exclusion.needed_beside;
  names.insert(names.end(), exclusion.found_beside.begin(), exclusion.found_beside.end());
  return names.empty() ? "none" : fmt::format("{} beside --output, always excluded", fmt::join(names, ", "));
}

void add_base_flags(Verb& verb, QuestionOptions& options) {
  verb.path("--captions", options.captions,
            "Add the captions of this table of clips (CSV, JSON or JSONL), as text, but for clips that an "
            "excluded manifest holds");
  add_licence_flag(verb, "--captions-licence", options.captions_licence);
}

void add_question_verb(common::Program& program, VqaSplit split, common::VerbText text) {
  auto options = std::make_shared<QuestionOptions>(question_defaults(split, text.name));
  auto replace = std::make_shared<bool>(false);
  text.exit_codes = {{1, "the tables hold fewer questions than were asked for"},
                     {3, "I/O error: missing, unreadable, no space left, or a table that does not parse"}};
  Verb& verb = program.add(std::move(text));
  const std::string year = options->default_subtype;
  verb.path("--questions", options->questions, "Read VQA v2's questions from this table")
      .otherwise(question_set().questions(year).front() + " in data/vqa or in questions/ there");
  verb.path("--annotations", options->annotations, "Read VQA v2's answers from this table")
      .otherwise(question_set().annotations(year).front() + " in data/vqa or in annotations/ there");
  add_choice_flags(verb, *options, "questions", excluded_text(options->exclude));
  common::Flag& unlike =
      verb.paths("--unlike", options->unlike,
                 "Choose no question that this manifest asks, about whatever picture, in the same words but "
                 "for capitals and punctuation; repeatable");
  if (split == VqaSplit::unlike) unlike.otherwise("retention_manifest.json beside --output, always");
  verb.value("--strategy", "NAME", "Draw questions in this way",
             [options](const std::string&, const std::string& name) {
               options->strategy = name == "stratified" ? Strategy::stratified : Strategy::original;
             })
      .otherwise("original")
      .choices({{"original", "as the Python original draws"},
                {"stratified", "each kind of question and answer as often as the tables have it"}});
  verb.path("--output,--out,-o", options->output, "Write the manifest here; its folder must exist");
  verb.on("--replace", *replace, "Overwrite a manifest that is there with other rows");
  verb.text("--data-subtype", options->data_subtype,
            "Name images as this part of their data set does, such as val2014 or val2017")
      .otherwise("as the questions file says, else " + year);
  if (split == VqaSplit::base) add_base_flags(verb, *options);
  verb.action([options, replace, split](const common::CommonFlags& flags) {
    QuestionOptions chosen = *options;
    chosen.existing = *replace ? Existing::replace : Existing::refuse;
    if (const auto beside = chosen.output.parent_path() / "retention_manifest.json";
        split == VqaSplit::unlike && (chosen.unlike.empty() || std::filesystem::exists(beside)))
      chosen.unlike.push_back(beside);
    if (chosen.questions.empty())
      chosen.questions =
          first_file(usual_root(question_set().name), question_set().questions(chosen.default_subtype));
    if (chosen.annotations.empty())
      chosen.annotations =
          first_file(usual_root(question_set().name), question_set().annotations(chosen.default_subtype));
    return choose_questions(chosen, flags);
  });
}

void add_audio_verb(common::Program& program) {
  auto options = std::make_shared<ClipOptions>();
  auto replace = std::make_shared<bool>(false);
  options->subset_size = 400;
  options->seed = 42;
  Verb& verb = program.add(
      {"audio",
       "Choose clips with captions, to train on or to hold out",
       {"audio --metadata data/audiocaps/train.csv --subset-size 400",
        "audio --split val --subset-size 100 --exclude experiments/overfitting/subset_manifest.json"},
       {{1, "the table holds fewer clips than were asked for"},
        {3, "I/O error: missing, unreadable, no space left, or a table that does not parse"}}});
  std::vector<common::Choice> data_sets;
  for (const SoundSet* set : sound_sets())
    data_sets.push_back({std::string(set->name), fmt::format("{}: {}", set->title, set->terms)});
  verb.value("--data-set", "NAME", "Read the table, and look for sounds, as this data set has them",
             [options](const std::string&, const std::string& name) {
               options->data_set = find_sound_set(name);
             })
      .otherwise(fmt::format("as the columns of --metadata tell, else {}", original_sound_set().name))
      .choices(std::move(data_sets));
  verb.path("--metadata", options->metadata,
            "Read this table: CSV (also by tabs or semicolons), .json or .jsonl, as it is or in .gz")
      .otherwise("the data set's table of the split, in data/<data set>");
  verb.text("--split", options->split, "Choose from this split; its clips lie in audio/<split>")
      .otherwise("the one to train on");
  verb.path("--available", options->available,
            "Pass over clips that have no file in audio/<split> of this folder: the next of the same draw "
            "take their places, and the manifest lists those that were skipped");
  add_licence_flag(verb, "--licence", options->licence);
  add_choice_flags(verb, *options, "clips",
                   "none; of any split but train: subset_manifest.json beside --output, always excluded");
  verb.path("--output,--out,-o", options->output, "Write the manifest here; its folder must exist")
      .otherwise(k_experiment + "subset_manifest.json for train, else audio_val_manifest.json there");
  verb.on("--replace", *replace, "Overwrite a manifest that is there with other rows");
  verb.action([options, replace](const common::CommonFlags& flags) {
    ClipOptions chosen = *options;
    chosen.existing = *replace ? Existing::replace : Existing::refuse;
    if (chosen.data_set == nullptr)
      chosen.data_set = chosen.metadata.empty() ? &original_sound_set() : sound_set_of_table(chosen.metadata);
    const SoundSet& set = *chosen.data_set;
    if (chosen.split.empty()) chosen.split = set.train_split;
    if (chosen.metadata.empty()) chosen.metadata = first_file(usual_root(set.name), set.tables(chosen.split));
    const bool trains = chosen.split == set.train_split;
    if (!trains) chosen.exclude.found_beside = {"subset_manifest.json"};
    if (chosen.output.empty())
      chosen.output = k_experiment + (trains ? "subset_manifest.json" : "audio_val_manifest.json");
    return choose_clips(chosen, flags);
  });
}

constexpr const char* k_unreadable = "I/O error: missing or unreadable, or no manifest";

void add_check_verb(common::Program& program) {
  auto manifests = std::make_shared<std::vector<std::filesystem::path>>();
  Verb& verb =
      program.add({"check",
                   "Find samples that two manifests share, duplicate ids, and wrong majority answers",
                   {"check experiments/overfitting/*_manifest.json", "check --json a.json b.json"},
                   {{0, "nothing was found"}, {1, "something was found"}, {3, k_unreadable}}});
  verb.paths("MANIFEST", *manifests, "Check these manifests, of either kind; recipe files are passed over")
      .required();
  verb.action([manifests](const common::CommonFlags& flags) { return check(*manifests, flags); });
}

void add_show_verb(common::Program& program) {
  struct Values {
    std::filesystem::path path;
    std::string id;
  };
  auto values = std::make_shared<Values>();
  Verb& verb =
      program.add({"show",
                   "Print what a manifest holds, or its rows with one id",
                   {"show experiments/overfitting/val_manifest.json", "show val_manifest.json 387003"},
                   {{1, "no row has the id"}, {3, k_unreadable}}});
  verb.path("MANIFEST", values->path, "Read this manifest, of either kind").required();
  verb.text("ID", values->id, "Print the rows with this youtube_id, audiocap_id, question_id or image_id")
      .otherwise("a summary");
  verb.action([values](const common::CommonFlags& flags) { return show(values->path, values->id, flags); });
}

void add_diff_verb(common::Program& program) {
  auto paths = std::make_shared<std::pair<std::filesystem::path, std::filesystem::path>>();
  Verb& verb = program.add({"diff",
                            "List the rows that were added, removed or changed between two manifests",
                            {"diff old.json new.json", "diff --json old.json new.json"},
                            {{0, "the two are equal"}, {1, "the two differ"}, {3, k_unreadable}}});
  verb.path("A", paths->first, "Compare this manifest").required();
  verb.path("B", paths->second, "Compare it with this one, of the same kind").required();
  verb.action([paths](const common::CommonFlags& flags) { return diff(paths->first, paths->second, flags); });
}

}  // namespace

common::Program safe_manifest() {
  common::Program program("safe-manifest",
                          "Choose which clips and questions an experiment uses, and write them down.");
  add_question_verb(program, VqaSplit::val,
                    {"val",
                     "Choose VQA v2 questions to evaluate on",
                     {"val --subset-size 500", "val --questions q.json --annotations a.json -o val.json"},
                     {}});
  add_question_verb(
      program, VqaSplit::retention,
      {"retention",
       "Choose VQA v2 questions for the retention losses",
       {"retention --subset-size 600", "retention --exclude other_manifest.json --output retention.json"},
       {}});
  add_question_verb(program, VqaSplit::unlike,
                    {"unlike",
                     "Choose VQA v2 questions to evaluate on, in words that retention never sees",
                     {"unlike --subset-size 500", "unlike --unlike other_manifest.json --output unlike.json"},
                     {}});
  add_question_verb(
      program, VqaSplit::base,
      {"base",
       "Choose VQA v2 questions, and captions, to train a small base model on",
       {"base --captions data/audiocaps/train.csv --exclude experiments/overfitting/subset_manifest.json",
        "base --subset-size 0"},
       {}});
  add_audio_verb(program);
  add_check_verb(program);
  add_show_verb(program);
  add_diff_verb(program);
  return program;
}

}  // namespace manifest
