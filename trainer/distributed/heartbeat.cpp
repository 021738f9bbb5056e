#include "trainer/distributed/heartbeat.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "common/error.hpp"
#include "common/program.hpp"
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

// A thread's sleeps, and whether the last was far longer than it should have been: the whole process was
// stopped (SIGSTOP, a suspended job), and what the others did meanwhile is not known.
class Nap {
 public:
  void take(milliseconds length) {
    std::this_thread::sleep_for(length);
    const Clock::time_point now = Clock::now();
    was_long_ = now - last_ > seconds(5) + length;
    last_ = now;
  }
  [[nodiscard]] bool was_long() const { return was_long_; }

 private:
  Clock::time_point last_ = Clock::now();
  bool was_long_ = false;
};

// No destructors: other threads stand in the middle of something.
[[noreturn]] void end_process(int code) {
  std::fflush(stdout);
  ::_exit(code);
}

}  // namespace

Heartbeat::Heartbeat(const World& world)
    : world_(world), answered_(Clock::now()), others_(static_cast<std::size_t>(world.size)) {
  watches_ = std::thread([this] { watch(); });
  const auto stop_watching = [this] {
    stops_ = true;
    watches_.join();
  };
  try {
    store_ = std::make_unique<KeyStore>(world_, world_.rank == 0 ? StoreSide::serve : StoreSide::connect,
                                        k_patience);
    meet();
  } catch (const common::Error&) {
    stop_watching();
    throw;
  } catch (const std::exception&) {  // the store is gone
    stop_watching();
    throw common::Error(common::ErrorKind::io,
                        "rank 0 ended before all processes had come; look at its message");
  }
  has_met_ = true;
  beats_ = std::thread([this] { beat(); });
}

Heartbeat::~Heartbeat() {
  stops_ = true;
  if (beats_.joinable()) beats_.join();
  if (watches_.joinable()) watches_.join();
}

void Heartbeat::leave() {
  const std::lock_guard lock(mutex_);
  store_->set(key("left", world_.rank), "1");
}

void Heartbeat::meet() {
  store_->set(key("beat", world_.rank), "0");
  const std::string own = fmt::format("{} {}", host_name(), ::getpid());
  if (const std::string there = store_->claim(key("host", world_.rank), own); there != own)
    throw common::Error(
        common::ErrorKind::io,
        fmt::format("rank {} has met the others already, from {}: two runs meet at {}:{}; give this "
                    "one another MASTER_PORT",
                    world_.rank, there.substr(0, there.find(' ')), world_.address, world_.port));
  const Clock::time_point end = Clock::now() + k_patience;
  for (;;) {
    common::throw_if_stop_requested();
    std::vector<int> missing;
    for (int rank = 0; rank < world_.size; ++rank) {
      Other& other = others_[static_cast<std::size_t>(rank)];
      if (!other.host.empty()) continue;
      if (const auto host = store_->find(key("host", rank)))
        other = {host->substr(0, host->find(' ')), "0", Clock::now(), false};
      else
        missing.push_back(rank);
    }
    answered_ = Clock::now();
    if (missing.empty()) return;
    if (world_.rank == 0 && Clock::now() > end)
      throw common::Error(
          common::ErrorKind::io,
          fmt::format("{} of {} processes did not come within {} s (rank {}); start all of them, by srun or "
                      "torchrun with as many",
                      missing.size(), world_.size, k_patience.count(), fmt::join(missing, ", ")));
    std::this_thread::sleep_for(milliseconds(50));
  }
}

void Heartbeat::lost(int rank, const std::string& host) {
  if (rank != 0) {
    const std::lock_guard lock(mutex_);
    store_->set("failed", fmt::format("{} {}", rank, k_lost_code));
  }
  common::print_line(stderr,
                     fmt::format("safe-trainer: rank {} on {} does not answer any more (killed, out of "
                                 "memory, or its machine or network is down), and the run ends with it; the "
                                 "same command with --resume goes on from the last checkpoint",
                                 rank, host));
  if (rank != 0) wait_for_leaving(seconds(3));
  end_process(k_lost_code);
}

void Heartbeat::end_if_one_failed() {
  std::optional<std::string> failed;
  {
    const std::lock_guard lock(mutex_);
    failed = store_->find("failed");
  }
  if (!failed || std::atoi(failed->c_str()) == world_.rank) return;
  leave();
  // The store ends with rank 0.
  if (world_.rank == 0) wait_for_leaving(seconds(3));
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
    Nap nap;
    for (std::uint64_t count = 1; !stops_; ++count) {
      {
        const std::lock_guard lock(mutex_);
        store_->set(key("beat", world_.rank), std::to_string(count));
      }
      end_if_one_failed();
      if (nap.was_long())
        for (Other& other : others_) other.changed = Clock::now();
      if (world_.rank == 0) look_at_others();
      answered_ = Clock::now();
      nap.take(k_pause);
    }
  } catch (const std::exception&) {
    if (!stops_) lost(0, others_.front().host);
  }
}

// The store itself may not answer, and then its calls do not return.
void Heartbeat::watch() {
  Nap nap;
  while (!stops_) {
    nap.take(milliseconds(100));
    if (nap.was_long()) answered_ = Clock::now();
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
    const std::string own = fmt::format("{} {}", world_.rank, code);
    std::string first;
    {
      const std::lock_guard lock(mutex_);
      first = store_->claim("failed", own);
    }
    leave();
    if (world_.rank == 0) wait_for_leaving(seconds(5));
    if (first != own) end_process(std::atoi(first.substr(first.find(' ') + 1).c_str()));
  } catch (const std::exception&) {  // nobody is left to be told
  }
  stops_ = true;
}

void Heartbeat::finish() {
  stops_ = true;
  leave();
  if (world_.rank == 0) wait_for_leaving(seconds(30));
}

}  // namespace trainer
