// The decompressing readers: the first byte says which form; what comes out of a sound file, and whether it
// is sound, depends neither on the pieces in which the bytes come nor on those in which they are asked for.
// Of an unsound one more or less may come out before that is noticed, but never other bytes.
#include <string>

#include "packer/tar/compression.hpp"
#include "packer/tar/decompress.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/memory_stream.hpp"

namespace {

struct Outcome {
  std::string bytes;
  std::optional<common::Finding> fault;
};

bool agree(const Outcome& a, const Outcome& b) {
  if (!a.fault && !b.fault) return a.bytes == b.bytes;
  return a.fault && b.fault && (a.bytes.starts_with(b.bytes) || b.bytes.starts_with(a.bytes));
}

Outcome read_all(packer::Compression form, std::string_view in, std::size_t in_piece, std::size_t out_piece) {
  const auto stream = packer::decompress(form, std::make_unique<support::MemoryStream>(in, in_piece));
  constexpr std::size_t k_enough = 1 << 20;  // bombs are cut, as every reader of ours cuts them
  Outcome outcome;
  common::Bytes buffer(out_piece);
  while (outcome.bytes.size() < k_enough) {
    const std::size_t want = std::min(buffer.size(), k_enough - outcome.bytes.size());
    const std::size_t got = stream->read(buffer.data(), want);
    ENSURE(got <= want);
    if (got == 0) break;
    outcome.bytes += common::text_of({buffer.data(), got});
  }
  if (outcome.bytes.size() < k_enough) outcome.fault = stream->fault();
  return outcome;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto form = data[0] % 2 == 0 ? packer::Compression::gzip : packer::Compression::zstd;
  const std::string_view in = fuzz::text_of(data + 1, size - 1);
  const Outcome whole = read_all(form, in, in.size() + 1, 1 << 20);
  ENSURE(agree(whole, read_all(form, in, 7, 1000)));
  ENSURE(whole.fault || !in.empty());
  const auto by_magic = packer::decompress_by_magic(std::make_unique<support::MemoryStream>(in, 64));
  std::uint8_t byte = 0;
  (void)by_magic->read(&byte, 1);
  return 0;
}
