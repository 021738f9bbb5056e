#include <map>
#include <memory>
#include <set>

#include "common/cli/print_json.hpp"
#include "common/error.hpp"
#include "common/file.hpp"
#include "common/sealed/draft_file.hpp"
#include "common/shell.hpp"
#include "common/terminal.hpp"
#include "trainer/report/cli/commands.hpp"
#include "trainer/report/link.hpp"
#include "trainer/report/markdown.hpp"
#include "trainer/report/pack_check.hpp"
#include "trainer/report/page.hpp"
#include "trainer/report/report_json.hpp"
#include "trainer/report/tensorboard.hpp"
#include "trainer/report/text.hpp"
#include "trainer/results/run_check.hpp"
#include "trainer/results/run_directory.hpp"

namespace trainer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

constexpr const char* k_unsigned = "--trust: the signature of a run is missing, or by another key";
constexpr const char* k_trust_help = "Refuse runs that this public key (KEY.pub.pem) did not sign";

struct ReportFlags {
  std::vector<fs::path> runs;
  std::optional<fs::path> page, pack, tensorboard, markdown, trusted_key;
  std::string primary;
  std::vector<fs::path> caption_scores;
  bool no_media = false;
};

constexpr std::uint64_t k_scores_limit_bytes = std::uint64_t{1} << 20;

std::vector<CaptionScores> read_caption_scores(const std::vector<fs::path>& files) {
  std::vector<CaptionScores> all;
  for (const fs::path& file : files)
    for (CaptionScores& one :
         parse_caption_scores(common::read_json(file, k_scores_limit_bytes), file.string()))
      all.push_back(std::move(one));
  return all;
}

// All that a shell's `folder/*` gives.
std::set<fs::path> glob(const fs::path& folder) {
  std::set<fs::path> paths;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.empty() ? "." : folder))
    if (entry.path().filename().string().front() != '.') paths.insert(folder / entry.path().filename());
  return paths;
}

// The runs as somebody would type them.
std::string runs_of(const ReportFlags& flags) {
  std::map<fs::path, std::set<fs::path>> by_folder;
  for (const fs::path& run : flags.runs) by_folder[run.parent_path()].insert(run);
  std::string words;
  for (const auto& [folder, runs] : by_folder) {
    if (runs.size() > 1 && runs == glob(folder)) {
      words += " " + (folder.empty() ? std::string("*") : common::quote_for_shell(folder.string()) + "/*");
      continue;
    }
    for (const fs::path& run : runs) words += " " + common::quote_for_shell(run.string());
  }
  return words;
}

// Stands in the file that it makes.
std::string command_of(const ReportFlags& flags) {
  std::string command = "safe-trainer report" + runs_of(flags);
  for (const fs::path& file : flags.caption_scores)
    command += " --caption-scores " + common::quote_for_shell(file.string());
  if (!flags.primary.empty()) command += " --primary " + common::quote_for_shell(flags.primary);
  return command + " --markdown " + common::quote_for_shell(flags.markdown->string());
}

void check_flags(const ReportFlags& flags) {
  if (!flags.page && (flags.pack || flags.no_media))
    throw Error(ErrorKind::usage, "--pack and --no-media are about the page; name it with -o report.html");
  if (flags.pack && flags.no_media)
    throw Error(ErrorKind::usage,
                "--pack puts pictures and sounds in and --no-media leaves them out; give one of them");
  if (flags.page && flags.page->extension() != ".html")
    throw Error(ErrorKind::usage,
                flags.page->string() + " has to end in .html; report.json is written beside it");
}

// Before any work, so that a name that cannot be written to is known at once.
void make_folder_of(const std::optional<fs::path>& file) {
  if (!file || !file->has_parent_path()) return;
  std::error_code failure;
  fs::create_directories(file->parent_path(), failure);
  if (failure)
    throw Error(ErrorKind::io, "cannot create the folder " + file->parent_path().string() + ": " +
                                   failure.message() + "; name a file elsewhere");
}

void write_report(const ReportFlags& flags, const Comparison& comparison,
                  const common::CommonFlags& common_flags) {
  std::optional<packer::VerifiedPack> pack;
  if (flags.pack) pack = packer::open_pack(*flags.pack, {{}, common_flags.threads, common_flags.verbosity()});
  const Examples examples = choose_examples(comparison, pack ? &*pack : nullptr);
  // All of it is there before any of it is written.
  const FigureSource figures = figures_here();
  const std::string page =
      write_page({.comparison = comparison, .examples = examples, .page = *flags.page, .figures = figures});
  if (figures.version == k_no_gnuplot)
    common::print_line(stderr, flags.page->string() +
                                   " has no figures, since gnuplot is not installed; install the "
                                   "package gnuplot-nox, or run the same command where it is");
  common::write_file(fs::path(*flags.page).replace_extension(".json"),
                     common::dump_pretty(to_json(comparison)));
  common::write_file(*flags.page, page);
}

