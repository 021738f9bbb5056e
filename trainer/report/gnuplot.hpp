// Figures by gnuplot, as SVG that belongs to the page it stands in: colours are the page's CSS variables, so
// that one figure is good on light, dark and paper; fonts are inherited; ids are unique; nothing is fetched.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace trainer {

// Colours for scripts. Each is a sentinel that draw_svg replaces by a variable.
namespace colour {
inline constexpr int k_series = 8;  // --s0 .. --s7
inline constexpr const char* k_ink = "'#010101'";
inline constexpr const char* k_muted = "'#020202'";
inline constexpr const char* k_grid = "'#030303'";
[[nodiscard]] std::string series(std::size_t index);
}  // namespace colour

struct SvgRequest {
  std::string id;  // unique on the page; letters, digits and -
  int width = 0, height = 0;
  std::string title, description;  // for those who do not see it
  // Commands after "set terminal". Built of numbers and fixed words; text from data goes through
  // gnuplot_text().
  std::string script;
};

// "gnuplot 5.4 patchlevel 4": another version may draw the same script otherwise. Nothing where none is
// installed.
[[nodiscard]] std::optional<std::string> gnuplot_version();

// How a page comes to its pictures.
using Draw = std::function<std::string(const SvgRequest&)>;
[[nodiscard]] std::string draw_svg(const SvgRequest& request);
// For a page without figures: the numbers stand in its tables.
inline constexpr const char* k_no_gnuplot = "none";
[[nodiscard]] std::string draw_nothing(const SvgRequest& request);
// The same with nothing drawn: size, title and description alone.
[[nodiscard]] std::string frame_svg(const SvgRequest& request);
// A page with every picture of draw_svg emptied to that of frame_svg.
[[nodiscard]] std::string without_drawings(const std::string& page);

// Two axes, a faint grid and no legend, in the page's colours.
[[nodiscard]] std::string axes_script();

// Heights for labels in a column, in 0..1: as near to the wanted ones as a distance of `gap` allows.
[[nodiscard]] std::vector<double> spread_labels(std::vector<double> wanted, double gap);

// A quoted string for a script. What gnuplot could take for more than text is left out.
[[nodiscard]] std::string gnuplot_text(const std::string& text, std::size_t limit = 60);

}  // namespace trainer
