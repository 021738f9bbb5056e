// A .tar in place and a stream differ only in what happens to the bytes of media: here they are read through,
// there their place is noted and they are hashed in parallel afterwards.
#include "common/error.hpp"
#include "common/parallel.hpp"
#include "packer/archive_walker.hpp"
#include "packer/examine.hpp"

namespace packer {

Examination examine_stream(Stream& stream, const ExamineRequest& request, MediaSink* sink) {
  ENSURE(request.depth != Depth::quick);
  Examination examination;
  ArchiveWalker walker(stream, request, examination);
  if (walker.read_head()) {
    bool begun = false;
    walker.read_rest([&](std::size_t index, std::uint64_t size) {
      if (sink != nullptr && !begun) sink->begin_pack(examination);
      begun = true;
      const PackFile& file = examination.files[index];
      common::Hasher hasher;
      if (sink != nullptr) sink->begin_file(file.path);
      const std::uint64_t got = walker.consume(size, [&](common::ByteView piece) {
        hasher.update(piece);
        if (sink != nullptr) sink->write(piece);
      });
      if (sink != nullptr) sink->end_file();
      compare_file(file, hasher.finish(), got, examination, examination.findings);
      if (got == size) walker.check_padding(size, file.path.text());
    });
    if (sink != nullptr && !begun) sink->begin_pack(examination);
  }
  conclude(examination);
  return examination;
}

Examination examine_tar(const common::File& file, const std::filesystem::path& name,
                        const ExamineRequest& request) {
  Examination examination;
  PlacedStream stream(file, name);
  ArchiveWalker walker(stream, request, examination);
  const std::uint64_t file_bytes = common::size_of(file, name);
  struct Place {
    std::size_t index;
    std::uint64_t offset, size;
  };
  std::vector<Place> places;
  if (walker.read_head())
    walker.read_rest([&](std::size_t index, std::uint64_t size) {
      places.push_back({index, walker.offset(), size});
      walker.skip(member_bytes(size) - k_block_bytes);
    });
  std::vector<Findings> found(places.size());
  common::Progress progress("verifying", "MB", file_bytes >> 20, request.verbosity);
  common::parallel_for(request.depth == Depth::full ? places.size() : 0, request.threads, [&](std::size_t i) {
    const PackFile& expected = examination.files[places[i].index];
    PlacedStream body(file, name);
    body.skip(places[i].offset);
    Examination part;  // collects this file's findings; compare_file reads the shared one
    ArchiveWalker reader(body, request, part);
    common::Hasher hasher;
    const std::uint64_t got =
        reader.consume(places[i].size, [&](common::ByteView piece) { hasher.update(piece); });
    compare_file(expected, hasher.finish(), got, examination, found[i]);
    if (got == places[i].size) reader.check_padding(places[i].size, expected.path.text());
    found[i].insert(found[i].end(), part.findings.begin(), part.findings.end());
    progress.add(got >> 20);
  });
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (request.depth == Depth::quick && places[i].size != examination.files[places[i].index].bytes)
      examination.findings.push_back({examination.files[places[i].index].path.text(), "F6",
                                      "has " + std::to_string(places[i].size) + " bytes, pack.json says " +
                                          std::to_string(examination.files[places[i].index].bytes)});
    examination.findings.insert(examination.findings.end(), found[i].begin(), found[i].end());
  }
  conclude(examination);
  return examination;
}

}  // namespace packer
