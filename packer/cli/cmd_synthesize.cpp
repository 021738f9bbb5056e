#include <cstdio>
#include <memory>

#include "packer/cli/commands.hpp"
#include "packer/synthesize/synthesize.hpp"

namespace packer {

void add_synthesize(CLI::App& app, CommonFlags& flags, Command& chosen) {
  const auto request = std::make_shared<SynthesizeRequest>();
  CLI::App* verb =
      app.add_subcommand("synthesize", "a source tree in the layouts of AudioCaps and of VQA v2 on COCO");
  verb->add_option("--out", request->out, "the folder to make")->required();
  verb->add_option("--clips", request->clips, "clips of the train split")->capture_default_str();
  verb->add_option("--questions", request->questions, "questions of val2014")->capture_default_str();
  verb->add_option("--train-questions", request->train_questions,
                   "questions of train2014 (0: four times --questions)")
      ->capture_default_str();
  verb->add_option("--seed", request->seed, "the seed that everything follows from")->capture_default_str();
  add_common_flags(*verb, flags);
  verb->callback([request, &flags, &chosen] {
    chosen = [request, &flags] {
      request->threads = flags.threads;
      request->verbosity = flags.verbosity();
      const SynthesizeSummary made = synthesize(*request);
      if (!flags.quiet)
        std::fprintf(stderr,
                     "made %zu and %zu clips (%zu full videos), %zu and %zu pictures, %zu and %zu questions, "
                     "%.1f MB\n",
                     made.train_clips, made.val_clips, made.full_videos, made.val_pictures,
                     made.train_pictures, made.val_questions, made.train_questions,
                     static_cast<double>(made.bytes) / 1e6);
      std::printf("%s\n", request->out.c_str());
      return 0;
    };
  });
}

}  // namespace packer
