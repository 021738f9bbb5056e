// From a report to the bytes: the lines in the head of report.html that name its runs, and the check that
// follows them.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "packer/check/open.hpp"
#include "trainer/report/comparison.hpp"
#include "trainer/results/run_check.hpp"

namespace trainer {

// What a page was made from beside its runs.
struct PageSources {
  std::vector<std::string> run_paths;  // one a run of the comparison, seen from the page's folder
  std::string media;                   // "pack" or "none"
  std::string gnuplot;                 // its version
  std::string jpeg;                    // the library that wrote the small pictures, or "none"
};
[[nodiscard]] std::vector<std::string> run_paths_from(const Comparison& comparison,
                                                      const std::filesystem::path& page);

// <meta> lines: each run's SHA256SUMS digest, pack id and path from the page's folder; the digest of
// report.json; where pictures, sounds and figures come from and by which programs; the primary comparison and
// another program's scores, where they were named; and a place for the page's own digest, which seal_page
// fills in.
[[nodiscard]] std::string link_lines(const Comparison& comparison, const PageSources& sources);
// The page with its own SHA-256 (taken while that place holds zeros) put in.
[[nodiscard]] std::string seal_page(std::string page);

struct ReportLocations {
  std::filesystem::path page;
  std::optional<std::filesystem::path> runs{};         // a folder that has the runs, where they have moved
  std::optional<std::filesystem::path> trusted_key{};  // the public key that must have signed every run
  const packer::VerifiedPack* pack = nullptr;          // of the runs: its pictures and sounds are compared
};

struct ReportCheck {
  common::Findings findings;              // empty: the page, its runs and its numbers are what they were
  common::Digest page_digest;             // of the file
  std::vector<std::string> pack_ids;      // of the runs, each once
  std::vector<std::string> not_compared;  // what this machine cannot make again, a sentence each
};

// R8: the page against its own digest, every run (trainer/results/run_check.hpp) against the digest that the
// page has of it, and the page and report.json against those that are made again from the runs, byte by byte.
// A file that is no report is a format error.
[[nodiscard]] ReportCheck verify_report(const ReportLocations& locations);

}  // namespace trainer
