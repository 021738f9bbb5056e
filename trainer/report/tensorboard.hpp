// TensorBoard event files made from a finished run: every number of history.jsonl at its step, and the flat
// numbers of metrics.json at the last one. The bytes follow from the run alone: wall_time is the step in
// seconds, since a clock would make two equal runs differ.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "common/bytes.hpp"
#include "trainer/results/run_summary.hpp"

namespace trainer {

// The content of an events.out.tfevents file. Format: TFRecord (tensorflow/core/lib/io/record_writer.h), each
// record an Event message (tensorflow/core/util/event.proto).
[[nodiscard]] std::string event_file(const RunSummary& run);

// `folder`/<name of the run>/events.out.tfevents.0.safe for every run; `tensorboard --logdir folder` opens
// it.
void write_event_files(const std::vector<RunSummary>& runs, const std::filesystem::path& folder);

// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

}  // namespace trainer
