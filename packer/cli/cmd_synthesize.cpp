#include <fmt/format.h>

#include <memory>

#include "packer/cli/commands.hpp"
#include "packer/synthesize/synthesize.hpp"

namespace packer {

void add_synthesize(common::Program& program) {
  const auto request = std::make_shared<SynthesizeRequest>();
  common::Verb& verb =
      program.add({"synthesize",
                   "Make up sources in the layouts of AudioCaps and of VQA v2 on COCO",
                   {"synthesize --out data", "synthesize --out data --clips 600 --questions 3000 --seed 8"},
                   {{3, k_io}, {130, "interrupted"}}});
  constexpr common::WholeRange k_count = {1, 10'000'000};
  verb.path("--out,--output,-o", request->out, "Make this folder").required();
  verb.whole("--clips", request->clips, k_count, "Make this many clips of the train split");
  verb.whole("--questions", request->questions, k_count, "Make this many questions of val2014");
  verb.whole("--train-questions", request->train_questions, {0, 10'000'000},
             "Make this many questions of train2014; 0: four times --questions");
  verb.whole("--seed", request->seed, {}, "Draw everything with this seed");
  verb.action([request](const common::CommonFlags& flags) {
    request->threads = flags.threads;
    request->verbosity = flags.verbosity();
    const SynthesizeSummary made = synthesize(*request);
    common::say(flags,
                fmt::format("made {} and {} clips ({} full videos), {} and {} pictures, {} and {} questions, "
                            "{:.1f} MB",
                            made.train_clips, made.val_clips, made.full_videos, made.val_pictures,
                            made.train_pictures, made.val_questions, made.train_questions,
                            static_cast<double>(made.bytes) / 1e6));
    print_path(flags, request->out.string());
    common::say_next(flags,
                     {"safe-manifest", "audio", "--metadata", (request->out / "audiocaps/train.csv").string(),
                      "--subset-size", std::to_string(std::min(made.train_clips, std::size_t{400}))});
    return 0;
  });
}

}  // namespace packer
