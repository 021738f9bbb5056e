// The tar reader: in place and as a stream, in whatever pieces it comes, an archive is judged alike.
#include <sys/mman.h>
#include <unistd.h>

#include "packer/check/examine.hpp"
#include "packer/check/examine_archive.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/memory_stream.hpp"

namespace {

packer::ExamineRequest quiet(packer::Depth depth) {
  packer::ExamineRequest request;
  request.depth = depth;
  request.threads = 1;
  request.verbosity = common::Verbosity::quiet;
  return request;
}

common::Findings as_stream(std::string_view tar, std::size_t piece, packer::Depth depth) {
  support::MemoryStream stream(tar, piece);
  return packer::examine_stream(stream, quiet(depth), nullptr).findings;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view tar = fuzz::text_of(data, size);
  static common::File file(::memfd_create("archive", MFD_CLOEXEC));
  ENSURE(::ftruncate(file.descriptor(), 0) == 0 && ::lseek(file.descriptor(), 0, SEEK_SET) == 0);
  file.write_all({data, size}, "archive");
  const common::Findings whole = as_stream(tar, tar.size() + 1, packer::Depth::full);
  ENSURE(whole == as_stream(tar, 509, packer::Depth::full));
  const bool clean_in_place =
      packer::examine_tar(file, "archive", quiet(packer::Depth::full)).findings.empty();
  ENSURE(clean_in_place == whole.empty());
  (void)packer::examine_tar(file, "archive", quiet(packer::Depth::quick));
  (void)as_stream(tar, 4096, packer::Depth::control);
  return 0;
}
