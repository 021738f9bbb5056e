#include "packer/tar/stream.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace packer {
namespace {
constexpr std::size_t k_chunk_bytes = 256 << 10;
constexpr std::size_t k_chunks_ahead = 8;
}  // namespace

void Stream::skip(std::uint64_t count) {
  common::Bytes buffer(static_cast<std::size_t>(std::min<std::uint64_t>(count, k_chunk_bytes)));
  while (count > 0) {
    const std::size_t got =
        read(buffer.data(), static_cast<std::size_t>(std::min<std::uint64_t>(count, buffer.size())));
    if (got == 0) return;
    count -= got;
  }
}

std::size_t PlacedStream::read(std::uint8_t* to, std::size_t size) {
  const std::size_t got = file_.read_at(to, size, at_, name_);
  at_ += got;
  return got;
}

namespace {
struct Chunk {
  common::Bytes bytes;
  std::optional<std::uint64_t> compressed;  // of the inner stream behind these bytes
};
}  // namespace

struct ReadAhead::State {
  std::unique_ptr<Stream> inner;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Chunk> full;
  std::deque<common::Bytes> empty;
  bool ended = false;    // the reader has put everything into `full`
  bool stopped = false;  // nobody will read on
  std::exception_ptr failure;
  Chunk current;
  std::size_t at = 0;
  std::thread thread;

  void fill() {
    try {
      for (;;) {
        common::Bytes chunk = next_empty();
        if (chunk.empty()) return;
        chunk.resize(read_full(*inner, chunk.data(), chunk.size()));
        const bool last = chunk.size() < k_chunk_bytes;
        const auto compressed = inner->compressed_bytes();
        const std::lock_guard lock(mutex);
        if (!chunk.empty()) full.push_back({std::move(chunk), compressed});
        ended = last;
        changed.notify_all();
        if (last) return;
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      failure = std::current_exception();
      ended = true;
      changed.notify_all();
    }
  }

  // A buffer to fill; an empty one where nobody wants more.
  common::Bytes next_empty() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return stopped || full.size() < k_chunks_ahead; });
    if (stopped) return {};
    common::Bytes chunk;
    if (!empty.empty()) {
      chunk = std::move(empty.front());
      empty.pop_front();
    }
    chunk.resize(k_chunk_bytes);
    return chunk;
  }

  // Makes `current` the next filled buffer; false at the end.
  bool advance() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return ended || !full.empty(); });
    if (full.empty()) {
      if (failure) std::rethrow_exception(failure);
      return false;
    }
    if (!current.bytes.empty()) empty.push_back(std::move(current.bytes));
    current = std::move(full.front());
    full.pop_front();
    at = 0;
    changed.notify_all();
    return true;
  }
};

ReadAhead::ReadAhead(std::unique_ptr<Stream> inner) : state_(std::make_unique<State>()) {
  state_->inner = std::move(inner);
  state_->thread = std::thread([state = state_.get()] { state->fill(); });
}

ReadAhead::~ReadAhead() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopped = true;
    state_->changed.notify_all();
  }
  state_->thread.join();
}

std::size_t ReadAhead::read(std::uint8_t* to, std::size_t size) {
  State& s = *state_;
  if (s.at == s.current.bytes.size() && !s.advance()) return 0;
  const std::size_t count = std::min(size, s.current.bytes.size() - s.at);
  std::memcpy(to, s.current.bytes.data() + s.at, count);
  s.at += count;
  return count;
}

std::optional<std::uint64_t> ReadAhead::compressed_bytes() const { return state_->current.compressed; }

std::optional<common::Finding> ReadAhead::fault() const {
  const std::lock_guard lock(state_->mutex);
  return state_->ended ? state_->inner->fault() : std::nullopt;
}

std::size_t read_full(Stream& stream, std::uint8_t* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const std::size_t got = stream.read(to + done, size - done);
    if (got == 0) break;
    done += got;
  }
  return done;
}

}  // namespace packer
