#include "trainer/distributed/heartbeat.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "common/error.hpp"
#include "common/terminal.hpp"

namespace trainer {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds k_pause{500};
constexpr int k_lost_code = 3;

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "an unknown machine";
  return name.data();
}

std::string key(const char* what, int rank) { return fmt::format("{}/{}", what, rank); }

// No destructors: other threads stand in the middle of something.
[[noreturn]] void end_process(int code) {
  std::fflush(stdout);
  ::_exit(code);
}

}  // namespace

Heartbeat::Heartbeat(const World& world)
    : world_(world), answered_(Clock::now()), others_(static_cast<std::size_t>(world.size)) {
  watches_ = std::thread([this] { watch(); });
  try {
    store_ = std::make_unique<KeyStore>(world_, world_.rank == 0 ? StoreSide::serve : StoreSide::connect,
                                        k_patience);
    meet();
  } catch (...) {
    stops_ = true;
    watches_.join();
    throw;
  }
  has_met_ = true;
  beats_ = std::thread([this] { beat(); });
}

Heartbeat::~Heartbeat() {
  stops_ = true;
  if (beats_.joinable()) beats_.join();
  if (watches_.joinable()) watches_.join();
}

void Heartbeat::meet() {
  store_->set(key("beat", world_.rank), "0");
  store_->set(key("host", world_.rank), host_name());
  const Clock::time_point end = Clock::now() + k_patience;
  for (;;) {
    std::vector<int> missing;
    for (int rank = 0; rank < world_.size; ++rank) {
      Other& other = others_[static_cast<std::size_t>(rank)];
      if (!other.host.empty()) continue;
      if (const auto host = store_->find(key("host", rank)))
        other = {*host, "0", Clock::now(), false};
      else
        missing.push_back(rank);
    }
    answered_ = Clock::now();
    if (missing.empty()) return;
    if (Clock::now() > end)
      throw common::Error(
          common::ErrorKind::io,
          fmt::format("{} of {} processes did not come within {} s (rank {}); start all of them: srun "
                      "or torchrun with as many",
                      missing.size(), world_.size, k_patience.count(), fmt::join(missing, ", ")));
    std::this_thread::sleep_for(milliseconds(50));
  }
}

void Heartbeat::lost(int rank, const std::string& host) {
  if (rank != 0) {
    const std::lock_guard lock(mutex_);
    store_->set("failed", fmt::format("{} {}", rank, k_lost_code));
  }
  // One of those who are left says it for all.
  if (world_.rank == (rank == 0 ? 1 : 0))
    common::print_line(
        stderr, fmt::format("safe-trainer: rank {} on {} does not answer any more (killed, out of memory, "
                            "or its machine or network is down), and the run ends with it; the same "
                            "command with --resume goes on from the last checkpoint",
                            rank, host));
  if (rank != 0) wait_for_leaving(seconds(3));
  end_process(k_lost_code);
}

void Heartbeat::end_if_one_failed() {
  std::optional<std::string> failed;
  {
    const std::lock_guard lock(mutex_);
    failed = store_->find("failed");
    if (failed && std::atoi(failed->c_str()) != world_.rank) store_->set(key("left", world_.rank), "1");
  }
  if (!failed || std::atoi(failed->c_str()) == world_.rank) return;
  end_process(std::atoi(failed->substr(failed->find(' ') + 1).c_str()));
}

void Heartbeat::look_at_others() {
  for (int rank = 1; rank < world_.size; ++rank) {
    Other& other = others_[static_cast<std::size_t>(rank)];
    if (other.left) continue;
    std::optional<std::string> now;
    {
      const std::lock_guard lock(mutex_);
      other.left = store_->find(key("left", rank)).has_value();
      now = store_->find(key("beat", rank));
    }
    if (now && *now != other.last) {
      other.last = *now;
      other.changed = Clock::now();
    } else if (!other.left && Clock::now() - other.changed > k_silence) {
      lost(rank, other.host);
    }
  }
}

void Heartbeat::beat() {
  try {
    for (std::uint64_t count = 1; !stops_; ++count) {
      {
        const std::lock_guard lock(mutex_);
        store_->set(key("beat", world_.rank), std::to_string(count));
      }
      end_if_one_failed();
      if (world_.rank == 0) look_at_others();
      answered_ = Clock::now();
      std::this_thread::sleep_for(k_pause);
    }
  } catch (const std::exception&) {
    if (!stops_) lost(0, others_.front().host);
  }
}

// The store itself may not answer, and then its calls do not return.
void Heartbeat::watch() {
  while (!stops_) {
    std::this_thread::sleep_for(milliseconds(100));
    const Clock::duration silent = Clock::now() - answered_.load();
    if (has_met_ && silent > k_silence) lost(0, others_.front().host);
    if (!has_met_ && silent > k_patience + seconds(10)) {
      common::print_line(stderr,
                         fmt::format("safe-trainer: what answers at {}:{} is not rank 0 of this run; set "
                                     "MASTER_PORT to a free port, the same for all",
                                     world_.address, world_.port));
      end_process(k_lost_code);
    }
  }
}

void Heartbeat::explain(const std::string& what) {
  std::this_thread::sleep_for(k_silence + seconds(10));
  throw common::Error(common::ErrorKind::io, "the processes of the run lost each other: " + what);
}

void Heartbeat::wait_for_leaving(seconds patience) {
  const Clock::time_point end = Clock::now() + patience;
  for (int rank = 1; rank < world_.size; ++rank)
    while (Clock::now() < end) {
      {
        const std::lock_guard lock(mutex_);
        if (store_->find(key("left", rank))) break;
      }
      std::this_thread::sleep_for(milliseconds(20));
    }
}

void Heartbeat::fail(int code) {
  // What fails everywhere, such as a pack that is not there, rank 0 says.
  if (world_.rank != 0) std::this_thread::sleep_for(seconds(2));
  try {
    {
      const std::lock_guard lock(mutex_);
      store_->set("failed", fmt::format("{} {}", world_.rank, code));
    }
    if (world_.rank == 0) wait_for_leaving(seconds(5));
    stops_ = true;
  } catch (const std::exception&) {  // nobody is left to be told
    stops_ = true;
  }
}

void Heartbeat::finish() {
  {
    const std::lock_guard lock(mutex_);
    stops_ = true;
    store_->set(key("left", world_.rank), "1");
  }
  if (world_.rank == 0) wait_for_leaving(seconds(30));
}

}  // namespace trainer
