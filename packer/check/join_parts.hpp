// What verify --part found on several processes or hosts, joined to the report that one verify gives.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "packer/check/verify.hpp"

namespace packer {

// What `verify --part I/N --json` printed.
struct PartReport {
  std::filesystem::path file;
  Part part;
  std::optional<common::Digest> id;  // of the pack that was read; nothing: its seal could not be read
  std::size_t files = 0;             // media of the share
  std::uint64_t bytes = 0;           // of these
  common::Findings findings;
  Place read_at;  // empty: the report does not say
};

// A file that should be such a report and is none, as a task leaves it that was killed.
struct UnreadPart {
  std::filesystem::path file;
  std::string why;  // "is empty"
};

struct PartReports {
  std::vector<PartReport> read;
  std::vector<UnreadPart> unread;
};

// Of each path, which is such a report or a folder of them (*.json).
[[nodiscard]] PartReports read_part_reports(const std::vector<std::filesystem::path>& paths);

// Looks at the pack itself as --quick does, so that its seal, signature, manifests, names and sizes are
// judged now, and takes from the parts what was found in the bytes of media: together every finding of a
// whole verify, and no other. `request` is that of the whole. A usage error where a part comes twice or they
// are not parts of one whole, mismatch where one is of another pack or of another copy on this host, io where
// one is missing; an unread file is none.
[[nodiscard]] Report join_parts(const std::filesystem::path& pack, const PartReports& parts,
                                const ExamineRequest& request);

}  // namespace packer
