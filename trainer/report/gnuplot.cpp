#include "trainer/report/gnuplot.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

#include "common/error.hpp"
#include "trainer/report/html.hpp"

namespace trainer {
namespace {

using common::Error;
using common::ErrorKind;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using TemporaryFile = std::unique_ptr<std::FILE, CloseFile>;

// Without a name, in the folder that TMPDIR says; std::tmpfile always takes /tmp.
TemporaryFile temporary_file() {
  std::error_code none;
  std::string name = (std::filesystem::temp_directory_path(none) / "safe-packs-XXXXXX").string();
  const int descriptor = none ? -1 : ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor >= 0) ::unlink(name.c_str());
  TemporaryFile file(descriptor < 0 ? nullptr : ::fdopen(descriptor, "w+"));
  if (!file)
    common::throw_errno("cannot make a temporary file for gnuplot; set TMPDIR to a folder with space");
  return file;
}

std::string content_of(std::FILE* file) {
  std::string text;
  std::rewind(file);
  char buffer[1 << 16];
  for (std::size_t got; (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;) text.append(buffer, got);
  return text;
}

// Nothing where gnuplot is not installed. Files and not pipes: no deadlock, whatever either side writes
// first. -d: nobody's ~/.gnuplot.
std::optional<std::string> run_gnuplot(const std::string& script) {
  const TemporaryFile in = temporary_file(), out = temporary_file(), err = temporary_file();
  std::fwrite(script.data(), 1, script.size(), in.get());
  if (std::fflush(in.get()) != 0) common::throw_errno("cannot write a script for gnuplot");
  std::rewind(in.get());
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(in.get()), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(out.get()), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, ::fileno(err.get()), STDERR_FILENO);
  char name[] = "gnuplot", flag[] = "-d";
  char* arguments[] = {name, flag, nullptr};
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, name, &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) return std::nullopt;
  errno = failure;
  if (failure != 0) common::throw_errno("cannot start gnuplot");
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) common::throw_errno("cannot wait for gnuplot");
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
    throw Error(ErrorKind::io, "gnuplot failed; please report it: " + content_of(err.get()));
  return content_of(out.get());
}

void replace_all(std::string& text, std::string_view from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
}

// Takes out every piece from `begin` to the end of `end`.
void drop_all(std::string& text, std::string_view begin, std::string_view end) {
  for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
    const std::size_t last = text.find(end, at + begin.size());
    ENSURE(last != std::string::npos);
    text.erase(at, last + end.size() - at);
  }
}

std::string variable_of(int sentinel) {
  switch (sentinel) {
    case 1:
      return "var(--ink)";
    case 2:
      return "var(--muted)";
    case 3:
      return "var(--grid)";
    default:
      // What a version of gnuplot draws in a colour of its own is drawn in ink.
      if (sentinel < 16 || sentinel >= 16 + colour::k_series) return "var(--ink)";
      return fmt::format("var(--s{})", sentinel - 16);
  }
}

// "rgb(  1,   1,   1)" and "rgb(1,1,1)": all three are the sentinel.
std::string with_variables(const std::string& svg) {
  std::string out;
  std::size_t from = 0;
  for (std::size_t at; (at = svg.find("rgb(", from)) != std::string::npos;) {
    out += svg.substr(from, at - from) + variable_of(std::atoi(svg.c_str() + at + 4));
    from = svg.find(')', at) + 1;
  }
  return out + svg.substr(from);
}

}  // namespace

namespace colour {
std::string series(std::size_t index) {
  return fmt::format("'#{0:02x}{0:02x}{0:02x}'", 16 + index % k_series);
}
}  // namespace colour

namespace {

// What only the pictures of draw_svg have, and what their drawing follows.
constexpr std::string_view k_picture = "role=\"img\" aria-labelledby=", k_drawing_begin = "</desc>\n";

std::string svg_begin(const SvgRequest& request) {
  return fmt::format(
      "<svg viewBox=\"0 0 {0} {1}\" role=\"img\" aria-labelledby=\"{2}-title {2}-desc\"><title "
      "id=\"{2}-title\">{3}</title><desc id=\"{2}-desc\">{4}</desc>\n",
      request.width, request.height, request.id, escape_html(request.title),
      escape_html(request.description));
}

}  // namespace

