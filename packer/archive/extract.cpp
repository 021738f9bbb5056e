#include "packer/archive/extract.hpp"

#include "common/error.hpp"
#include "common/sealed/draft.hpp"
#include "common/sealed/signature.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/examine_archive.hpp"
#include "packer/check/verify.hpp"
#include "packer/format/replaceable.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

// Not synced by itself: publishing the draft syncs the whole file system once.
class PlainFile : public common::Sink {
 public:
  PlainFile(const common::Folder& folder, const std::string& path)
      : host_(folder.path_of(path)), file_(folder.create(path)) {}
  void write(common::ByteView bytes) override { file_.write_all(bytes, host_); }
  void finish() override { file_.close(host_); }

 private:
  fs::path host_;
  common::File file_;
};

// Writes what the walk over the archive hands over. Names come from the seal, whose grammar was checked,
// never from a tar header.
class DraftSink : public MediaSink {
 public:
  DraftSink(std::optional<fs::path> dest, fs::path archive)
      : dest_(std::move(dest)), archive_(std::move(archive)) {}

  // Control files go to the disk as they come: those of 100,000 files have 80 MB together. What is wrong this
  // early (an unexpected id, a damaged pack.json) ends it before a folder is made.
  void put_control(const Examination& examination, const std::string& name, common::ByteView bytes) {
    if (!examination.findings.empty() || !examination.info) return;  // begin_pack refuses it
    if (!draft_) draft_.emplace(dest_ ? *dest_ : fs::path(examination.info->name), pack_replaceable());
    draft_->put(common::PackPath(name), bytes, common::digest_of(bytes));
  }
  void begin_pack(const Examination& examination) override {
    if (!examination.findings.empty() || !draft_) return refuse(examination.findings);
    for (const auto& [name, bytes] : examination.control) put_control(examination, name, bytes);
    draft_->remove_all_but([&](const std::string& path) {
      return examination.control.count(path) != 0 || index_of(examination.files, path);
    });
    for (const PackFile& file : examination.files) draft_->make_folder_for(file.path.text());
  }
  std::unique_ptr<common::Sink> begin_file(const PackFile& file) override {
    if (draft_->holds(file.path, file.bytes, file.digest)) return nullptr;
    return std::make_unique<PlainFile>(draft_->folder(), file.path.text());
  }

  [[nodiscard]] std::optional<common::Draft>& draft() { return draft_; }

 private:
  void refuse(common::Findings findings) const {
    common::sort_findings(findings);
    common::throw_findings(archive_.string() + " does not verify and was not extracted", findings,
                           remedy_for(archive_, findings));
  }

  std::optional<fs::path> dest_;
  fs::path archive_;
  std::optional<common::Draft> draft_;
};

Examination examine(const ExtractRequest& request, Form form, DraftSink& sink) {
  ExamineRequest whole{Depth::full, request.expected_id, request.threads, request.verbosity,
                       ControlBytes::drop};
  whole.on_control = [&](const Examination& examination, const std::string& name, common::ByteView bytes) {
    sink.put_control(examination, name, bytes);
  };
  if (request.trusted_key)
    whole.trusted_key = common::read_trusted_key(*request.trusted_key, request.archive);
  if (form == Form::tar) {
    const common::File file = common::open_to_read(request.archive);
    return examine_tar(file, request.archive, whole, &sink);
  }
  const std::unique_ptr<Stream> stream = open_archive_stream(request.archive, form);
  return examine_stream(*stream, whole, &sink);
}

// An interruption leaves the draft, from which the next run goes on.
Examination examine_or_keep(const ExtractRequest& request, Form form, DraftSink& sink) {
  try {
    return examine(request, form, sink);
  } catch (const common::Error& error) {
    if (error.kind() == common::ErrorKind::interrupted && sink.draft()) sink.draft()->keep();
    throw;
  }
}

}  // namespace

ExtractSummary extract(const ExtractRequest& request) {
  const Form form = form_of(request.archive);
  if (form == Form::folder)
    throw common::Error(common::ErrorKind::usage,
                        request.archive.string() + " is a folder already; name an archive");
  DraftSink sink(request.dest, request.archive);
  const Examination examination = examine_or_keep(request, form, sink);
  if (!examination.findings.empty() || !sink.draft())
    common::throw_findings(request.archive.string() + " does not verify and was not extracted",
                           examination.findings, remedy_for(request.archive, examination.findings));
  sink.draft()->publish();
  ExtractSummary summary{*examination.id, sink.draft()->target(), examination.files.size(), 0};
  for (const PackFile& file : examination.files) summary.bytes += file.bytes;
  return summary;
}

}  // namespace packer
