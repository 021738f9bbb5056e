// A .tar in place and a stream differ only in what happens to the bytes of media: here they are read through,
// there their place is noted and they are hashed in parallel afterwards.
#include <algorithm>
#include <set>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "packer/examine.hpp"
#include "packer/store.hpp"
#include "packer/ustar.hpp"

namespace packer {
namespace {

constexpr std::size_t k_piece_bytes = 128 << 10;
constexpr const char* k_not_canonical =
    "is not the header that this format gives a file (an archive made with plain tar is none: extract it "
    "with tar "
    "and verify the folder, or write it with safe-packer archive)";

// Follows the archive from header to header. What to expect next is known from the seal and pack.json; a
// header that differs is a finding, and where the sizes allow it the walk goes on behind it.
class Walker {
 public:
  // What to do with the bytes of a media file: they start at offset() and must be consumed by the call.
  using Body = std::function<void(std::size_t index, std::uint64_t size)>;

  Walker(Stream& stream, const ExamineRequest& request, Examination& examination)
      : stream_(stream), request_(request), examination_(examination) {}

  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  // The seal, its signature and pack.json. False: nothing can be said about the rest.
  bool read_head();
  // All others, in the order of the archive, then the end.
  void read_rest(const Body& media, bool control_only);
  // Reads `size` bytes in pieces; gives how many there were.
  std::uint64_t consume(std::uint64_t size, const PieceCall& call);
  void skip(std::uint64_t size) {
    stream_.skip(size);
    offset_ += size;
  }
  void check_padding(std::uint64_t size, const std::string& path);

 private:
  enum class Next { member, end, stop };
  struct Header {
    Next next = Next::stop;
    UstarMember member;
  };

  Header read_header(const std::string& expected);
  void find(const char* rule, const std::string& path, const std::string& what) {
    examination_.findings.push_back({path, rule, what});
  }
  void find_cut(const std::string& path);
  // The path behind the top folder; empty (with a finding) where another folder or a bad name stands there.
  std::string inner_path(const std::string& name);
  std::optional<common::Bytes> read_whole(std::uint64_t size, std::uint64_t limit_bytes,
                                          const std::string& path);
  void check_end();

  Stream& stream_;
  const ExamineRequest& request_;
  Examination& examination_;
  std::uint64_t offset_ = 0;
  std::string top_;
};

void Walker::find_cut(const std::string& path) {
  // A decompressor that failed explains the end better than the end itself.
  if (const auto fault = stream_.fault())
    examination_.findings.push_back(*fault);
  else
    find("A6", path, "the archive is cut short at byte " + std::to_string(offset_));
}

Walker::Header Walker::read_header(const std::string& expected) {
  UstarHeader block{};
  const std::uint64_t at = offset_;
  const std::size_t got = read_full(stream_, block.data(), block.size());
  offset_ += got;
  if (got < block.size()) {
    find_cut(expected);
    return {};
  }
  const HeaderReading reading = read_ustar_header(block);
  if (reading.fault == HeaderFault::none) return {Next::member, reading.member};
  if (reading.fault == HeaderFault::zeros) return {Next::end, {}};
  const std::string where = "what stands at byte " + std::to_string(at) + " ";
  if (reading.fault == HeaderFault::not_ustar)
    find("A1", expected, where + "is no tar header");
  else
    find("A1", expected, where + k_not_canonical);
  return {};
}

std::string Walker::inner_path(const std::string& name) {
  const std::size_t slash = name.find('/');
  const std::string top = name.substr(0, slash);
  if (slash == std::string::npos || (!top_.empty() && top != top_)) {
    find("A5", name, "does not lie in the archive's one folder" + (top_.empty() ? "" : " \"" + top_ + "\""));
    return {};
  }
  if (top_.empty()) {
    if (const std::string why = why_not_a_pack_name(top); !why.empty()) {
      find("N6", top, "cannot name a pack: " + why);
      return {};
    }
    top_ = top;
  }
  if (slash + 1 == name.size()) find("A5", name, "names the archive's folder, not a file in it");
  return name.substr(slash + 1);
}

std::optional<common::Bytes> Walker::read_whole(std::uint64_t size, std::uint64_t limit_bytes,
                                                const std::string& path) {
  if (size > limit_bytes) {
    find("F7", path,
         "has " + std::to_string(size) + " bytes, a control file at most " + std::to_string(limit_bytes));
    return std::nullopt;
  }
  common::Bytes bytes;
  // Grows with what is really there: a header may promise more than the archive has.
  const std::uint64_t got =
      consume(size, [&](common::ByteView piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
  if (got < size) {
    find_cut(path);
    return std::nullopt;
  }
  check_padding(size, path);
  return bytes;
}

std::uint64_t Walker::consume(std::uint64_t size, const PieceCall& call) {
  thread_local common::Bytes buffer(k_piece_bytes);
  std::uint64_t done = 0;
  while (done < size) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), size - done));
    const std::size_t got = stream_.read(buffer.data(), want);
    if (got == 0) break;
    call({buffer.data(), got});
    done += got;
    offset_ += got;
  }
  return done;
}

