// The pack that a run reads. Sources that are no packs (audiocaps, vqa, mock, mock_vl) are built into a pack
// under the run's folder first, sealed, verified and then opened like any other: training never reads
// anything else.
#pragma once

#include "packer/check/open.hpp"
#include "trainer/run/workplace.hpp"
#include "trainer/train/config.hpp"

namespace trainer {

// An io error that names the pack or the folder of tables that is not there: before anything else is looked
// at, so that nothing else is blamed.
void require_source(const RunConfig& config);
// Whether the run reads --pack-root itself.
[[nodiscard]] bool reads_pack_root(const RunConfig& config);

inline constexpr const char* k_source_pack = "source_pack";

// Opens --pack-root, or builds k_source_pack in the workplace and opens that.
[[nodiscard]] packer::VerifiedPack open_source(const RunConfig& config, Workplace& workplace);

}  // namespace trainer
