#include "packer/archive/archive.hpp"

#include <unistd.h>

#include <algorithm>

#include "common/error.hpp"
#include "common/program.hpp"
#include "common/sealed/draft_file.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/examine_archive.hpp"
#include "packer/check/examine_folder.hpp"
#include "packer/check/file_check.hpp"
#include "packer/check/store.hpp"
#include "packer/check/verify.hpp"
#include "packer/tar/compress.hpp"
#include "packer/tar/compression.hpp"
#include "packer/tar/decompress.hpp"
#include "packer/tar/tar_writer.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

bool is_standard_output(const fs::path& out) { return out == "-"; }

Compression compression_for(const ArchiveRequest& request) {
  const fs::path& out = request.out;
  if (is_standard_output(out)) return request.compression.value_or(Compression::none);
  if (request.compression)
    throw Error(ErrorKind::usage, "--format is for -o -; the suffix of " + out.string() + " says its form");
  const auto form = form_of_suffix(out);
  if (!form)
    throw Error(ErrorKind::usage, out.string() + " must end with .tar, .tar.zst, .tgz or .tar.gz; rename it");
  if (*form == Form::tgz) return Compression::gzip;
  return *form == Form::tar_zst ? Compression::zstd : Compression::none;
}

// A pipe, or a file that the shell has opened.
class StandardOutput : public common::Sink {
 public:
  StandardOutput() : file_(::dup(STDOUT_FILENO)) {
    if (!file_.is_open()) common::throw_errno("cannot write to the standard output");
  }
  void write(common::ByteView bytes) override {
    file_.write_all(bytes, k_shown);
    bytes_ += bytes.size();
  }
  void finish() override { file_.close(k_shown); }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

 private:
  static constexpr const char* k_shown = "the standard output";
  common::File file_;
  std::uint64_t bytes_ = 0;
};

void check_out(const fs::path& pack, const fs::path& out) {
  if (is_standard_output(out)) {
    if (::isatty(STDOUT_FILENO) == 1)
      throw Error(ErrorKind::usage,
                  "an archive is not written to a terminal; pipe it on, as in: safe-packer archive " +
                      pack.string() + " -o - | ssh HOST 'cat > pack.tar'");
    return;
  }
  const fs::file_status status = fs::symlink_status(out);
  if (fs::exists(status) && !fs::is_regular_file(status))
    throw Error(ErrorKind::usage,
                out.string() + " will not be replaced: it is not a regular file; name another");
  std::error_code none;
  if (fs::equivalent(pack, out, none))
    throw Error(ErrorKind::usage, out.string() + " is the pack itself; name another file");
}

// Where the pack's bytes are, with everything known but the digests of media.
struct Source {
  Examination examination;
  Store store;
};

Source look(const fs::path& pack, const ArchiveRequest& request) {
  const Form form = form_of(pack);
  const ExamineRequest quick{Depth::quick, {}, request.threads, request.verbosity, ControlBytes::drop};
  if (form == Form::folder) {
    auto folder = std::make_shared<const common::Folder>(common::Folder::open(pack));
    Examination examination = examine_folder(*folder, quick);
    return {std::move(examination), Store::of_folder(std::move(folder))};
  }
  if (form == Form::tar) {
    auto file = std::make_shared<const common::File>(common::open_to_read(pack));
    Examination examination = examine_tar(*file, pack, quick);
    return {std::move(examination), Store::of_tar(std::move(file), pack)};
  }
  throw Error(ErrorKind::usage, pack.string() + " is neither a pack's folder nor a .tar; extract it first");
}

void write_file(const Source& source, std::size_t index, TarWriter& tar) {
  const PackFile& file = source.examination.files[index];
  const std::string& path = file.path.text();
  FileCheck check(file, source.examination);
  tar.begin(path, file.bytes);
  const auto take = [&](common::ByteView piece) {
    common::throw_if_stop_requested();
    check.take(piece);
    if (check.bytes() <= file.bytes) tar.put(piece);
  };
  if (source.store.is_folder())
    source.store.read_pieces(file.path, take);
  else
    source.store.read_pieces(source.examination.offsets[index], file.bytes, take);
  common::Findings findings;
  check.conclude(findings);
  if (!findings.empty())
    common::throw_findings("the pack does not verify and was not archived", findings,
                           "List everything that is wrong with safe-packer verify.");
  tar.pad(padding_after(file.bytes));
}

// Counts what goes through.
class Counted : public common::Sink {
 public:
  explicit Counted(common::Sink& to) : to_(to) {}
  void write(common::ByteView bytes) override {
    count_ += bytes.size();
    to_.write(bytes);
  }
  void finish() override { to_.finish(); }
  [[nodiscard]] std::uint64_t count() const { return count_; }

 private:
  common::Sink& to_;
  std::uint64_t count_ = 0;
};

void write_archive(const Source& source, TarWriter& tar, common::Progress& progress) {
  const Examination& pack = source.examination;
  for (const std::string_view name : {common::k_seal_name, common::k_signature_name})
    if (const auto at = pack.control.find(std::string(name)); at != pack.control.end())
      tar.whole(at->first, at->second);
  std::vector<std::size_t> order = order_behind_info(pack.files);
  order.insert(order.begin(), index_of(pack.files, k_info_name).value());
  for (const std::size_t index : order) {
    write_file(source, index, tar);
    progress.add(pack.files[index].bytes >> 20);
  }
  tar.end();
}

}  // namespace

ArchiveSummary archive(const ArchiveRequest& request) {
  const Compression form = compression_for(request);
  (void)form_of(request.pack);  // says what is wrong with the pack before the target is looked at
  check_out(request.pack, request.out);
  const Source source = look(request.pack, request);
  if (!source.examination.findings.empty())
    common::throw_findings(request.pack.string() + " does not verify and was not archived",
                           source.examination.findings,
                           remedy_for(request.pack, source.examination.findings));
  std::uint64_t total = 0;
  for (const PackFile& file : source.examination.files) total += file.bytes;

  const auto write = [&](common::Sink& file) {
    Counted written(file);
    const std::unique_ptr<common::Sink> compressed = compress(form, written, request.threads);
    TarWriter tar(*compressed, source.examination.info->name + "/");
    common::Progress progress("archiving", "MB", total >> 20, request.verbosity);
    write_archive(source, tar, progress);
    if (form != Compression::none && total > decompressed_limit(written.count()))
      throw Error(ErrorKind::mismatch,
                  request.pack.string() +
                      " compresses to less than a thousandth, as no media do, and no reader "
                      "takes such an archive (FORMAT.md, Z4); name a .tar");
    file.finish();
  };
  if (is_standard_output(request.out)) {
    StandardOutput out;
    write(out);
    return {*source.examination.id, source.examination.files.size(), out.bytes()};
  }
  common::DraftFile file(request.out);
  write(file);
  file.publish();
  return {*source.examination.id, source.examination.files.size(), fs::file_size(request.out)};
}

}  // namespace packer
