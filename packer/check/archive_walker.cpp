#include "packer/check/archive_walker.hpp"

#include <algorithm>

#include "common/program.hpp"

namespace packer {
namespace {

constexpr std::size_t k_piece_bytes = 128 << 10;
// Control files become values in memory, so a small archive must not hold many of their bytes (FORMAT.md,
// Z4).
constexpr std::uint64_t k_control_base_bytes = std::uint64_t{32} << 20;
constexpr std::uint64_t k_control_ratio = 64;
constexpr std::uint64_t k_bounded_bytes = std::uint64_t{1} << 20;  // read between two looks at the ratio
constexpr const char* k_not_canonical =
    "is not the header that this format requires (an archive made by plain tar has others: extract it "
    "with tar "
    "and verify the folder, or write it with safe-packer archive)";

}  // namespace

void ArchiveWalker::find_cut(const std::string& path) {
  // A decompressor that failed explains the end better than the end itself.
  if (const auto fault = stream_.fault())
    examination_.findings.push_back(*fault);
  else
    find("A6", path, "the archive is truncated at byte " + std::to_string(offset_));
}

ArchiveWalker::Header ArchiveWalker::read_header(const std::string& expected) {
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
  const std::string where = "what begins at byte " + std::to_string(at) + " ";
  if (reading.fault == HeaderFault::not_ustar)
    find("A1", expected, where + "is not a tar header");
  else
    find("A1", expected, where + k_not_canonical);
  return {Next::damaged, {}};
}

std::string ArchiveWalker::inner_path(const std::string& name) {
  const std::size_t slash = name.find('/');
  const std::string top = name.substr(0, slash);
  if (slash == std::string::npos || (!top_.empty() && top != top_)) {
    find("A5", name, "is outside the archive's one folder" + (top_.empty() ? "" : " \"" + top_ + "\""));
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

std::optional<common::Bytes> ArchiveWalker::read_whole(std::uint64_t size, std::uint64_t limit_bytes,
                                                       const std::string& path) {
  if (size > limit_bytes) {
    find("F7", path,
         "has " + std::to_string(size) + " bytes, a control file at most " + std::to_string(limit_bytes));
    return std::nullopt;
  }
  common::Bytes bytes;
  // The cap was checked, and pages that no byte is written to cost nothing: a header may promise more than
  // the archive has. Growing step by step would hold the bytes twice.
  bytes.reserve(static_cast<std::size_t>(size));
  bool is_bounded = true;
  while (bytes.size() < size && is_bounded) {
    const std::uint64_t want = std::min<std::uint64_t>(k_bounded_bytes, size - bytes.size());
    const std::uint64_t got =
        consume(want, [&](common::ByteView piece) { bytes.insert(bytes.end(), piece.begin(), piece.end()); });
    if (got < want) {
      find_cut(path);
      return std::nullopt;
    }
    is_bounded = check_control_ratio(path);
  }
  if (!is_bounded) return std::nullopt;
  check_padding(size, path);
  return bytes;
}

std::uint64_t ArchiveWalker::consume(std::uint64_t size, const PieceCall& call) {
  thread_local common::ReadBuffer buffer(k_piece_bytes);
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

void ArchiveWalker::check_padding(std::uint64_t size, const std::string& path) {
  bool zeros = true;
  const std::uint64_t want = padding_after(size);
  const std::uint64_t got = consume(want, [&](common::ByteView piece) {
    zeros = zeros && std::all_of(piece.begin(), piece.end(), [](std::uint8_t b) { return b == 0; });
  });
  if (!zeros) find("A3", path, "the padding after it is not zero");
  if (got < want) find_cut(path);
}

bool ArchiveWalker::check_control_ratio(const std::string& path) {
  const auto compressed = stream_.compressed_bytes();
  if (!compressed || offset_ <= k_control_base_bytes + k_control_ratio * *compressed) return true;
  find("Z4", path,
       "the control files decompress to " + std::to_string(offset_) + " bytes out of " +
           std::to_string(*compressed) + ", which is more than 32 MiB and 64 times as much");
  return false;
}

void ArchiveWalker::pass(std::uint64_t size, const std::string& path) {
  const std::uint64_t got = consume(size, [](common::ByteView) { common::throw_if_stop_requested(); });
  if (got == size)
    check_padding(size, path);
  else
    find_cut(path);
}

std::optional<common::Bytes> ArchiveWalker::read_seal() {
  const std::string seal(common::k_seal_name);
  const Header header = read_header(seal);
  if (header.next == Next::end) find("A2", seal, "the archive begins with zeros, not with SHA256SUMS");
  if (header.next != Next::member) return std::nullopt;
  if (const std::string path = inner_path(header.member.name); path != seal) {
    if (!path.empty()) find("A2", path, "is the first file; SHA256SUMS must be the first");
    return std::nullopt;
  }
  return read_whole(header.member.size, common::k_seal_limit_bytes, seal);
}

std::optional<common::Bytes> ArchiveWalker::read_signature(std::uint64_t size) {
  const std::string signature(common::k_signature_name);
  if (size == common::k_signature_bytes) return read_whole(size, size, signature);
  find("S7", signature, "has " + std::to_string(size) + " bytes, a signature has exactly 64");
  // Where a signature is required, nothing behind this one will be looked at.
  if (request_.trusted_key) return std::nullopt;
  if (consume(size, [](common::ByteView) {}) == size) check_padding(size, signature);
  return std::nullopt;
}

std::optional<UstarMember> ArchiveWalker::read_info_header() {
  const std::string info(k_info_name);
  const Header header = read_header(info);
  if (header.next == Next::end) find("A2", info, "the archive ends where pack.json is expected");
  if (header.next != Next::member) return std::nullopt;
  return UstarMember{inner_path(header.member.name), header.member.size};
}

bool ArchiveWalker::read_head() {
  PackHead head;
  head.seal = read_seal();
  std::optional<UstarMember> next = head.seal ? read_info_header() : std::nullopt;
  const bool is_signed = next && next->name == common::k_signature_name;
  if (is_signed) head.signature = read_signature(next->size);
  if (!accept_trust(head, request_, examination_) || !head.seal) return false;
  accept_seal(std::move(*head.seal), request_, examination_);
  if (head.signature) accept_signature(std::move(*head.signature), request_, examination_);
  if (is_signed) next = read_info_header();
  if (!next) return false;
  if (next->name != k_info_name) {
    if (!next->name.empty()) find("A2", next->name, "is there instead of pack.json");
    return false;
  }
  return read_info(next->size);
}

bool ArchiveWalker::read_info(std::uint64_t size) {
  const std::string info(k_info_name);
  const std::uint64_t info_offset = offset_;
  auto bytes = read_whole(size, k_control_limit_bytes, info);
  const bool listed = std::any_of(examination_.sums.begin(), examination_.sums.end(),
                                  [&](const common::SumsLine& line) { return line.path.text() == info; });
  if (!bytes || !listed) return false;
  accept_control(info, std::move(*bytes), request_, examination_);
  if (examination_.info && examination_.info->name != top_)
    find("A5", top_,
         "the archive's folder is not the name in pack.json, \"" + examination_.info->name + "\"");
  list_files(examination_);
  examination_.offsets.assign(examination_.files.size(), 0);
  for (std::size_t i = 0; i < examination_.files.size(); ++i)
    if (examination_.files[i].path.text() == info) examination_.offsets[i] = info_offset;
  return true;
}

void ArchiveWalker::expect_files() {
  order_ = order_behind_info(examination_.files);
  places_.assign(examination_.files.size(), order_.size());
  for (std::size_t i = 0; i < order_.size(); ++i) places_[order_[i]] = i;
}

std::optional<std::size_t> ArchiveWalker::place_of(const std::string& path) const {
  const auto index = index_of(examination_.files, path);
  if (!index || places_[*index] == order_.size()) return std::nullopt;
  return places_[*index];
}

void ArchiveWalker::miss_until(std::size_t end) {
  for (; next_ < end; ++next_) find("F1", expected(next_), "is missing");
}

void ArchiveWalker::read_rest(const Body& media) {
  expect_files();
  // An archive of nothing but strays could otherwise fill the memory with findings.
  for (std::size_t members = 0; members <= common::k_file_count_limit; ++members) {
    const bool more = next_ < order_.size();
    if (request_.depth == Depth::control && (!more || !is_control(expected(next_)))) return;
    const Step step = read_member(media);
    if (step == Step::go_on) continue;
    miss_until(order_.size());
    if (step == Step::end) check_end();
    return;
  }
  find("S6", "", "the archive has more than 500000 files");
}

ArchiveWalker::Step ArchiveWalker::read_member(const Body& media) {
  const bool more = next_ < order_.size();
  const std::string wanted = more ? expected(next_) : "";
  const Header header = read_header(wanted);
  if (header.next == Next::end) return Step::end;
  UstarMember member = header.member;
  if (header.next != Next::member) {
    // A damaged header of a file whose size pack.json knows: what lies behind it can still be judged.
    if (header.next == Next::stop || !more || !examination_.info) return Step::stop;
    member = {top_ + "/" + wanted, examination_.files[order_[next_]].bytes};
  }
  const std::string path = inner_path(member.name);
  const auto place = place_of(path);
  if (!place || *place < next_) return skip_stray(path, member.size);
  miss_until(*place);
  const std::size_t index = order_[next_++];
  examination_.offsets[index] = offset_;
  if (!is_control(path)) {
    media(index, member.size);
    return Step::go_on;
  }
  auto bytes = read_whole(member.size, k_control_limit_bytes, path);
  if (!bytes) return Step::stop;
  accept_control(path, std::move(*bytes), request_, examination_);
  return Step::go_on;
}

ArchiveWalker::Step ArchiveWalker::skip_stray(const std::string& path, std::uint64_t size) {
  if (place_of(path))
    find("A2", path, "is a duplicate, or not in its place");
  else if (!path.empty())
    find("F3", path, "SHA256SUMS does not list it");
  if (consume(size, [](common::ByteView) { common::throw_if_stop_requested(); }) < size) {
    find_cut(path);
    return Step::stop;
  }
  check_padding(size, path);
  return Step::go_on;
}

void ArchiveWalker::check_end() {
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
    find("A4", "", "there are bytes after the end of the archive at byte " + std::to_string(offset_));
    return;
  }
  if (const auto fault = stream_.fault()) examination_.findings.push_back(*fault);
}

}  // namespace packer
