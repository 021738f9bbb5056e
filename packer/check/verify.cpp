#include "packer/check/verify.hpp"

#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "common/error.hpp"
#include "common/sealed/finding_limit.hpp"
#include "packer/check/examine_archive.hpp"
#include "packer/check/examine_folder.hpp"
#include "packer/tar/compression.hpp"
#include "packer/tar/decompress.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

Compression compression_of(Form form) {
  if (form == Form::tgz) return Compression::gzip;
  return form == Form::tar_zst ? Compression::zstd : Compression::none;
}

}  // namespace

std::unique_ptr<Stream> open_archive_stream(const fs::path& path, Form form) {
  std::unique_ptr<Stream> bytes;
  if (form == Form::standard_input) {
    common::File input(::dup(STDIN_FILENO));
    if (!input.is_open()) common::throw_errno("cannot read the standard input");
    bytes = decompress_by_magic(std::make_unique<FileStream>(std::move(input), "the standard input"));
  } else {
    bytes = decompress(compression_of(form), std::make_unique<FileStream>(common::open_to_read(path), path));
  }
  return std::make_unique<ReadAhead>(std::move(bytes));
}

std::string remedy_for(const fs::path& path, const common::Findings& findings) {
  // Another copy from the same place would be no better.
  if (kind_of(findings) == ErrorKind::signature)
    return "Do not use it. Get the pack, and the public key, from the people you trust; they sign it with "
           "safe-packer sign.";
  const auto only = [&](std::string_view rule) {
    return std::all_of(findings.begin(), findings.end(),
                       [&](const common::Finding& finding) { return finding.rule == rule; });
  };
  if (only("E1"))
    return "It is consistent, but it is another pack than the expected one. Check the id, or get the pack "
           "that has it.";
  if (path == "-") return "Get the archive again, or build the pack again with safe-packer build.";
  if (form_of(path) == Form::folder && only("S1") && !fs::exists(path / k_info_name))
    return "Name a pack: the folder that holds SHA256SUMS, or an archive of it.";
  if (form_of(path) == Form::folder)
    return "Repair it: safe-packer repair " + path.string() +
           " --from FROM, where FROM is its sources, another copy or an archive of it; or extract an archive "
           "again (safe-packer extract ARCHIVE --dest " +
           path.string() + "), or build it again (safe-packer build --dest-root " + path.string() + ").";
  return "Get the archive again, or write it again from the pack (safe-packer archive PACK -o " +
         path.string() + ").";
}

Examination examine(const fs::path& path, const ExamineRequest& request) {
  const Form form = form_of(path);
  if (form == Form::folder) return examine_folder(path, request);
  if (form == Form::tar) {
    const common::File file = common::open_to_read(path);
    return examine_tar(file, path, request);
  }
  if (request.depth == Depth::quick || request.part)
    throw Error(ErrorKind::usage, std::string(request.part ? "--part" : "--quick") +
                                      " needs a folder or a .tar; " + path.string() +
                                      " can only be verified in full");
  const std::unique_ptr<Stream> stream = open_archive_stream(path, form);
  return examine_stream(*stream, request, nullptr);
}

bool is_verified(const Report& report) {
  return report.findings.empty() && report.depth == Depth::full && !report.part &&
         std::all_of(report.parts_read.begin(), report.parts_read.end(),
                     [](const PartRead& read) { return read.same_copy == SameCopy::yes; });
}

Report verify(const fs::path& path, const ExamineRequest& asked) {
  ExamineRequest request = asked;
  request.control = ControlBytes::drop;
  Examination examination = examine(path, request);
  Report report;
  report.depth = request.depth;
  report.id = examination.id;
  report.name = examination.info ? examination.info->name : "";
  report.part = request.part;
  report.files = examination.files.size();
  for (const PackFile& file : examination.files) report.bytes += file.bytes;
  if (request.part) {
    const Share share = share_of(request, examination);
    report.files = share.files;
    report.bytes = share.bytes;
    report.place = place_of(path);
  }
  report.signature = examination.signature;
  report.findings = std::move(examination.findings);
  common::limit_findings(report.findings);
  report.contents = std::move(examination.files);
  return report;
}

}  // namespace packer
