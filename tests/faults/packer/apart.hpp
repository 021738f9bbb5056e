// Packs that are made in a process of its own.
#pragma once

#include <filesystem>
#include <optional>

#include "packer/check/verify.hpp"
#include "tests/support/run_apart.hpp"

namespace faults {

namespace fs = std::filesystem;
using support::k_killed;
using support::run_apart;

// Of a pack that is there and verifies.
inline std::optional<common::Digest> id_at(const fs::path& target) {
  packer::ExamineRequest request;
  request.threads = 1;
  request.verbosity = common::Verbosity::quiet;
  const packer::Report report = packer::verify(target, request);
  return report.findings.empty() ? report.id : std::nullopt;
}

}  // namespace faults
