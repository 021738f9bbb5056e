// Progress on stderr: a line that moves on a terminal, a plain line every 30 s elsewhere, nothing when quiet.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>

namespace common {

enum class Verbosity { normal, quiet };

class Progress {
 public:
  // `what` is a verb in progress ("copying"), `unit` is what `total` counts ("files", "MB").
  Progress(std::string what, std::string unit, std::uint64_t total, Verbosity verbosity);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  // Safe from many threads.
  void add(std::uint64_t count);
  // What was done by an earlier process: counts, and says nothing of the rate.
  void go_on_from(std::uint64_t done);
  // A remark behind the counts, such as a loss.
  void note(std::string text);

 private:
  void print(bool last);

  std::string what_, unit_, note_;
  std::uint64_t total_ = 0, done_ = 0, done_before_ = 0;
  bool terminal_ = false, quiet_ = false, printed_ = false;
  std::chrono::steady_clock::time_point start_, last_;
  std::mutex mutex_;
};

}  // namespace common