void Walker::check_padding(std::uint64_t size, const std::string& path) {
  bool zeros = true;
  const std::uint64_t want = padding_after(size);
  const std::uint64_t got = consume(want, [&](common::ByteView piece) {
    zeros = zeros && std::all_of(piece.begin(), piece.end(), [](std::uint8_t b) { return b == 0; });
  });
  if (!zeros) find("A3", path, "the padding behind it is not zero");
  if (got < want) find_cut(path);
}

bool Walker::read_head() {
  const std::string seal(k_seal_name), signature(k_signature_name), info(k_info_name);
  Header header = read_header(seal);
  if (header.next == Next::end) find("A2", seal, "the archive begins with zeros, not with SHA256SUMS");
  if (header.next != Next::member) return false;
  if (const std::string path = inner_path(header.member.name); path != seal) {
    if (!path.empty()) find("A2", path, "stands first, where SHA256SUMS must stand");
    return false;
  }
  auto bytes = read_whole(header.member.size, k_seal_limit_bytes, seal);
  if (!bytes) return false;
  accept_seal(std::move(*bytes), request_, examination_);

  header = read_header(info);
  if (header.next == Next::end) find("A2", info, "the archive ends where pack.json must stand");
  if (header.next != Next::member) return false;
  std::string path = inner_path(header.member.name);
  if (path == signature) {
    bytes = read_whole(header.member.size, k_control_limit_bytes, signature);
    if (!bytes) return false;
    accept_signature(std::move(*bytes), examination_);
    header = read_header(info);
    if (header.next == Next::end) find("A2", info, "the archive ends where pack.json must stand");
    if (header.next != Next::member) return false;
    path = inner_path(header.member.name);
  }
  if (path != info) {
    if (!path.empty()) find("A2", path, "stands where pack.json must stand");
    return false;
  }
  const std::uint64_t info_offset = offset_;
  bytes = read_whole(header.member.size, k_control_limit_bytes, info);
  const bool listed = std::any_of(examination_.sums.begin(), examination_.sums.end(),
                                  [&](const SumsLine& line) { return line.path.text() == info; });
  if (!bytes || !listed) return false;
  accept_control(info, std::move(*bytes), examination_);
  if (examination_.info && examination_.info->name != top_)
    find("A5", top_,
         "the archive's folder is not the name in pack.json, \"" + examination_.info->name + "\"");
  list_files(examination_);
  examination_.offsets.assign(examination_.files.size(), 0);
  for (std::size_t i = 0; i < examination_.files.size(); ++i)
    if (examination_.files[i].path.text() == info) examination_.offsets[i] = info_offset;
  return true;
}

