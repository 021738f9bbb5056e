// report.html: one page that opens without a network, on a phone, on paper, in the light and in the dark. It
// runs no script and fetches nothing (its Content-Security-Policy says so to the browser). Its head names
// every run by the digest of its SHA256SUMS, so that report_link can follow it to the bytes.
#pragma once

#include <filesystem>
#include <string>

#include "trainer/report/comparison.hpp"
#include "trainer/report/media.hpp"

namespace trainer {

struct PageRequest {
  const Comparison& comparison;
  const Examples& examples;
  std::filesystem::path page;  // where it will lie: runs are named relative to its folder
};

// Needs gnuplot: an io error that says how to get it.
[[nodiscard]] std::string write_page(const PageRequest& request);

// Parts of the page that have files of their own.
[[nodiscard]] std::string examples_html(const Comparison& comparison, const Examples& examples);
// A group's mark, letter and label, as it is called everywhere on the page.
[[nodiscard]] std::string group_html(const Comparison& comparison, std::size_t group);
// The style sheet, kept apart because it is long.
[[nodiscard]] const std::string& page_style();

}  // namespace trainer
