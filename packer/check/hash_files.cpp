#include "packer/check/hash_files.hpp"

#include <algorithm>
#include <atomic>

#include "common/parallel.hpp"
#include "common/program.hpp"

namespace packer {
namespace {

// Two of them are hashed out of the second-level cache that they were read into; larger ones cost 5 to 10 %.
constexpr std::size_t k_piece_bytes = 128 << 10;

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
  // Towards the end each thread has one file, so that none takes two while another has none.
  [[nodiscard]] bool has_plenty() const { return next_.load() + threads_ <= count_; }
  void stop() { next_.store(count_); }

 private:
  std::size_t count_, threads_;
  const BeginFile& begin_;
  std::atomic<std::size_t> next_{0};
};

// One of a thread's two files.
class Lane {
 public:
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

  void hash() {
    reading_->check().hash(piece_);
    piece_ = {};
  }
  static void hash(Lane& a, Lane& b) {
    hash_both(a.reading_->check(), a.piece_, b.reading_->check(), b.piece_);
  }

 private:
  common::ReadBuffer buffer_ = common::ReadBuffer(k_piece_bytes);
  std::unique_ptr<FileReading> reading_;
  common::ByteView piece_;  // of `buffer_`, what is to be hashed
};

void work(Queue& queue) {
  Lane first, second;
  // Gives the lane a piece where it may have one.
  const auto fill = [&](Lane& lane) {
    while (!lane.has_piece()) {
      if (!lane.is_reading() && (&lane == &first || queue.has_plenty())) lane.begin_next(queue);
      if (!lane.is_reading()) return;
      lane.read_on();
    }
  };
  for (;;) {
    fill(first);
    fill(second);
    if (first.has_piece() && second.has_piece())
      Lane::hash(first, second);
    else if (first.has_piece())
      first.hash();
    else if (second.has_piece())
      second.hash();
    else
      return;
  }
}

}  // namespace

void hash_files(std::size_t count, unsigned threads, const BeginFile& begin) {
  const std::size_t workers = std::min<std::size_t>(common::thread_count(threads), count);
  Queue queue(count, workers, begin);
  common::parallel_for(workers, threads, [&](std::size_t) {
    try {
      work(queue);
    } catch (...) {
      queue.stop();
      throw;
    }
  });
}

}  // namespace packer
