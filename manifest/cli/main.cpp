// safe-manifest: which samples. The command line; what the commands do is in commands.cpp.
#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "common/program.hpp"
#include "manifest/cli/commands.hpp"
#include "manifest/tables/layout.hpp"

namespace {

using manifest::VqaSplit;

const std::string k_experiment = "experiments/overfitting/";

// CLI::PositiveNumber says the same with 309 digits of upper bound.
std::string at_least_one(const std::string& text) {
  return text == "0" || text.starts_with('-') ? "must be 1 or more, found " + text : std::string();
}

// Every subcommand takes these.
void add_output_options(CLI::App& command, manifest::OutputOptions& output) {
  command.add_flag_callback(
      "--json", [&output] { output.form = manifest::ResultForm::json; }, "Print the result as JSON");
  command.add_flag_callback(
      "--quiet", [&output] { output.verbosity = common::Verbosity::quiet; }, "Print results and errors only");
  command
      .add_option("--threads", output.threads,
                  "Threads to read tables with (0: as many as there are processors)")
      ->capture_default_str();
  command.footer(common::exit_code_help());
}

template <typename Options>
void add_choice_options(CLI::App& command, Options& options, const char* what) {
  command.add_option("--subset-size", options.subset_size, std::string("How many ") + what + " to choose")
      ->check(at_least_one, "POSITIVE")
      ->capture_default_str();
  command.add_option("--seed", options.seed, "Seed of the choice, as in Python's random.Random(seed)")
      ->capture_default_str();
  command
      .add_option("--exclude", options.exclude,
                  "Manifest (of questions or clips) with which nothing may be shared; may be repeated")
      ->allow_extra_args(false)
      ->capture_default_str();
}

void add_licence_option(CLI::App& command, const char* flag, std::optional<manifest::Licence>& licence) {
  command.add_option_function<std::string>(
      flag,
      [&licence](const std::string& text) {
        licence = text.starts_with("http") ? manifest::Licence{"", text} : manifest::Licence{text, ""};
      },
      "Licence of the AudioCaps table, a name or a URL; it has no place for one, and none is assumed");
}

manifest::QuestionOptions question_defaults(VqaSplit split) {
  const std::string year = split == VqaSplit::base ? "train2014" : "val2014";
  manifest::QuestionOptions options;
  options.split = split;
  options.default_subtype = year;
  const std::filesystem::path val = k_experiment + "val_manifest.json";
  const std::filesystem::path retention = k_experiment + "retention_manifest.json";
  switch (split) {
    case VqaSplit::val:
      options.subset_size = 500;
      options.seed = 123;
      options.output = val;
      break;
    case VqaSplit::retention:
      options.subset_size = 500;
      options.seed = 321;
      options.exclude = {val};
      options.output = retention;
      break;
    case VqaSplit::base:
      options.subset_size = 8000;
      options.seed = 231;
      options.exclude = {val, retention};
      options.output = k_experiment + "base_manifest.json";
      break;
  }
  return options;
}

using Action = std::function<int()>;

void add_question_command(CLI::App& app, const char* name, const char* about, VqaSplit split,
                          const std::shared_ptr<manifest::OutputOptions>& output, Action& action) {
  auto options = std::make_shared<manifest::QuestionOptions>(question_defaults(split));
  CLI::App* command = app.add_subcommand(name, about);
  const std::string year = options->default_subtype;
  command->add_option("--questions", options->questions,
                      "VQA v2 questions table (default: " + manifest::vqa_questions(year).front() +
                          " in data/vqa or in questions/ there)");
  command->add_option("--annotations", options->annotations,
                      "VQA v2 annotations table (default: " + manifest::vqa_annotations(year).front() +
                          " in data/vqa or in annotations/ there)");
  add_choice_options(*command, *options, "questions");
  command
      ->add_option_function<std::string>(
          "--strategy",
          [options](const std::string& strategy) {
            options->strategy =
                strategy == "stratified" ? manifest::Strategy::stratified : manifest::Strategy::original;
          },
          "original: as the Python original draws; stratified: each kind of question and answer as often as "
          "the tables have it")
      ->check(CLI::IsMember({"original", "stratified"}))
      ->default_str("original");
  command->add_option("--output", options->output, "Manifest to write; its folder must be there")
      ->capture_default_str();
  command->add_option(
      "--data-subtype", options->data_subtype,
      "COCO split in the names of the images, such as val2014 (default: as the questions file says)");
  if (split == VqaSplit::base) {
    command->add_option("--captions", options->captions,
                        "AudioCaps table (CSV, JSON or JSONL): the captions of its clips that no excluded "
                        "manifest holds are added, as text");
    add_licence_option(*command, "--captions-licence", options->captions_licence);
  }
  add_output_options(*command, *output);
  command->callback([options, output, &action] {
    const std::string& tables = options->default_subtype;
    if (options->questions.empty())
      options->questions = manifest::first_file("data/vqa", manifest::vqa_questions(tables));
    if (options->annotations.empty())
      options->annotations = manifest::first_file("data/vqa", manifest::vqa_annotations(tables));
    action = [options, output] { return manifest::choose_questions(*options, *output); };
  });
}

void add_audio_command(CLI::App& app, const std::shared_ptr<manifest::OutputOptions>& output,
                       Action& action) {
  auto options = std::make_shared<manifest::ClipOptions>();
  options->split = "train";
  options->subset_size = 400;
  options->seed = 42;
  CLI::App* command = app.add_subcommand("audio", "Choose AudioCaps clips: to train on, or held out");
  command->add_option("--metadata", options->metadata,
                      "AudioCaps table, .csv, .json or .jsonl (default: <split>.csv, metadata/<split>.csv or "
                      "[audiocaps_]<split>.jsonl or .json in data/audiocaps)");
  command->add_option("--split", options->split, "Split of the table; clips lie in audio/<split>")
      ->capture_default_str();
  command->add_option(
      "--available", options->available,
      "Folder that holds audio/<split>: where a clip that is drawn has no file there, the next of the "
      "same draw takes its place, and the manifest says which were skipped");
  add_licence_option(*command, "--licence", options->licence);
  add_choice_options(*command, *options, "clips");
  command->add_option("--output", options->output,
                      "Manifest to write; its folder must be there (default: " + k_experiment +
                          "subset_manifest.json for train, else audio_val_manifest.json there)");
  add_output_options(*command, *output);
  command->callback([options, output, &action] {
    if (options->metadata.empty())
      options->metadata = manifest::first_file("data/audiocaps", manifest::audiocaps_tables(options->split));
    if (options->output.empty())
      options->output =
          k_experiment + (options->split == "train" ? "subset_manifest.json" : "audio_val_manifest.json");
    action = [options, output] { return manifest::choose_clips(*options, *output); };
  });
}

void add_check_command(CLI::App& app, const std::shared_ptr<manifest::OutputOptions>& output,
                       Action& action) {
  auto manifests = std::make_shared<std::vector<std::filesystem::path>>();
  CLI::App* command = app.add_subcommand(
      "check", "Find samples that two manifests share, repeated ids, and majority answers that are not");
  command->add_option("manifest", *manifests, "Manifests of either kind")->required();
  add_output_options(*command, *output);
  command->callback([manifests, output, &action] {
    action = [manifests, output] { return manifest::check(*manifests, *output); };
  });
}

void add_show_command(CLI::App& app, const std::shared_ptr<manifest::OutputOptions>& output, Action& action) {
  struct Values {
    std::filesystem::path path;
    std::string id;
  };
  auto values = std::make_shared<Values>();
  CLI::App* command = app.add_subcommand("show", "What a manifest holds, or its rows with one id");
  command->add_option("manifest", values->path, "A manifest of either kind")->required();
  command->add_option("id", values->id, "A youtube_id, audiocap_id, question_id or image_id");
  add_output_options(*command, *output);
  command->callback([values, output, &action] {
    action = [values, output] { return manifest::show(values->path, values->id, *output); };
  });
}

void add_diff_command(CLI::App& app, const std::shared_ptr<manifest::OutputOptions>& output, Action& action) {
  auto paths = std::make_shared<std::pair<std::filesystem::path, std::filesystem::path>>();
  CLI::App* command = app.add_subcommand(
      "diff", "Rows that were added, removed or changed between two manifests; exit 1 where there are any");
  command->add_option("a", paths->first, "A manifest")->required();
  command->add_option("b", paths->second, "Another of the same kind")->required();
  add_output_options(*command, *output);
  command->callback([paths, output, &action] {
    action = [paths, output] { return manifest::diff(paths->first, paths->second, *output); };
  });
}

int run(int argc, char** argv) {
  CLI::App app("Chooses which samples of AudioCaps and VQA v2 an experiment uses, and writes them down.",
               "safe-manifest");
  app.set_version_flag("--version", "safe-manifest " SAFE_VERSION);
  app.require_subcommand(1);
  app.footer(common::exit_code_help());
  const auto output = std::make_shared<manifest::OutputOptions>();
  Action action;
  add_question_command(app, "val", "Choose VQA v2 questions to evaluate on", VqaSplit::val, output, action);
  add_question_command(app, "retention", "Choose VQA v2 questions for the retention losses",
                       VqaSplit::retention, output, action);
  add_question_command(app, "base", "Choose VQA v2 questions (and captions) to train a small base model on",
                       VqaSplit::base, output, action);
  add_audio_command(app, output, action);
  add_check_command(app, output, action);
  add_show_command(app, output, action);
  add_diff_command(app, output, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 has a code of its own for each kind of mistake; ours are the table in --help.
    return app.exit(error) == 0 ? 0 : 2;
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  return common::run_program("safe-manifest", [&] { return run(argc, argv); });
}
