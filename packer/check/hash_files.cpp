#include "packer/check/hash_files.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "common/parallel.hpp"
#include "common/program.hpp"

namespace packer {
namespace {

// All of a thread's together are hashed out of the second-level cache that they were read into; larger ones
// cost 5 to 10 %. Below the least, system calls cost more than that.
std::size_t piece_bytes(std::size_t lanes) {
  return std::clamp<std::size_t>((512 << 10) / lanes, 32 << 10, 128 << 10);
}

// Hands out the files.
class Queue {
 public:
  Queue(std::size_t count, std::size_t threads, const BeginFile& begin)
      : count_(count), threads_(threads), begin_(begin) {}

  // The next file to read; null at the end.
  std::unique_ptr<FileReading> begin_next() {
    for (;;) {
      const std::size_t i = next_.fetch_add(1);
      if (i >= count_) return nullptr;
      if (auto reading = begin_(i)) return reading;
    }
  }
  // Whether a thread with `own` files may have one more: towards the end all have equally many, so that none
  // takes two while another has none.
  [[nodiscard]] bool has_for(std::size_t own) const { return own * threads_ + next_.load() <= count_; }
  void stop() { next_.store(count_); }

 private:
  std::size_t count_, threads_;
  const BeginFile& begin_;
  std::atomic<std::size_t> next_{0};
};

// One of a thread's files.
class Lane {
 public:
  explicit Lane(std::size_t buffer_bytes) : buffer_(buffer_bytes) {}
  [[nodiscard]] bool is_reading() const { return reading_ != nullptr; }
  [[nodiscard]] bool has_piece() const { return !piece_.empty(); }
  void begin_next(Queue& queue) { reading_ = queue.begin_next(); }

  // The next piece of the file, or its end.
  void read_on() {
    common::throw_if_stop_requested();
    piece_ = reading_->read(buffer_);
    if (has_piece()) return reading_->check().note(piece_);
    reading_->conclude();
    reading_ = nullptr;
  }

  // What is to be hashed.
  [[nodiscard]] common::HashPiece piece() { return {&reading_->check().hasher(), &piece_}; }

 private:
  common::ReadBuffer buffer_;
  std::unique_ptr<FileReading> reading_;
  common::ByteView piece_;  // of `buffer_`, what is to be hashed
};

// Half of the files that a process may have open, shared by all threads.
std::size_t files_a_thread(std::size_t threads) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return common::k_most_lanes;
  return std::max<std::size_t>(1, static_cast<std::size_t>(limit.rlim_cur) / 2 / threads);
}

void work(Queue& queue, std::size_t files_at_once, const common::LaneChoice& choice) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (std::size_t i = 0; i < files_at_once; ++i)
    lanes.push_back(std::make_unique<Lane>(piece_bytes(files_at_once)));
  // Gives the lane a piece where it may have one.
  const auto fill = [&](Lane& lane) {
    while (!lane.has_piece()) {
      if (!lane.is_reading()) {
        const auto own =
            std::count_if(lanes.begin(), lanes.end(), [](const auto& other) { return other->is_reading(); });
        if (own == 0 || queue.has_for(static_cast<std::size_t>(own))) lane.begin_next(queue);
      }
      if (!lane.is_reading()) return;
      lane.read_on();
    }
  };
  std::vector<common::HashPiece> pieces;
  for (;;) {
    pieces.clear();
    for (const auto& lane : lanes) {
      fill(*lane);
      if (lane->has_piece()) pieces.push_back(lane->piece());
    }
    if (pieces.empty()) return;
    common::update_together(pieces, choice);
  }
}

}  // namespace

void hash_files(std::size_t count, unsigned threads, const BeginFile& begin,
                const common::LaneChoice& choice) {
  const std::size_t workers = std::min<std::size_t>(common::thread_count(threads), count);
  Queue queue(count, workers, begin);
  const std::size_t files_at_once =
      std::min(choice.lanes(), files_a_thread(std::max<std::size_t>(workers, 1)));
  common::parallel_for(workers, threads, [&](std::size_t) {
    try {
      work(queue, files_at_once, choice);
    } catch (...) {
      queue.stop();
      throw;
    }
  });
}

}  // namespace packer
