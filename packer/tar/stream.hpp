// Bytes that come once, front to back. A stream that finds its own form broken (a wrong checksum, data after
// its end) ends there and tells why in fault(): damage is a finding, not an exception.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "common/bytes.hpp"
#include "common/file.hpp"
#include "common/sealed/finding.hpp"

namespace packer {

class Stream {
 public:
  virtual ~Stream() = default;
  // Up to `size` bytes, at least one; 0 at the end and ever after.
  virtual std::size_t read(std::uint8_t* to, std::size_t size) = 0;
  // Moves on without looking; may move beyond the end.
  virtual void skip(std::uint64_t count);
  // Of a compressed form: how many of its bytes what was read so far took. Nothing of plain bytes.
  [[nodiscard]] virtual std::optional<std::uint64_t> compressed_bytes() const { return std::nullopt; }
  // Asked after read gave 0.
  [[nodiscard]] virtual std::optional<common::Finding> fault() const { return std::nullopt; }
};

// An open file (or a pipe), from where it stands.
class FileStream : public Stream {
 public:
  FileStream(common::File file, std::filesystem::path name)
      : file_(std::move(file)), name_(std::move(name)) {}
  std::size_t read(std::uint8_t* to, std::size_t size) override { return file_.read_some(to, size, name_); }

 private:
  common::File file_;
  std::filesystem::path name_;
};

// A file read in place; skipping costs nothing. Does not own the file.
class PlacedStream : public Stream {
 public:
  PlacedStream(const common::File& file, std::filesystem::path name) : file_(file), name_(std::move(name)) {}
  std::size_t read(std::uint8_t* to, std::size_t size) override;
  void skip(std::uint64_t count) override { at_ += count; }

 private:
  const common::File& file_;
  std::filesystem::path name_;
  std::uint64_t at_ = 0;
};

// Reads `inner` on a thread of its own, a few buffers ahead, so that decompressing and hashing overlap.
class ReadAhead : public Stream {
 public:
  explicit ReadAhead(std::unique_ptr<Stream> inner);
  ~ReadAhead() override;
  std::size_t read(std::uint8_t* to, std::size_t size) override;
  [[nodiscard]] std::optional<std::uint64_t> compressed_bytes() const override;
  [[nodiscard]] std::optional<common::Finding> fault() const override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Fills `to` unless the stream ends first; gives what was read.
std::size_t read_full(Stream& stream, std::uint8_t* to, std::size_t size);

}  // namespace packer
