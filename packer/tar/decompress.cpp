#include "packer/tar/decompress.hpp"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "common/error.hpp"

namespace packer {
namespace {

constexpr std::size_t k_input_bytes = 128 << 10;
constexpr int k_window_log_limit = 27;  // 128 MiB: what zstd itself reads without being asked

// What both decoders share: an input buffer over the compressed stream, and how a form ends.
class Decoder : public Stream {
 public:
  Decoder(std::unique_ptr<Stream> compressed, const char* rule, const char* form, Members members)
      : compressed_(std::move(compressed)),
        rule_(rule),
        form_(form),
        members_(members),
        input_(k_input_bytes) {}

  [[nodiscard]] std::optional<std::uint64_t> compressed_bytes() const override {
    return consumed_ + filled_ - unused();
  }
  [[nodiscard]] std::optional<common::Finding> fault() const override { return fault_; }

 protected:
  // Of the input that was read, what the decoder has not taken yet.
  [[nodiscard]] virtual std::size_t unused() const = 0;
  // What was decoded now, unless it is more than the form may hold.
  std::size_t give(std::size_t size) {
    produced_ += size;
    if (members_ == Members::any || produced_ <= decompressed_limit(*compressed_bytes())) return size;
    rule_ = "Z4";
    return fail("decompresses to more than 256 MiB and 1,032 times its own size");
  }
  // False at the end of the compressed file.
  bool refill() {
    consumed_ += filled_;
    filled_ = compressed_->read(input_.data(), input_.size());
    return filled_ > 0;
  }
  std::size_t fail(const std::string& what) {
    fault_ = common::Finding{"", rule_, form_ + (": " + what)};
    done_ = true;
    return 0;
  }
  // Called when the form's own end was right; `left` bytes of the input are not used.
  std::size_t end(std::size_t left) {
    done_ = true;
    const std::uint64_t at = consumed_ + filled_ - left;
    if (left > 0 || refill())
      fault_ = common::Finding{"", "Z3",
                               std::string("there are bytes after the end of the ") + form_ +
                                   " form at byte " + std::to_string(at)};
    return 0;
  }

  std::unique_ptr<Stream> compressed_;
  const char* rule_;
  const char* form_;
  Members members_;
  common::ReadBuffer input_;
  std::size_t filled_ = 0;
  std::uint64_t consumed_ = 0, produced_ = 0;
  bool done_ = false;
  std::optional<common::Finding> fault_;
};

class Gunzip : public Decoder {
 public:
  Gunzip(std::unique_ptr<Stream> compressed, Members members)
      : Decoder(std::move(compressed), "Z1", "gzip", members) {
    // 16: a gzip header is required, and zlib checks CRC and length of the member.
    if (::inflateInit2(&zlib_, 16 + MAX_WBITS) != Z_OK)
      throw common::Error(common::ErrorKind::io, "zlib cannot start; not enough memory");
  }
  ~Gunzip() override { ::inflateEnd(&zlib_); }
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  std::size_t read(std::uint8_t* to, std::size_t size) override {
    if (done_) return 0;
    zlib_.next_out = to;
    zlib_.avail_out = static_cast<uInt>(std::min<std::size_t>(size, 1U << 30));
    const uInt wanted = zlib_.avail_out;
    while (zlib_.avail_out == wanted) {
      if (zlib_.avail_in == 0 && !feed()) return fail("is truncated");
      const int code = ::inflate(&zlib_, Z_NO_FLUSH);
      const std::size_t got = wanted - zlib_.avail_out;
      if (code == Z_STREAM_END && members_ == Members::any) {
        done_ = !pass_zeros();
        if (done_) return got;
        ::inflateReset(&zlib_);
        continue;
      }
      if (code == Z_STREAM_END) {
        end(zlib_.avail_in);
        return got;
      }
      if (code != Z_OK && code != Z_BUF_ERROR)
        return fail(zlib_.msg != nullptr ? zlib_.msg : "does not decode");
    }
    return wanted - zlib_.avail_out;
  }

 protected:
  [[nodiscard]] std::size_t unused() const override { return zlib_.avail_in; }

 private:
  bool feed() {
    if (!refill()) return false;
    zlib_.next_in = input_.data();
    zlib_.avail_in = static_cast<uInt>(filled_);
    return true;
  }
  // To the next member; false where the file ends before one.
  bool pass_zeros() {
    for (;;) {
      for (; zlib_.avail_in > 0 && *zlib_.next_in == 0; --zlib_.avail_in) ++zlib_.next_in;
      if (zlib_.avail_in > 0) return true;
      if (!feed()) return false;
    }
  }

  z_stream zlib_{};
};

class Unzstd : public Decoder {
 public:
  Unzstd(std::unique_ptr<Stream> compressed, Members members)
      : Decoder(std::move(compressed), "Z2", "zstd", members), zstd_(::ZSTD_createDCtx()) {
    if (zstd_ == nullptr) throw std::bad_alloc();
    ::ZSTD_DCtx_setParameter(zstd_, ZSTD_d_windowLogMax, k_window_log_limit);
  }
  ~Unzstd() override { ::ZSTD_freeDCtx(zstd_); }
  Unzstd(const Unzstd&) = delete;
  Unzstd& operator=(const Unzstd&) = delete;

