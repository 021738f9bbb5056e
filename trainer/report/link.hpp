// From a report to the bytes: the lines in the head of report.html that name its runs, and the check that
// follows them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "trainer/report/comparison.hpp"
#include "trainer/results/run_check.hpp"

namespace trainer {

// <meta> lines: each run's SHA256SUMS digest, pack id and path from the page's folder; the digest of
// report.json; and a place for the page's own digest, which seal_page fills in.
[[nodiscard]] std::string link_lines(const Comparison& comparison, const std::filesystem::path& page);
// The page with its own SHA-256 (taken while that place holds zeros) put in.
[[nodiscard]] std::string seal_page(std::string page);

struct ReportLocations {
  std::filesystem::path page;
  std::optional<std::filesystem::path> runs{};         // a folder that has the runs, where they have moved
  std::optional<std::filesystem::path> trusted_key{};  // the public key that must have signed every run
};

struct ReportCheck {
  common::Findings findings;          // empty: the page, its runs and its numbers are what they were
  common::Digest page_digest;         // of the file
  std::vector<std::string> pack_ids;  // of the runs, each once
};

// The page against its own digest, every run against the digest that the page has of it, and report.json made
// again from the runs against the page's digest of it. A file that is no report is a format error.
[[nodiscard]] ReportCheck verify_report(const ReportLocations& locations);

}  // namespace trainer