void print_findings(const common::Findings& findings, const fs::path& what,
                    const common::CommonFlags& common_flags) {
  for (const common::Finding& finding : findings) {
    const std::string path = finding.path.empty() ? what.string() : finding.path;
    if (common_flags.json)
      common::print_json({{"rule", finding.rule}, {"path", path}, {"what", finding.what}},
                         common::JsonLayout::line);
    else
      common::print_line(
          stdout, common::describe({path, finding.rule, finding.what}) + ". " + remedy_for(finding) + ".");
  }
}

struct VerifyFlags {
  fs::path what;
  std::optional<fs::path> runs, pack, trusted_key;
};

// 4 where the trusted key did not sign it.
int code_for(const common::Findings& findings) {
  return findings.empty() ? 0 : common::exit_code(common::kind_of(findings));
}

int verify_one_run(const VerifyFlags& flags, const common::CommonFlags& common_flags) {
  if (flags.runs)
    throw Error(ErrorKind::usage, "--runs is for a report; " + flags.what.string() + " is a run directory");
  RunCheck check = verify_run(flags.what, flags.trusted_key);
  if (flags.pack && check.findings.empty())
    check.findings = check_against_pack(
        flags.what, packer::open_pack(*flags.pack, {{}, common_flags.threads, common_flags.verbosity()}));
  print_findings(check.findings, flags.what, common_flags);
  if (!check.findings.empty()) return code_for(check.findings);
  common::print_line(stdout, check.digest.hex() + "  " + flags.what.string());
  common::say(common_flags, text_of(check.signature));
  if (!flags.pack) check.not_derived.push_back(check.of_pack);
  for (const std::string& one : check.not_derived) common::say(common_flags, "not derived: " + one);
  return 0;
}

int verify_page(const VerifyFlags& flags, const common::CommonFlags& common_flags) {
  std::optional<packer::VerifiedPack> pack;
  if (flags.pack) pack = packer::open_pack(*flags.pack, {{}, common_flags.threads, common_flags.verbosity()});
  const ReportCheck check =
      verify_report({flags.what, flags.runs, flags.trusted_key, pack ? &*pack : nullptr});
  print_findings(check.findings, flags.what, common_flags);
  if (!check.findings.empty()) return code_for(check.findings);
  common::print_line(stdout, check.page_digest.hex() + "  " + flags.what.string());
  for (const std::string& id : check.pack_ids)
    common::say(common_flags,
                "the runs are whole and made from the pack " + id +
                    (flags.pack ? ", which is whole too" : "; give --pack PACK to check its bytes too"));
  for (const std::string& one : check.not_compared) common::say(common_flags, "not compared: " + one);
  return 0;
}

// `report runs/*` meets runs that failed, were stopped or go on, and what a report wrote there: those are
// named and passed over. A path that does not exist was mistyped.
std::vector<fs::path> finished_runs(const std::vector<fs::path>& paths) {
  std::vector<fs::path> finished;
  std::string others;
  for (const fs::path& path : paths) {
    if (!fs::exists(path))
      throw Error(ErrorKind::io, path.string() + " does not exist; name run directories");
    const bool is_folder = fs::is_directory(path);
    if (is_folder && is_finished(path)) {
      finished.push_back(path);
      continue;
    }
    const std::string why = !is_folder                         ? "it is not a run directory"
                            : fs::exists(path / "config.json") ? "the run failed or is not finished"
                                                               : "it holds no run";
    others += (others.empty() ? "" : "\n") + ("passed over: " + path.string() + ": " + why);
  }
  if (!others.empty()) common::print_line(stderr, others);
  if (finished.empty())
    throw Error(ErrorKind::mismatch, "none of the " + std::to_string(paths.size()) +
                                         " is a finished run; name run directories that hold SHA256SUMS, or "
                                         "finish one (safe-trainer run --resume)");
  return finished;
}