void Walker::read_rest(const Body& media, bool control_only) {
  std::vector<common::PackPath> paths;
  for (const SumsLine& line : examination_.sums) paths.push_back(line.path);
  const std::vector<std::size_t> order = order_behind_info(paths);
  std::map<std::string_view, std::size_t> places;
  for (std::size_t i = 0; i < order.size(); ++i) places.emplace(paths[order[i]].text(), i);
  std::size_t next = 0;
  const auto miss_until = [&](std::size_t end) {
    for (; next < end; ++next) find("F1", paths[order[next]].text(), "is missing");
  };
  for (;;) {
    const bool more = next < order.size();
    if (control_only && (!more || !is_control(paths[order[next]].text()))) return;
    const std::string expected = more ? paths[order[next]].text() : "";
    const std::size_t findings_before = examination_.findings.size();
    const Header header = read_header(expected);
    if (header.next == Next::end) {
      miss_until(order.size());
      check_end();
      return;
    }
    UstarMember member = header.member;
    if (header.next == Next::stop) {
      const bool damaged = examination_.findings.size() > findings_before &&
                           examination_.findings.back().rule == "A1" && more && examination_.info;
      if (!damaged) {
        miss_until(order.size());
        return;
      }
      member = {top_ + "/" + expected, examination_.files[order[next]].bytes};
    }
    const std::string path = inner_path(member.name);
    const auto place = places.find(path);
    if (place == places.end() || place->second < next) {
      if (!path.empty())
        find(place == places.end() ? "F3" : "A2", path,
             place == places.end() ? "SHA256SUMS does not list it" : "stands twice or not in its order");
      if (consume(member.size, [](common::ByteView) {}) < member.size) {
        find_cut(path);
        miss_until(order.size());
        return;
      }
      check_padding(member.size, path);
      continue;
    }
    miss_until(place->second);
    const std::size_t index = order[next++];
    examination_.offsets[index] = offset_;
    if (is_control(path)) {
      auto bytes = read_whole(member.size, k_control_limit_bytes, path);
      if (!bytes) {
        miss_until(order.size());
        return;
      }
      accept_control(path, std::move(*bytes), examination_);
    } else {
      media(index, member.size);
    }
  }
}

void Walker::check_end() {
  // One zero block has been read as a header.
  const std::uint64_t want = trailer_after(offset_ - k_block_bytes) - k_block_bytes;
  bool zeros = true;
  const std::uint64_t got = consume(want, [&](common::ByteView piece) {
    zeros = zeros && std::all_of(piece.begin(), piece.end(), [](std::uint8_t b) { return b == 0; });
  });
  if (!zeros) find("A4", "", "the end of the archive is not all zeros");
  if (got < want) {
    find_cut("");
    return;
  }
  std::uint8_t beyond = 0;
  if (stream_.read(&beyond, 1) != 0) {
    find("A4", "", "bytes follow the end of the archive at byte " + std::to_string(offset_));
    return;
  }
  if (const auto fault = stream_.fault()) examination_.findings.push_back(*fault);
}

}  // namespace

Examination examine_stream(Stream& stream, const ExamineRequest& request, MediaSink* sink) {
  ENSURE(request.depth != Depth::quick);
  Examination examination;
  Walker walker(stream, request, examination);
  if (walker.read_head()) {
    const bool control_only = request.depth == Depth::control;
    bool begun = false;
    walker.read_rest(
        [&](std::size_t index, std::uint64_t size) {
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
        },
        control_only);
    if (sink != nullptr && !begun) sink->begin_pack(examination);
  }
  conclude(examination);
  return examination;
}

Examination examine_tar(const common::File& file, const std::filesystem::path& name,
                        const ExamineRequest& request) {
  Examination examination;
  PlacedStream stream(file, name);
  Walker walker(stream, request, examination);
  const std::uint64_t file_bytes = common::size_of(file, name);
  struct Place {
    std::size_t index;
    std::uint64_t offset, size;
  };
  std::vector<Place> places;
  if (walker.read_head())
    walker.read_rest(
        [&](std::size_t index, std::uint64_t size) {
          places.push_back({index, walker.offset(), size});
          walker.skip(member_bytes(size) - k_block_bytes);
        },
        request.depth == Depth::control);
  std::vector<Findings> found(places.size());
  common::Progress progress("verifying", "MB", file_bytes >> 20, request.verbosity);
  common::parallel_for(request.depth == Depth::full ? places.size() : 0, request.threads, [&](std::size_t i) {
    const PackFile& expected = examination.files[places[i].index];
    PlacedStream body(file, name);
    body.skip(places[i].offset);
    Examination part;  // collects this file's findings; compare_file reads the shared one
    Walker reader(body, request, part);
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
