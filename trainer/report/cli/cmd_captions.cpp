#include <memory>

#include "common/cli/print_json.hpp"
#include "common/sealed/draft_file.hpp"
#include "trainer/report/caption_scores.hpp"
#include "trainer/report/cli/commands.hpp"

namespace trainer {
namespace {

struct CaptionFlags {
  std::filesystem::path run;
  std::optional<std::filesystem::path> output, trusted_key;
  std::string clips = std::string(condition::k_held_out);
};

}  // namespace

void add_captions(common::Program& program) {
  auto flags = std::make_shared<CaptionFlags>();
  common::Verb& verb =
      program.add({"captions",
                   "Write the captions of a run down, with their references, for a program that scores them",
                   {"captions experiments/overfitting/runs/RUN -o captions.json",
                    "captions experiments/overfitting/runs/RUN --clips memorised -o captions.json"},
                   {{1, "the run has changed"},
                    {3, "I/O error: missing, unreadable, or no space left"},
                    {4, "--trust: the signature of the run is missing, or by another key"},
                    {130, "interrupted"}}});
  verb.path("RUN", flags->run, "Take the captions of this run directory").required();
  verb.choice("--clips", flags->clips,
              {{std::string(condition::k_held_out), "clips that it was not trained on"},
               {std::string(condition::k_memorised), "clips that it was trained on"}},
              "Take the captions of these clips");
  verb.path("--output,--out,-o", flags->output,
            "Write the captions here, as JSON: candidates and mult_references are what aac_metrics.evaluate "
            "takes")
      .otherwise("standard output");
  verb.path("--trust,--require-signature", flags->trusted_key,
            "Refuse a run that this public key (KEY.pub.pem) did not sign");
  verb.action([flags](const common::CommonFlags& common_flags) {
    const common::Json captions = export_captions(read_run(flags->run, flags->trusted_key), flags->clips);
    if (!flags->output) {
      common::print_json(captions, common::JsonLayout::pretty);
      return 0;
    }
    common::write_file(*flags->output, common::dump_pretty(captions) + "\n");
    common::say(common_flags, "wrote " + flags->output->string());
    return 0;
  });
}

}  // namespace trainer
