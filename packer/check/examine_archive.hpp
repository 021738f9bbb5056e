// Examines a pack that lies in an archive: a .tar in place, or tar bytes that come once.
#pragma once

#include <filesystem>
#include <memory>

#include "common/file.hpp"
#include "common/sink.hpp"
#include "packer/check/examine.hpp"
#include "packer/tar/stream.hpp"

namespace packer {

// Where the bytes of media go while an archive is examined; used by extract and repair.
class MediaSink {
 public:
  virtual ~MediaSink() = default;
  // The control files (of a .tar: all headers too) have been read, and nothing is wrong so far, or
  // `examination.findings` says what.
  virtual void begin_pack(const Examination& examination) = 0;
  // Takes the file's bytes, finished behind the last one; null: nobody wants them, and a .tar does not even
  // read them. Safe from many threads.
  virtual std::unique_ptr<common::Sink> begin_file(const PackFile& file) = 0;
};

// `sink` may be null; with one, the depth is full.
[[nodiscard]] Examination examine_tar(const common::File& file, const std::filesystem::path& name,
                                      const ExamineRequest& request, MediaSink* sink = nullptr);
// Tar bytes, decompressed already. `sink` may be null.
[[nodiscard]] Examination examine_stream(Stream& stream, const ExamineRequest& request, MediaSink* sink);

}  // namespace packer
