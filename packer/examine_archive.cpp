// A .tar in place and a stream differ only in what happens to the bytes of media: there they are read through
// as they come, here their place is noted and they are read in parallel once every header has been seen.
#include "common/error.hpp"
#include "common/parallel.hpp"
#include "common/program.hpp"
#include "packer/archive_walker.hpp"
#include "packer/examine.hpp"
#include "packer/file_check.hpp"

namespace packer {
namespace {

struct Place {
  std::size_t index = 0;  // into Examination::files
  std::uint64_t offset = 0, size = 0;
};

// A file of another size than pack.json says is damaged, and may be a bomb: nobody wants its bytes.
bool may_be_wanted(const PackFile& file, std::uint64_t size, const Examination& examination) {
  return !examination.info || size == file.bytes;
}

// Reads the `size` bytes where the walker stands, and the padding behind them.
void read_media(ArchiveWalker& walker, const PackFile& file, std::uint64_t size, Sink* out,
                const Examination& examination, Findings& findings) {
  FileCheck check(file, examination);
  const std::uint64_t got = walker.consume(size, [&](common::ByteView piece) {
    common::throw_if_stop_requested();
    check.take(piece);
    if (out != nullptr) out->write(piece);
  });
  if (out != nullptr && got == size) out->finish();
  check.conclude(findings);
  if (got == size) walker.check_padding(size, file.path.text());
}

std::vector<Place> find_places(ArchiveWalker& walker) {
  std::vector<Place> places;
  if (walker.read_head())
    walker.read_rest([&](std::size_t index, std::uint64_t size) {
      places.push_back({index, walker.offset(), size});
      walker.skip(member_bytes(size) - k_block_bytes);
    });
  return places;
}

void compare_size(const Place& place, Examination& examination) {
  const PackFile& file = examination.files[place.index];
  if (place.size != file.bytes)
    examination.findings.push_back(
        {file.path.text(), "F6",
         "has " + std::to_string(place.size) + " bytes, pack.json says " + std::to_string(file.bytes)});
}

}  // namespace

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
      std::unique_ptr<Sink> out;
      if (sink != nullptr && may_be_wanted(file, size, examination)) out = sink->begin_file(file);
      read_media(walker, file, size, out.get(), examination, examination.findings);
    });
    if (sink != nullptr && !begun) sink->begin_pack(examination);
  }
  conclude(examination);
  return examination;
}

Examination examine_tar(const common::File& file, const std::filesystem::path& name,
                        const ExamineRequest& request, MediaSink* sink) {
  Examination examination;
  PlacedStream stream(file, name);
  ArchiveWalker walker(stream, request, examination);
  const std::uint64_t file_bytes = common::size_of(file, name);
  const std::vector<Place> places = find_places(walker);
  if (sink != nullptr) sink->begin_pack(examination);
  std::vector<Findings> found(places.size());
  common::Progress progress(sink == nullptr ? "verifying" : "extracting", "MB", file_bytes >> 20,
                            request.verbosity);
  common::parallel_for(request.depth == Depth::full ? places.size() : 0, request.threads, [&](std::size_t i) {
    const PackFile& expected = examination.files[places[i].index];
    PlacedStream body(file, name);
    body.skip(places[i].offset);
    Examination
        part;  // collects the findings of this file's surroundings; the file is held against the whole
    ArchiveWalker reader(body, request, part);
    const bool offered = sink != nullptr && may_be_wanted(expected, places[i].size, examination);
    const std::unique_ptr<Sink> out = offered ? sink->begin_file(expected) : nullptr;
    if (offered && out == nullptr) {
      body.skip(places[i].size);
      reader.check_padding(places[i].size, expected.path.text());
    } else {
      read_media(reader, expected, places[i].size, out.get(), examination, found[i]);
    }
    found[i].insert(found[i].end(), part.findings.begin(), part.findings.end());
    progress.add(places[i].size >> 20);
  });
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (request.depth == Depth::quick) compare_size(places[i], examination);
    examination.findings.insert(examination.findings.end(), found[i].begin(), found[i].end());
  }
  conclude(examination);
  return examination;
}

}  // namespace packer
