#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <future>
#include <new>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "packer/compression.hpp"

namespace packer {
namespace {

// The forms are written directly, not through libarchive's raw filters: its gzip runs on one thread (half of
// what pigz does on two), and its zstd gives no checksum, which our reader insists on.

class Plain : public Sink {
 public:
  explicit Plain(Sink& to) : to_(to) {}
  void write(common::ByteView bytes) override { to_.write(bytes); }
  void finish() override {}

 private:
  Sink& to_;
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
// as pigz does it: the concatenation is one valid deflate stream, and CRCs combine. While one batch of blocks
// is deflated the next is filled, so reading and hashing cost no time of their own.
class Gzip : public Sink {
 public:
  Gzip(Sink& to, unsigned threads) : to_(to), threads_(common::thread_count(threads)) {
    for (Batch& batch : batches_) {
      batch.blocks.resize(threads_ * k_blocks_per_thread);
      batch.bytes.reserve(k_dictionary_bytes + batch_bytes());
    }
    static constexpr std::array<std::uint8_t, 10> k_header{0x1f, 0x8b, 8, 0, 0,
                                                           0,    0,    0, 0, 3};  // no name, no clock
    to_.write(k_header);
  }

  void write(common::ByteView bytes) override {
    while (!bytes.empty()) {
      Batch& batch = filling();
      const std::size_t room = batch_bytes() - (batch.bytes.size() - batch.dictionary);
      const std::size_t count = std::min(room, bytes.size());
      batch.bytes.insert(batch.bytes.end(), bytes.begin(),
                         bytes.begin() + static_cast<std::ptrdiff_t>(count));
      bytes = bytes.subspan(count);
      if (count == room) start_batch();
    }
  }

  void finish() override {
    start_batch();
    end_batch();
    std::array<std::uint8_t, 10> tail{0x03, 0x00};  // an empty last deflate block, then CRC and length
    common::store_le(crc_, 4, tail.data() + 2);
    common::store_le(total_, 4, tail.data() + 6);
    to_.write(tail);
  }

 private:
  static constexpr std::size_t k_block_bytes = 128 << 10;
  static constexpr std::size_t k_dictionary_bytes = 32 << 10;
  static constexpr std::size_t k_blocks_per_thread = 8;

  struct Block {
    common::Bytes out;
    uLong crc = 0;
    std::size_t size = 0;
  };
  struct Batch {
    common::Bytes bytes;         // the dictionary, then what is to be deflated
    std::size_t dictionary = 0;  // how many of them are the dictionary
    std::vector<Block> blocks;
    std::size_t used = 0;    // blocks that hold something
    std::future<void> done;  // last: waited for before what it works on is gone
  };

  [[nodiscard]] std::size_t batch_bytes() const { return threads_ * k_blocks_per_thread * k_block_bytes; }
  Batch& filling() { return batches_[current_]; }
  Batch& deflating() { return batches_[1 - current_]; }

  // The batch that was filled is deflated from now on, and the other one filled.
  void start_batch() {
    end_batch();
    Batch& batch = filling();
    const std::size_t fresh = batch.bytes.size() - batch.dictionary;
    batch.used = (fresh + k_block_bytes - 1) / k_block_bytes;
    batch.done = std::async(std::launch::async, [this, &batch] {
      common::parallel_for(batch.used, threads_, [&](std::size_t i) { deflate_block(batch, i); });
    });
    current_ = 1 - current_;
    const auto keep = static_cast<std::ptrdiff_t>(std::min(batch.bytes.size(), k_dictionary_bytes));
    filling().bytes.assign(batch.bytes.end() - keep, batch.bytes.end());
    filling().dictionary = filling().bytes.size();
  }

  void end_batch() {
    Batch& batch = deflating();
    if (!batch.done.valid()) return;
    batch.done.get();
    for (std::size_t i = 0; i < batch.used; ++i) {
      const Block& block = batch.blocks[i];
      to_.write(block.out);
      crc_ = ::crc32_combine(crc_, block.crc, static_cast<z_off_t>(block.size));
      total_ += block.size;
    }
  }

  static void deflate_block(Batch& batch, std::size_t i) {
    thread_local Deflater deflater;
    const std::size_t at = batch.dictionary + i * k_block_bytes;
    const std::size_t before = std::min(at, k_dictionary_bytes);
    const common::ByteView all(batch.bytes);
    const common::ByteView bytes = all.subspan(at, std::min(k_block_bytes, all.size() - at));
    Block& block = batch.blocks[i];
    deflater.deflate(all.subspan(at - before, before), bytes, block.out);
    block.size = bytes.size();
    block.crc = ::crc32(0, bytes.data(), static_cast<uInt>(bytes.size()));
  }

  Sink& to_;
  unsigned threads_;
  std::array<Batch, 2> batches_;
  std::size_t current_ = 0;  // the batch that is filled
  uLong crc_ = 0;
  std::uint64_t total_ = 0;
};

class Zstd : public Sink {
 public:
  Zstd(Sink& to, unsigned threads) : to_(to), zstd_(::ZSTD_createCCtx()), out_(::ZSTD_CStreamOutSize()) {
    if (zstd_ == nullptr) throw std::bad_alloc();
    set(ZSTD_c_compressionLevel, k_level);
    set(ZSTD_c_checksumFlag, 1);
    set(ZSTD_c_nbWorkers, static_cast<int>(common::thread_count(threads)));
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

  void set(ZSTD_cParameter parameter, int value) {
    const std::size_t code = ::ZSTD_CCtx_setParameter(zstd_, parameter, value);
    // A libzstd without threads refuses nbWorkers only; one thread gives the same frame.
    ENSURE(!::ZSTD_isError(code) || parameter == ZSTD_c_nbWorkers);
  }
  std::size_t step(ZSTD_inBuffer& in, ZSTD_EndDirective directive) {
    ZSTD_outBuffer out{out_.data(), out_.size(), 0};
    const std::size_t code = ::ZSTD_compressStream2(zstd_, &out, &in, directive);
    if (::ZSTD_isError(code))
      throw common::Error(common::ErrorKind::io, std::string("zstd cannot compress: ") +
                                                     ::ZSTD_getErrorName(code) + "; is there memory?");
    to_.write({out_.data(), out.pos});
    return code;
  }

  Sink& to_;
  ZSTD_CCtx* zstd_;
  common::Bytes out_;
};

}  // namespace

std::unique_ptr<Sink> compress(Compression form, Sink& to, unsigned threads) {
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
