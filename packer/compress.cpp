#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
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

// One gzip member made of blocks that are deflated in parallel, each with the 32 KiB before it as dictionary
// and closed by a sync flush, as pigz does it: the concatenation is one valid deflate stream, and CRCs
// combine.
class Gzip : public Sink {
 public:
  Gzip(Sink& to, unsigned threads) : to_(to), threads_(common::thread_count(threads)) {
    blocks_.resize(threads_ * k_blocks_per_thread);
    pending_.reserve(k_dictionary_bytes + blocks_.size() * k_block_bytes);
    static constexpr std::array<std::uint8_t, 10> k_header{0x1f, 0x8b, 8, 0, 0,
                                                           0,    0,    0, 0, 3};  // no name, no clock
    to_.write(k_header);
  }

  void write(common::ByteView bytes) override {
    while (!bytes.empty()) {
      const std::size_t room = blocks_.size() * k_block_bytes - (pending_.size() - dictionary_);
      const std::size_t count = std::min(room, bytes.size());
      pending_.insert(pending_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(count));
      bytes = bytes.subspan(count);
      if (count == room) flush_blocks();
    }
  }

  void finish() override {
    flush_blocks();
    std::array<std::uint8_t, 10> tail{0x03, 0x00};  // an empty last deflate block, then CRC and length
    common::store_le(crc_, 4, tail.data() + 2);
    common::store_le(total_, 4, tail.data() + 6);
    to_.write(tail);
  }

 private:
  static constexpr std::size_t k_block_bytes = 128 << 10;
  static constexpr std::size_t k_dictionary_bytes = 32 << 10;
  static constexpr std::size_t k_blocks_per_thread = 16;
  static constexpr int k_level = 6;

  struct Block {
    common::Bytes out;
    uLong crc = 0;
    std::size_t size = 0;
  };

  void flush_blocks() {
    const std::size_t fresh = pending_.size() - dictionary_;
    const std::size_t count = (fresh + k_block_bytes - 1) / k_block_bytes;
    common::parallel_for(count, threads_, [&](std::size_t i) {
      const std::size_t at = dictionary_ + i * k_block_bytes;
      deflate_block(at, std::min(k_block_bytes, pending_.size() - at), blocks_[i]);
    });
    for (std::size_t i = 0; i < count; ++i) {
      to_.write(blocks_[i].out);
      crc_ = ::crc32_combine(crc_, blocks_[i].crc, static_cast<z_off_t>(blocks_[i].size));
      total_ += blocks_[i].size;
    }
    const std::size_t keep = std::min(pending_.size(), k_dictionary_bytes);
    pending_.erase(pending_.begin(), pending_.end() - static_cast<std::ptrdiff_t>(keep));
    dictionary_ = keep;
  }

  void deflate_block(std::size_t at, std::size_t size, Block& block) {
    z_stream zlib{};
    if (::deflateInit2(&zlib, k_level, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
    const std::size_t before = std::min(at, k_dictionary_bytes);
    if (before > 0) ::deflateSetDictionary(&zlib, pending_.data() + at - before, static_cast<uInt>(before));
    block.out.resize(::deflateBound(&zlib, static_cast<uLong>(size)) + 16);
    zlib.next_in = pending_.data() + at;
    zlib.avail_in = static_cast<uInt>(size);
    zlib.next_out = block.out.data();
    zlib.avail_out = static_cast<uInt>(block.out.size());
    const int code = ::deflate(&zlib, Z_SYNC_FLUSH);
    const bool whole = code == Z_OK && zlib.avail_in == 0 && zlib.avail_out > 0;
    block.out.resize(zlib.total_out);
    ::deflateEnd(&zlib);
    ENSURE(whole);
    block.size = size;
    block.crc = ::crc32(0, pending_.data() + at, static_cast<uInt>(size));
  }

  Sink& to_;
  unsigned threads_;
  common::Bytes pending_;       // the dictionary, then bytes not yet compressed
  std::size_t dictionary_ = 0;  // how many of them are the dictionary
  std::vector<Block> blocks_;
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
