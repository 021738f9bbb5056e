// The VQA half of a synthesised source tree.
#pragma once

#include "packer/synthesize/synthesize.hpp"
#include "packer/synthesize/tree_writer.hpp"

namespace packer {

// vqa/, the official files of val2014 and train2014 and their pictures; fills its counts of the summary.
void write_vqa(const SynthesizeRequest& request, TreeWriter& tree, SynthesizeSummary& summary);

}  // namespace packer
