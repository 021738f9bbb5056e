#include "packer/tar/compress.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>
#include <vector>

#include "common/error.hpp"
#include "common/parallel.hpp"

namespace packer {
namespace {

// The forms are written directly, not through libarchive's raw filters: its gzip runs on one thread (half of
// what pigz does on two), and its zstd gives no checksum, which our reader insists on.

class Plain : public common::Sink {
 public:
  explicit Plain(common::Sink& to) : to_(to) {}
  void write(common::ByteView bytes) override { to_.write(bytes); }
  void finish() override {}

 private:
  common::Sink& to_;
};

// One raw deflate stream that is used again and again: setting it up costs as much as a tenth of a block.
class Deflater {
 public:
  Deflater() {
    if (::deflateInit2(&zlib_, k_level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  ~Deflater() { ::deflateEnd(&zlib_); }
  Deflater(const Deflater&) = delete;
  Deflater& operator=(const Deflater&) = delete;

  // Closed by a sync flush, so that what comes next begins at a byte.
  void deflate(common::ByteView dictionary, common::ByteView bytes, common::Bytes& out) {
    ::deflateReset(&zlib_);
    if (!dictionary.empty())
      ::deflateSetDictionary(&zlib_, dictionary.data(), static_cast<uInt>(dictionary.size()));
    out.resize(::deflateBound(&zlib_, static_cast<uLong>(bytes.size())) + 16);
    zlib_.next_in = const_cast<Bytef*>(bytes.data());  // zlib's interface is older than const
    zlib_.avail_in = static_cast<uInt>(bytes.size());
    zlib_.next_out = out.data();
    zlib_.avail_out = static_cast<uInt>(out.size());
    ENSURE(::deflate(&zlib_, Z_SYNC_FLUSH) == Z_OK && zlib_.avail_in == 0 && zlib_.avail_out > 0);
    out.resize(zlib_.total_out);
  }

 private:
  static constexpr int k_level = 6;  // gzip's and pigz's own
  z_stream zlib_{};
};

// One gzip member made of blocks that are deflated in parallel, each with the 32 KiB before it as dictionary,
// as pigz does it: the concatenation is one valid deflate stream, and CRCs combine. The blocks stand in a
// ring: the caller's thread fills them and writes them in order, and deflates too where the ring is full.
class Gzip : public common::Sink {
 public:
  Gzip(common::Sink& to, unsigned threads)
      : to_(to), blocks_(k_blocks_per_thread * common::thread_count(threads)) {
    static constexpr std::array<std::uint8_t, 10> k_header{0x1f, 0x8b, 8, 0, 0,
                                                           0,    0,    0, 0, 3};  // no name, no clock
    to_.write(k_header);
    filling().bytes.reserve(k_dictionary_bytes + k_block_bytes);
    try {
      for (unsigned i = 1; i < common::thread_count(threads); ++i) helpers_.emplace_back([this] { help(); });
    } catch (const std::system_error&) {
      // The machine gives no more threads (a limit on processes): those that run do all of the work.
    }
  }
  ~Gzip() override {
    {
      const std::lock_guard lock(mutex_);
      is_over_ = true;
    }
    changed_.notify_all();
    for (std::thread& helper : helpers_) helper.join();
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;

  void write(common::ByteView bytes) override {
    while (!bytes.empty()) {
      Block& block = filling();
      const std::size_t room = k_block_bytes - (block.bytes.size() - block.dictionary);
      const std::size_t count = std::min(room, bytes.size());
      block.bytes.insert(block.bytes.end(), bytes.begin(),
                         bytes.begin() + static_cast<std::ptrdiff_t>(count));
      bytes = bytes.subspan(count);
      if (count == room) pass_on();
    }
  }

  void finish() override {
    if (filling().bytes.size() > filling().dictionary) pass_on();
    write_out(0);
    std::array<std::uint8_t, 10> tail{0x03, 0x00};  // an empty last deflate block, then CRC and length
    common::store_le(crc_, 4, tail.data() + 2);
    common::store_le(total_, 4, tail.data() + 6);
    to_.write(tail);
  }

 private:
  static constexpr std::size_t k_block_bytes = 128 << 10;
  static constexpr std::size_t k_dictionary_bytes = 32 << 10;
  static constexpr std::size_t k_blocks_per_thread = 4;

  struct Block {
    common::Bytes bytes;         // the dictionary, then what is to be deflated
    std::size_t dictionary = 0;  // how many of them are the dictionary
    common::Bytes out;
    uLong crc = 0;
    bool is_done = false;
  };
  using Lock = std::unique_lock<std::mutex>;

  Block& block(std::size_t number) { return blocks_[number % blocks_.size()]; }
  Block& filling() { return block(filled_); }

  // The block that was filled may be deflated from now on; the next one is filled.
  void pass_on() {
    const common::Bytes& before = filling().bytes;  // nobody writes to it until its turn comes again
    {
      const std::lock_guard lock(mutex_);
      ++filled_;
    }
    changed_.notify_one();
    write_out(blocks_.size() - 1);
    Block& next = filling();
    next.dictionary = std::min(before.size(), k_dictionary_bytes);
    next.bytes.reserve(k_dictionary_bytes + k_block_bytes);
    next.bytes.assign(before.end() - static_cast<std::ptrdiff_t>(next.dictionary), before.end());
  }

  // Writes what is done, in order, until at most `left` blocks are under way.
  void write_out(std::size_t left) {
    Lock lock(mutex_);
    while (written_ < filled_) {
      Block& oldest = block(written_);
      if (failure_) std::rethrow_exception(failure_);
      if (oldest.is_done) {
        lock.unlock();
        to_.write(oldest.out);
        crc_ =
            ::crc32_combine(crc_, oldest.crc, static_cast<z_off_t>(oldest.bytes.size() - oldest.dictionary));
        total_ += oldest.bytes.size() - oldest.dictionary;
        oldest.is_done = false;
        lock.lock();
        ++written_;
      } else if (filled_ - written_ <= left) {
        return;
      } else if (!deflate_next(lock)) {
        changed_.wait(lock, [&] { return oldest.is_done || failure_; });
      }
    }
  }

  void help() {
    Lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return is_over_ || begun_ < filled_; });
      if (is_over_) return;
      (void)deflate_next(lock);
    }
  }

  // Without the lock while it works; false where every filled block has been begun.
  bool deflate_next(Lock& lock) {
    if (begun_ == filled_) return false;
    Block& next = block(begun_++);
    lock.unlock();
    std::exception_ptr failure;
    try {
      deflate(next);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    next.is_done = true;
    if (failure) failure_ = failure;
    changed_.notify_all();
    return true;
  }

  static void deflate(Block& block) {
    thread_local Deflater deflater;
    const common::ByteView all(block.bytes);
    const common::ByteView bytes = all.subspan(block.dictionary);
    deflater.deflate(all.first(block.dictionary), bytes, block.out);
    block.crc = ::crc32(0, bytes.data(), static_cast<uInt>(bytes.size()));
  }

  common::Sink& to_;
  std::vector<Block> blocks_;
  uLong crc_ = 0;
  std::uint64_t total_ = 0;
  // Numbers of blocks, each at most the one before it; the first is changed by the caller's thread only,
  // under the mutex like the rest.
  std::size_t filled_ = 0, begun_ = 0, written_ = 0;
  bool is_over_ = false;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable changed_;  // a block was filled or deflated, or all is over
  std::vector<std::thread> helpers_;
};

class Zstd : public common::Sink {
 public:
  Zstd(common::Sink& to, unsigned threads)
      : to_(to), zstd_(::ZSTD_createCCtx()), out_(::ZSTD_CStreamOutSize()) {
    if (zstd_ == nullptr) throw std::bad_alloc();
    set(ZSTD_c_compressionLevel, k_level);
    set(ZSTD_c_checksumFlag, 1);
    set(ZSTD_c_nbWorkers, static_cast<int>(common::thread_count(threads)));
    set(ZSTD_c_jobSize, k_job_bytes);
  }
  ~Zstd() override { ::ZSTD_freeCCtx(zstd_); }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;

  void write(common::ByteView bytes) override {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (in.pos < in.size) step(in, ZSTD_e_continue);
  }
  void finish() override {
    ZSTD_inBuffer in{nullptr, 0, 0};
    while (step(in, ZSTD_e_end) != 0) {
    }
  }

 private:
  static constexpr int k_level = 3;
  static constexpr int k_job_bytes = 2
                                     << 20;  // each thread holds several; zstd's own choice is four times it

  void set(ZSTD_cParameter parameter, int value) {
    const std::size_t code = ::ZSTD_CCtx_setParameter(zstd_, parameter, value);
    // A libzstd without threads refuses nbWorkers only; one thread gives the same frame.
    ENSURE(!::ZSTD_isError(code) || parameter == ZSTD_c_nbWorkers || parameter == ZSTD_c_jobSize);
  }
  std::size_t step(ZSTD_inBuffer& in, ZSTD_EndDirective directive) {
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    const std::size_t code = ::ZSTD_compressStream2(zstd_, &out, &in, directive);
    if (::ZSTD_isError(code))
      throw common::Error(common::ErrorKind::io, std::string("zstd cannot compress: ") +
                                                     ::ZSTD_getErrorName(code) + "; not enough memory");
    to_.write({out_.data(), out.pos});
    return code;
  }

  common::Sink& to_;
  ZSTD_CCtx* zstd_;
  common::Bytes out_;
};

}  // namespace

std::unique_ptr<common::Sink> compress(Compression form, common::Sink& to, unsigned threads) {
  switch (form) {
    case Compression::gzip:
      return std::make_unique<Gzip>(to, threads);
    case Compression::zstd:
      return std::make_unique<Zstd>(to, threads);
    case Compression::none:
      break;
  }
  return std::make_unique<Plain>(to);
}

}  // namespace packer
