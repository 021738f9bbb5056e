// Whether all processes of a run still live. Each says so twice a second; rank 0 looks at the others, they
// look at rank 0. Where one is silent for k_silence, or says that it failed, the others end, whatever they
// are waiting for.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "trainer/distributed/key_store.hpp"

namespace trainer {

class Heartbeat {
 public:
  static constexpr std::chrono::seconds k_patience{120};  // for all to come
  static constexpr std::chrono::seconds k_silence{30};

  // Waits until all have come; an io error that names those who have not.
  explicit Heartbeat(const World& world);
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // Something between the processes broke: waits until it is known which of them is gone, and ends the
  // process with a sentence about it. An io error with `what` where all live.
  [[noreturn]] void explain(const std::string& what);
  // This process ends with `code`, and so must all; returns when rank 0 knows that they have, or after a few
  // seconds. Where another failed in the same moment it ends this one without a word: one of them says it.
  void fail(int code);
  // All is done: rank 0 returns when nobody needs it any more.
  void finish();

 private:
  void meet();
  void beat();
  void watch();
  void look_at_others();
  void end_if_one_failed();
  void leave();
  void wait_for_leaving(std::chrono::seconds patience);
  [[noreturn]] void lost(int rank, const std::string& host);

  World world_;
  std::mutex mutex_;  // of store_
  std::unique_ptr<KeyStore> store_;
  std::atomic<bool> stops_ = false, has_met_ = false;
  std::atomic<std::chrono::steady_clock::time_point> answered_;  // by the store, for the last time
  struct Other {
    std::string host, last;
    std::chrono::steady_clock::time_point changed;
    bool left = false;
  };
  std::vector<Other> others_;  // by rank
  std::thread beats_, watches_;
};

}  // namespace trainer