std::string draw_svg(const SvgRequest& request) {
  const std::optional<std::string> drawn = run_gnuplot(
      fmt::format(
          "set encoding utf8\nset terminal svg size {},{} dynamic noenhanced font 'Arial,13' linewidth 1\n",
          request.width, request.height) +
      request.script);
  if (!drawn)
    throw Error(ErrorKind::io, "gnuplot went while it drew; install the package gnuplot-nox and try again");
  std::string svg = *drawn;
  const std::size_t begin = svg.find("<defs>"), end = svg.rfind("</svg>");
  if (begin == std::string::npos || end == std::string::npos)
    throw Error(ErrorKind::io, "gnuplot drew no SVG for the figure " + request.id + "; is it version 5?");
  svg = svg.substr(begin, end - begin);
  // The wrapper group <g id="gnuplot_canvas"> was opened before the cut.
  const std::size_t last_group = svg.rfind("</g>");
  ENSURE(last_group != std::string::npos);
  svg.erase(last_group, 4);
  drop_all(svg, "<filter", "</filter>");
  drop_all(svg, "<title>", "</title>");
  drop_all(svg, " font-family=\"", "\"");
  replace_all(svg, "color=\"black\"", "color=\"var(--ink)\"");
  replace_all(svg, "color=\"gray\"", "color=\"var(--grid)\"");
  replace_all(svg, "color=\"#000000\"", "color=\"var(--ink)\"");
  replace_all(svg, "stroke=\"black\"", "stroke=\"var(--ink)\"");
  replace_all(svg, "xlink:href='#", "href='#" + request.id + "-");
  replace_all(svg, " id='", " id='" + request.id + "-");
  replace_all(svg, " id=\"", " id=\"" + request.id + "-");
  replace_all(svg,
              "<g fill=\"none\" color=\"var(--ink)\" stroke=\"currentColor\" stroke-width=\"1.00\" "
              "stroke-linecap=\"butt\" stroke-linejoin=\"miter\">\n</g>\n",
              "");
  replace_all(svg, "\t", "");
  return svg_begin(request) + with_variables(svg) + "</svg>\n";
}

std::string draw_nothing(const SvgRequest& /*request*/) { return ""; }

std::string frame_svg(const SvgRequest& request) { return svg_begin(request) + "</svg>\n"; }

std::string without_drawings(const std::string& page) {
  std::string out;
  std::size_t from = 0;
  while (true) {
    const std::size_t picture = page.find(k_picture, from);
    const std::size_t begin = picture == std::string::npos ? picture : page.find(k_drawing_begin, picture);
    const std::size_t end = begin == std::string::npos ? begin : page.find("</svg>", begin);
    if (end == std::string::npos) return out + page.substr(from);
    out += page.substr(from, begin + k_drawing_begin.size() - from);
    from = end;
  }
}

std::optional<std::string> gnuplot_version() {
  std::optional<std::string> version = run_gnuplot(
      "set print '-'\nprint 'gnuplot '.sprintf('%.1f', GPVAL_VERSION).' patchlevel '.GPVAL_PATCHLEVEL\n");
  if (version) version->erase(version->find_last_not_of(" \n\r") + 1);
  return version;
}

std::string axes_script() {
  return fmt::format(
      "set border 3 lc rgb {0}\nset tics nomirror out textcolor rgb {1}\nset grid ytics xtics lc rgb {2} dt "
      "1 lw "
      "1\nunset key\n",
      colour::k_ink, colour::k_muted, colour::k_grid);
}

std::vector<double> spread_labels(std::vector<double> wanted, double gap) {
  std::vector<std::size_t> order(wanted.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return wanted[a] < wanted[b]; });
  double last = -gap;
  for (const std::size_t i : order) last = wanted[i] = std::max(wanted[i], last + gap);
  double next = 1 + gap;  // what was pushed over the top comes down again
  for (auto i = order.rbegin(); i != order.rend(); ++i) next = wanted[*i] = std::min(wanted[*i], next - gap);
  return wanted;
}

std::string gnuplot_text(const std::string& text, std::size_t limit) {
  std::string kept;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view(" _.,:;()[]=+-/%").find(c) != std::string_view::npos;
    if (plain) kept += c;
  }
  if (kept.size() > limit) kept = kept.substr(0, limit - 3) + "...";
  return "'" + kept + "'";
}

}  // namespace trainer
