#include <fmt/format.h>

#include <memory>

#include "common/cli/print_json.hpp"
#include "common/error.hpp"
#include "common/json.hpp"
#include "common/terminal.hpp"
#include "trainer/base/make_base.hpp"
#include "trainer/cli/commands.hpp"
#include "trainer/cli/in_group.hpp"

namespace trainer {
namespace {

void print_result(const MakeBaseSummary& summary, const MakeBaseRequest& request,
                  const common::CommonFlags& flags) {
  const std::string vl = (request.out / "vl").string(), audio = (request.out / "audio").string();
  if (flags.json) {
    const common::Json line = {{"vl", summary.vl_digest.hex()},  {"audio", summary.audio_digest.hex()},
                               {"questions", summary.questions}, {"captions", summary.captions},
                               {"loss", summary.loss},           {"already_there", summary.already_there}};
    common::print_json(line, common::JsonLayout::line);
  } else {
    common::print_line(stdout, fmt::format("{}  {}\n{}  {}", summary.vl_digest.hex(), vl,
                                           summary.audio_digest.hex(), audio));
  }
  common::say(flags, fmt::format("{} from {} questions and {} captions, loss {:.4f} nats a token",
                                 summary.already_there ? "the base exists already, made" : "trained",
                                 summary.questions, summary.captions, summary.loss));
  common::say_next(flags, {"safe-trainer", "run", "--variant", "full_safe", "--pack-root",
                           request.pack.string(), "--base", vl, "--audio-encoder", audio});
}

}  // namespace

void add_make_base(common::Program& program) {
  auto request = std::make_shared<MakeBaseRequest>();
  request->out = "experiments/overfitting/base";
  common::Verb& verb = program.add(
      {"make-base",
       "Train a tiny frozen base from the rows of a pack's base_manifest.json",
       {"make-base --pack experiments/overfitting/data_pack", "make-base --pack data_pack.tar --out base"},
       {{1, "the pack is damaged or malformed, or has no rows for a base"},
        {3, k_io},
        {130, k_interrupted}}});
  verb.path("--pack,--pack-root", request->pack, "Read this pack, a folder or a .tar").required();
  verb.path("--out,--output,--dest,-o", request->out,
            "Write vl/ and audio/, Hugging Face folders, to this folder");
  verb.whole("--width", request->width, {32, 1024},
             "Make the language model this wide, a multiple of 8; more leaves the null space more room");
  verb.whole("--steps", request->steps, common::k_positive_whole, "Train for this many steps");
  verb.whole("--batch-size", request->batch_size, {8, 4096}, "Train on this many rows a step");
  verb.real("--lr", request->learning_rate, common::RealRange::positive, "Train with this learning rate");
  verb.whole("--seed", request->seed, {}, "Draw the first weights and the order of rows with this seed");
  verb.action([request](const common::CommonFlags& flags) {
    require_one_process("make-base");
    if (request->width % k_base_width_step != 0)
      throw common::Error(
          common::ErrorKind::usage,
          fmt::format("--width is {} and must be a multiple of {}; give {} or {}", request->width,
                      k_base_width_step, request->width / k_base_width_step * k_base_width_step,
                      (request->width / k_base_width_step + 1) * k_base_width_step));
    request->threads = flags.threads;
    request->verbosity = flags.verbosity();
    return on_device([&] {
      print_result(make_base(*request), *request, flags);
      return 0;
    });
  });
}

}  // namespace trainer
