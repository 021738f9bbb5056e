#include "common/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <utility>

#include "common/terminal.hpp"

namespace common {

Progress::Progress(std::string what, std::string unit, std::uint64_t total, Verbosity verbosity)
    : what_(std::move(what)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(::isatty(STDERR_FILENO) == 1),
      quiet_(verbosity == Verbosity::quiet),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  // The last state of a moving line stays; elsewhere a short job prints nothing.
  if (printed_) print(true);
}

void Progress::add(std::uint64_t count) {
  const std::lock_guard lock(mutex_);
  done_ += count;
  const auto now = std::chrono::steady_clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(30000);
  if (quiet_ || now - last_ < pause) return;
  last_ = now;
  print(false);
}

void Progress::go_on_from(std::uint64_t done) {
  const std::lock_guard lock(mutex_);
  done_ = done_before_ = done;
}

void Progress::note(std::string text) {
  const std::lock_guard lock(mutex_);
  note_ = std::move(text);
}

void Progress::print(bool last) {
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_ - done_before_) / seconds : 0;
  std::string line = fmt::format("{} {}/{} {}, {:.4g} {}/s", what_, done_, total_, unit_, rate, unit_);
  if (!last && rate > 0 && total_ > done_)
    line += fmt::format(", {:.0f} s left", static_cast<double>(total_ - done_) / rate);
  if (!note_.empty()) line += ", " + note_;
  line = escape_for_terminal(line);
  std::fprintf(stderr, terminal_ ? "\r\033[K%s%s" : "%s%s", line.c_str(), terminal_ && !last ? "" : "\n");
  std::fflush(stderr);
  printed_ = true;
}

}  // namespace common
