#include "packer/synthesize/synthesize.hpp"

#include <fmt/format.h>
#include "common/error.hpp"
#include "common/sealed/draft.hpp"
#include "packer/synthesize/audiocaps.hpp"
#include "packer/synthesize/tree_writer.hpp"
#include "packer/synthesize/vqa.hpp"

namespace packer {
namespace {

using common::Error;
using common::ErrorKind;

void check_count(const char* what, int value, int least, int most) {
  if (value < least || value > most)
    throw Error(ErrorKind::usage,
                fmt::format("cannot synthesize {} {}; ask for {} to {}", value, what, least, most));
}

void check_request(const SynthesizeRequest& request) {
  // More pictures than this and the ids of COCO's range run out; more clips and the disk does.
  check_count("clips", request.clips, 1, 50'000);
  check_count("questions", request.questions, 1, 200'000);
  check_count("train questions", request.train_questions, 0, 800'000);
  if (request.out.empty()) throw Error(ErrorKind::usage, "no folder to synthesize into; name one");
}

}  // namespace

SynthesizeSummary synthesize(const SynthesizeRequest& request) {
  check_request(request);
  common::Draft draft(request.out, common::never_replaceable());
  draft.remove_all_but([](const std::string&) { return false; });  // what a kill left
  TreeWriter tree(draft.folder());
  SynthesizeSummary summary;
  write_audiocaps(request, tree, summary);
  write_vqa(request, tree, summary);
  summary.bytes = tree.bytes();
  draft.publish();
  return summary;
}

}  // namespace packer
