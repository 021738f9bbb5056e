// report.html: one page that opens without a network, on a phone, on paper, in the light and in the dark. It
// runs no script and fetches nothing (its Content-Security-Policy says so to the browser). Its head names
// every run by the digest of its SHA256SUMS, so that link.hpp can follow it to the bytes.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/comparison.hpp"
#include "trainer/report/gnuplot.hpp"
#include "trainer/report/media.hpp"

namespace trainer {

// By which gnuplot the figures are drawn.
struct FigureSource {
  std::string version;  // as gnuplot_version() says
  Draw draw;
};

[[nodiscard]] FigureSource figures_here();

struct PageRequest {
  const Comparison& comparison;
  const Examples& examples;
  std::filesystem::path page;  // where it will lie: runs are named relative to its folder
  // For making a page again: the paths of its runs as it names them, and what made its figures and pictures.
  std::optional<std::vector<std::string>> run_paths{};
  std::optional<FigureSource> figures{};
  std::optional<std::string> jpeg{};  // as jpeg_library() says, of whoever wrote the pictures
};

// A function of the runs' bytes, their paths, the media and the versions of gnuplot and libjpeg, which its
// head names. Without gnuplot, where the request does not say how figures come about, it has none and says
// so.
[[nodiscard]] std::string write_page(const PageRequest& request);

}  // namespace trainer