int report(const ReportFlags& flags, const common::CommonFlags& common_flags) {
  check_flags(flags);
  make_folder_of(flags.page);
  make_folder_of(flags.markdown);
  const Comparison comparison =
      compare_runs(finished_runs(flags.runs),
                   {flags.trusted_key, flags.primary, read_caption_scores(flags.caption_scores)});
  if (flags.page) write_report(flags, comparison, common_flags);
  if (flags.markdown) common::write_file(*flags.markdown, to_markdown(comparison, command_of(flags)));
  if (flags.tensorboard) write_event_files(comparison.runs, *flags.tensorboard);
  if (common_flags.json)
    common::print_json(to_json(comparison), common::JsonLayout::pretty);
  else
    common::print_line(stdout, to_text(comparison));
  for (const auto& written : {flags.page, flags.markdown, flags.tensorboard})
    if (written) common::say(common_flags, "wrote " + written->string());
  if (flags.page) common::say_next(common_flags, {"safe-report", "verify-run", flags.page->string()});
  return 0;
}

}  // namespace

void add_report(common::Program& program) {
  auto flags = std::make_shared<ReportFlags>();
  common::Verb& verb = program.add(
      {"report",
       "Compare finished runs: a table, and a page with figures",
       {"report experiments/overfitting/runs/*",
        "report experiments/overfitting/runs/* -o report.html --pack experiments/overfitting/data_pack"},
       {{1, "a run or the pack has changed, or no run is finished"},
        {3, "I/O error: missing, unreadable, or no space left"},
        {4, k_unsigned},
        {130, "interrupted"}}});
  verb.paths("RUN", flags->runs, "Compare these run directories").required();
  verb.path("--output,--out,-o", flags->page,
            "Write the page here, report.html; report.json is written beside it");
  verb.path("--pack,--pack-root", flags->pack, "Put pictures and sounds of the runs' pack on the page");
  verb.on("--no-media", flags->no_media, "Leave pictures and sounds out of the page");
  verb.text("--primary", flags->primary,
            "This comparison was chosen before the runs, so its p needs no correction: "
            "'soft_retention -> full_safe', named as in the table of comparisons");
  verb.paths("--caption-scores", flags->caption_scores,
             "Show what another program gave for the captions of a run, from this file; how to make one: "
             "safe-report captions --help");
  verb.path("--markdown", flags->markdown, "Write the tables here, as Markdown");
  verb.path("--tensorboard", flags->tensorboard, "Write TensorBoard event files to this folder, one a run");
  verb.path("--trust,--require-signature", flags->trusted_key, k_trust_help);
  verb.action([flags](const common::CommonFlags& common_flags) { return report(*flags, common_flags); });
}

void add_verify_run(common::Program& program) {
  auto flags = std::make_shared<VerifyFlags>();
  common::Verb& verb = program.add(
      {"verify-run",
       "Check a run directory, or a report.html with its runs: the sealed digests, and that every "
       "number follows from the answers",
       {"verify-run experiments/overfitting/runs/RUN --trust KEY.pub.pem",
        "verify-run report.html --pack experiments/overfitting/data_pack"},
       {{0, "nothing has changed, and nothing contradicts another file"},
        {1, "something has changed, or does not follow"},
        {3, "I/O error: missing or unreadable"},
        {4, k_unsigned},
        {130, "interrupted"}}});
  verb.path("RUN", flags->what, "Check this run directory or report.html").required();
  verb.path("--runs", flags->runs, "report.html: look for its runs in this folder")
      .otherwise("where they were when it was made, seen from the page");
  verb.path("--pack,--pack-root", flags->pack,
            "Compare the run, or the pictures and sounds of report.html, with this pack");
  verb.path("--trust,--require-signature", flags->trusted_key, k_trust_help);
  verb.action([flags](const common::CommonFlags& common_flags) {
    return fs::is_regular_file(flags->what) ? verify_page(*flags, common_flags)
                                            : verify_one_run(*flags, common_flags);
  });
}

void add_sign_run(common::Program& program) {
  struct SignFlags {
    fs::path run, key;
  };
  auto flags = std::make_shared<SignFlags>();
  common::Verb& verb = program.add({"sign-run",
                                    "Sign a finished run; one that does not verify is refused",
                                    {"sign-run experiments/overfitting/runs/RUN --key KEY.pem",
                                     "sign-run --quiet experiments/overfitting/runs/RUN --key KEY.pem"},
                                    {{1, "the run does not verify"},
                                     {3, "I/O error: missing, unreadable, or no space left"},
                                     {130, "interrupted"}}});
  verb.path("RUN", flags->run, "Sign this run directory").required();
  verb.path("--key", flags->key, "Sign with this secret key, KEY.pem, as safe-packer keygen makes it")
      .required();
  verb.action([flags](const common::CommonFlags& common_flags) {
    const RunSigning signing = sign_run(flags->run, flags->key);
    common::say(common_flags, signing.how == common::Signing::written
                                  ? "verified and signed"
                                  : "verified; this key has signed it before");
    common::print_line(stdout, signing.digest.hex() + "  " + flags->run.string());
    return 0;
  });
}

}  // namespace trainer
