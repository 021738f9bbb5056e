// The AudioCaps half of a synthesised source tree.
#pragma once

#include "packer/synthesize/synthesize.hpp"
#include "packer/synthesize/tree_writer.hpp"

namespace packer {

// audiocaps/{train,val}.csv and audiocaps/audio/<split>/; fills its counts of the summary.
void write_audiocaps(const SynthesizeRequest& request, TreeWriter& tree, SynthesizeSummary& summary);

}  // namespace packer
