// Follows the tar bytes of a pack from header to header. What to expect next is known from the seal and
// pack.json; a header that differs is a finding, and where the sizes allow it the walk goes on behind it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/sealed/finding_limit.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/store.hpp"
#include "packer/tar/stream.hpp"
#include "packer/tar/ustar.hpp"

namespace packer {

class ArchiveWalker {
 public:
  // What to do with the bytes of a media file: they start at offset() and must be consumed by the call.
  using Body = std::function<void(std::size_t index, std::uint64_t size)>;

  ArchiveWalker(Stream& stream, const ExamineRequest& request, Examination& examination)
      : stream_(stream), request_(request), examination_(examination), limited_(examination.findings) {}

  [[nodiscard]] std::uint64_t offset() const { return offset_; }

  // The seal, its signature and pack.json. False: nothing can be said about the rest.
  bool read_head();
  // All others, in the order of the archive, then the end; at Depth::control the control files only.
  void read_rest(const Body& media);
  // Reads `size` bytes in pieces; gives how many there were.
  std::uint64_t consume(std::uint64_t size, const PieceCall& call);
  void skip(std::uint64_t size) {
    stream_.skip(size);
    offset_ += size;
  }
  void check_padding(std::uint64_t size, const std::string& path);
  // Goes over the `size` bytes of a file and their padding without looking at the bytes.
  void pass(std::uint64_t size, const std::string& path);

 private:
  enum class Next { member, end, damaged, stop };
  enum class Step { go_on, end, stop };
  struct Header {
    Next next = Next::stop;
    UstarMember member;
  };

  Header read_header(const std::string& expected);
  void find(const char* rule, const std::string& path, const std::string& what) {
    limited_.add(path, rule, what);
  }
  void find_cut(const std::string& path);
  // Z4: false where the control files so far are more than their compressed form may hold.
  bool check_control_ratio(const std::string& path);
  // The path behind the top folder; empty (with a finding) where another folder or a bad name stands there.
  std::string inner_path(const std::string& name);
  std::optional<common::Bytes> read_whole(std::uint64_t size, std::uint64_t limit_bytes,
                                          const std::string& path);
  std::optional<common::Bytes> read_seal();
  std::optional<common::Bytes> read_signature(std::uint64_t size);
  // The header behind the seal or its signature, with the path in the pack for a name.
  std::optional<UstarMember> read_info_header();
  bool read_info(std::uint64_t size);
  void expect_files();
  // The path that is the i-th of order_.
  [[nodiscard]] const std::string& expected(std::size_t i) const {
    return examination_.files[order_[i]].path.text();
  }
  // Into order_; nothing where the path is not in it.
  [[nodiscard]] std::optional<std::size_t> place_of(const std::string& path) const;
  void miss_until(std::size_t end);
  Step read_member(const Body& media);
  Step skip_stray(const std::string& path, std::uint64_t size);
  void check_end();

  Stream& stream_;
  const ExamineRequest& request_;
  Examination& examination_;
  common::LimitedFindings limited_;
  std::uint64_t offset_ = 0;
  std::string top_;
  std::vector<std::size_t> order_;   // of the files behind pack.json, into the examination's
  std::vector<std::size_t> places_;  // beside the examination's files: where they stand in order_
  std::size_t next_ = 0;             // into order_: what is expected next
};

}  // namespace packer
