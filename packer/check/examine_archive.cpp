#include "packer/check/examine_archive.hpp"

// A .tar in place and a stream differ only in what happens to the bytes of media: there they are read through
// as they come, here their place is noted and they are read in parallel once every header has been seen.
#include <algorithm>

#include "common/error.hpp"
#include "common/program.hpp"
#include "packer/check/archive_walker.hpp"
#include "packer/check/hash_files.hpp"

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

// A .tar whose headers have been read.
struct Tar {
  const common::File& file;
  const std::filesystem::path& name;
  const ExamineRequest& request;
  const Examination& examination;
};

void check_padding_behind(const Tar& tar, const Place& place, common::Findings& findings) {
  PlacedStream body(tar.file, tar.name);
  body.skip(place.offset + place.size);
  Examination surroundings;
  ArchiveWalker(body, tar.request, surroundings)
      .check_padding(place.size, tar.examination.files[place.index].path.text());
  findings.insert(findings.end(), surroundings.findings.begin(), surroundings.findings.end());
}

// The reading of one file of a .tar; what is read also goes to `out`, where there is one.
class TarReading : public FileReading {
 public:
  TarReading(const Tar& tar, const Place& place, std::unique_ptr<common::Sink> out,
             common::Findings& findings)
      : FileReading(tar.examination.files[place.index], tar.examination),
        tar_(tar),
        place_(place),
        out_(std::move(out)),
        findings_(findings) {}

  common::ByteView read(common::ReadBuffer& buffer) override {
    const std::uint64_t done = check().bytes();
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), place_.size - done));
    const common::ByteView piece(buffer.data(),
                                 tar_.file.read_at(buffer.data(), want, place_.offset + done, tar_.name));
    if (out_ && !piece.empty()) out_->write(piece);
    return piece;
  }
  void conclude() override {
    const bool is_whole = check().bytes() == place_.size;
    if (out_ && is_whole) out_->finish();
    check().conclude(findings_);
    if (is_whole) check_padding_behind(tar_, place_, findings_);
  }

 private:
  const Tar& tar_;
  const Place& place_;
  std::unique_ptr<common::Sink> out_;
  common::Findings& findings_;
};

// Reads the `size` bytes where the walker stands, and the padding behind them.
void read_media(ArchiveWalker& walker, const PackFile& file, std::uint64_t size, common::Sink* out,
                const Examination& examination, common::Findings& findings) {
  if (has_other_size(file, size, examination, findings)) return walker.pass(size, file.path.text());
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
      std::unique_ptr<common::Sink> out;
      if (sink != nullptr && may_be_wanted(file, size, examination)) out = sink->begin_file(file);
      read_media(walker, file, size, out.get(), examination, examination.findings);
    });
    if (sink != nullptr && !begun) sink->begin_pack(examination);
  }
  conclude(request, examination);
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
  std::vector<common::Findings> found(places.size());
  common::Progress progress(sink == nullptr ? "verifying" : "extracting", "MB", file_bytes >> 20,
                            request.verbosity);
  const Tar tar{file, name, request, examination};
  const Share share = share_of(request, examination);
  const std::size_t wanted = request.depth == Depth::full ? places.size() : 0;
  hash_files(wanted, request.threads, [&](std::size_t i) -> std::unique_ptr<FileReading> {
    if (!share.has(places[i].index)) return nullptr;
    const PackFile& expected = examination.files[places[i].index];
    progress.add(places[i].size >> 20);
    if (has_other_size(expected, places[i].size, examination, found[i])) {
      check_padding_behind(tar, places[i], found[i]);
      return nullptr;
    }
    const bool offered = sink != nullptr && may_be_wanted(expected, places[i].size, examination);
    std::unique_ptr<common::Sink> out = offered ? sink->begin_file(expected) : nullptr;
    if (!offered || out) return std::make_unique<TarReading>(tar, places[i], std::move(out), found[i]);
    check_padding_behind(tar, places[i], found[i]);
    return nullptr;
  });
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (request.depth == Depth::quick)
      (void)has_other_size(examination.files[places[i].index], places[i].size, examination,
                           examination.findings);
    examination.findings.insert(examination.findings.end(), found[i].begin(), found[i].end());
  }
  conclude(request, examination);
  return examination;
}

}  // namespace packer