  std::size_t read(std::uint8_t* to, std::size_t size) override {
    if (done_ || (!started_ && !start())) return 0;
    ZSTD_outBuffer out{to, size, 0};
    while (out.pos == 0) {
      if (in_.pos == in_.size && !pending_ && !feed()) return fail("is truncated");
      const std::size_t code = ::ZSTD_decompressStream(zstd_, &out, &in_);
      if (::ZSTD_isError(code)) return fail(::ZSTD_getErrorName(code));
      pending_ = out.pos == out.size;  // more may wait inside the decoder
      if (code == 0 && members_ == Members::any) {
        pending_ = false;
        done_ = !pass_zeros();
        if (done_) return out.pos;
        continue;
      }
      if (code == 0) {
        end(in_.size - in_.pos);
        return give(out.pos);
      }
    }
    return give(out.pos);
  }

 protected:
  [[nodiscard]] std::size_t unused() const override { return in_.size - in_.pos; }

 private:
  bool feed() {
    if (!refill()) return false;
    in_ = {input_.data(), filled_, 0};
    return true;
  }
  // To the next frame; false where the file ends before one.
  bool pass_zeros() {
    for (;;) {
      for (; in_.pos < in_.size && static_cast<const std::uint8_t*>(in_.src)[in_.pos] == 0; ++in_.pos) {
      }
      if (in_.pos < in_.size) return true;
      if (!feed()) return false;
    }
  }
  // RFC 8878: magic number, then the descriptor whose bit 2 promises a checksum. Without it damage could
  // pass.
  bool start() {
    static constexpr std::array<std::uint8_t, 4> k_magic{0x28, 0xb5, 0x2f, 0xfd};
    static constexpr std::uint8_t k_checksum_flag = 0x04;
    started_ = true;
    filled_ = read_full(*compressed_, input_.data(), input_.size());
    in_ = {input_.data(), filled_, 0};
    // Skippable frames: pzstd writes one before each of its own, a seekable form ends with one.
    if (members_ == Members::any && filled_ >= 8 && is_zstd_magic(common::load_le32(input_.data())))
      return true;
    if (filled_ < 5 || std::memcmp(input_.data(), k_magic.data(), k_magic.size()) != 0)
      return fail("does not begin with a zstd frame") != 0;
    if (members_ == Members::one && (input_.data()[4] & k_checksum_flag) == 0)
      return fail("its frame has no checksum; compress with --check, or with safe-packer archive") != 0;
    return true;
  }

  ZSTD_DCtx* zstd_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool started_ = false;
  bool pending_ = false;
};

// Delivers bytes that were read already, then the rest.
class Prefixed : public Stream {
 public:
  Prefixed(common::Bytes prefix, std::unique_ptr<Stream> rest)
      : prefix_(std::move(prefix)), rest_(std::move(rest)) {}
  std::size_t read(std::uint8_t* to, std::size_t size) override {
    if (at_ == prefix_.size()) return rest_->read(to, size);
    const std::size_t count = std::min(size, prefix_.size() - at_);
    std::memcpy(to, prefix_.data() + at_, count);
    at_ += count;
    return count;
  }
  [[nodiscard]] std::optional<common::Finding> fault() const override { return rest_->fault(); }

 private:
  common::Bytes prefix_;
  std::size_t at_ = 0;
  std::unique_ptr<Stream> rest_;
};

}  // namespace

bool is_zstd_magic(std::uint32_t first_four_bytes) {
  constexpr std::uint32_t k_frame = 0xfd2fb528, k_skippable = 0x184d2a50, k_skippable_mask = 0xfffffff0;
  return first_four_bytes == k_frame || (first_four_bytes & k_skippable_mask) == k_skippable;
}

std::unique_ptr<Stream> decompress(Compression form, std::unique_ptr<Stream> compressed, Members members) {
  switch (form) {
    case Compression::gzip:
      return std::make_unique<Gunzip>(std::move(compressed), members);
    case Compression::zstd:
      return std::make_unique<Unzstd>(std::move(compressed), members);
    case Compression::none:
      break;
  }
  return compressed;
}

std::unique_ptr<Stream> decompress_by_magic(std::unique_ptr<Stream> bytes) {
  common::Bytes first(4);
  first.resize(read_full(*bytes, first.data(), first.size()));
  Compression form = Compression::none;
  if (first.size() >= 2 && first[0] == 0x1f && first[1] == 0x8b) form = Compression::gzip;
  if (first.size() == 4 && common::load_le32(first.data()) == 0xfd2fb528U) form = Compression::zstd;
  return decompress(form, std::make_unique<Prefixed>(std::move(first), std::move(bytes)));
}

}  // namespace packer
