#include "packer/synthesize/synthesize.hpp"

#include <fmt/format.h>
#include "common/error.hpp"
#include "common/sealed/draft.hpp"
#include "packer/synthesize/parts.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
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

void TreeWriter::put(const fs::path& name, common::ByteView bytes) {
  const fs::path shown = root_.path_of(name.string());
  common::File file = root_.create(name.string());
  file.write_all(bytes, shown);
  file.close(shown);
  bytes_ += bytes.size();
}

void TreeWriter::make_folder(const fs::path& name) { root_.make_folder(name.string()); }

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
