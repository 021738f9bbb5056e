#include "packer/check/open.hpp"

#include <algorithm>

#include "common/error.hpp"
#include "common/sealed/signature.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/examine_archive.hpp"
#include "packer/check/examine_folder.hpp"
#include "packer/check/verify.hpp"

namespace packer {

std::optional<std::size_t> VerifiedPack::find(const common::PackPath& path) const {
  const auto at =
      std::lower_bound(files_.begin(), files_.end(), path,
                       [](const PackFile& file, const common::PackPath& p) { return file.path < p; });
  if (at == files_.end() || at->path != path) return std::nullopt;
  return static_cast<std::size_t>(at - files_.begin());
}

bool VerifiedPack::contains(const common::PackPath& path) const { return find(path).has_value(); }

std::size_t VerifiedPack::index_of(const common::PackPath& path) const {
  if (const auto index = find(path)) return *index;
  throw common::Error(common::ErrorKind::mismatch,
                      "the pack " + location_.string() + " has no file " + path.text());
}

const common::Digest& VerifiedPack::digest(const common::PackPath& path) const {
  return files_[index_of(path)].digest;
}

std::uint64_t VerifiedPack::size(const common::PackPath& path) const { return files_[index_of(path)].bytes; }

common::Bytes VerifiedPack::read(const common::PackPath& path) const {
  const std::size_t index = index_of(path);
  const PackFile& file = files_[index];
  common::Bytes bytes;
  bytes.reserve(static_cast<std::size_t>(file.bytes));  // verified: the file has had this size
  const auto take = [&](common::ByteView piece) {
    if (bytes.size() + piece.size() <= file.bytes) bytes.insert(bytes.end(), piece.begin(), piece.end());
  };
  if (store_->is_folder())
    store_->read_pieces(path, take);
  else
    store_->read_pieces(offsets_[index], file.bytes, take);
  if (common::digest_of(bytes) != file.digest)
    throw common::Error(common::ErrorKind::mismatch,
                        path.text() + " in " + location_.string() +
                            " has changed since it was verified; verify the pack again");
  return bytes;
}

VerifiedPack open_pack(const std::filesystem::path& folder_or_tar, const OpenOptions& options) {
  const Form form = form_of(folder_or_tar);
  if (form != Form::folder && form != Form::tar)
    throw common::Error(common::ErrorKind::usage,
                        folder_or_tar.string() +
                            " cannot be read in place; extract it first: safe-packer extract " +
                            folder_or_tar.string());
  VerifiedPack pack;
  pack.location_ = folder_or_tar;
  ExamineRequest request{Depth::full, options.expected_id, options.threads, options.verbosity,
                         ControlBytes::drop};
  if (options.trusted_key)
    request.trusted_key = common::read_trusted_key(*options.trusted_key, folder_or_tar);
  Examination examination;
  if (form == Form::folder) {
    auto folder = std::make_shared<const common::Folder>(common::Folder::open(folder_or_tar));
    examination = examine_folder(*folder, request);
    pack.store_ = Store::of_folder(std::move(folder));
  } else {
    auto file = std::make_shared<const common::File>(common::open_to_read(folder_or_tar));
    examination = examine_tar(*file, folder_or_tar, request);
    pack.store_ = Store::of_tar(std::move(file), folder_or_tar);
  }
  if (!examination.findings.empty())
    common::throw_findings(folder_or_tar.string() + " does not verify", examination.findings,
                           remedy_for(folder_or_tar, examination.findings));
  ENSURE(examination.id && examination.info);
  pack.id_ = *examination.id;
  pack.info_ = std::move(*examination.info);
  pack.files_ = std::move(examination.files);
  pack.offsets_ = std::move(examination.offsets);
  return pack;
}

}  // namespace packer
