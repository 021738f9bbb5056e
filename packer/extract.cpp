#include "packer/extract.hpp"

#include "common/error.hpp"
#include "packer/draft.hpp"
#include "packer/examine.hpp"
#include "packer/sign.hpp"
#include "packer/verify.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

// Writes what the walk over the archive hands over. Names come from the seal, whose grammar was checked,
// never from a tar header.
class DraftSink : public MediaSink {
 public:
  DraftSink(std::optional<fs::path> dest, fs::path archive)
      : dest_(std::move(dest)), archive_(std::move(archive)) {}

  void begin_pack(const Examination& examination) override {
    // What is wrong this early (an unexpected id, a damaged pack.json) ends it before a folder is made.
    if (!examination.findings.empty() || !examination.info) return refuse(examination.findings);
    draft_.emplace(dest_ ? *dest_ : fs::path(examination.info->name));
    std::vector<common::PackPath> paths;
    for (const PackFile& file : examination.files) paths.push_back(file.path);
    std::set<std::string> wanted;
    for (const auto& [name, bytes] : examination.control) {
      draft_->put(common::PackPath(name), bytes, common::digest_of(bytes));
      wanted.insert(name);
    }
    draft_->remove_all_but(wanted);
    draft_->make_folders(paths);
  }
  void begin_file(const common::PackPath& path) override {
    host_ = path.under(draft_->folder());
    file_ = common::create_new(host_);
  }
  void write(common::ByteView bytes) override { file_.write_all(bytes, host_); }
  void end_file() override { file_.close(host_); }

  [[nodiscard]] std::optional<Draft>& draft() { return draft_; }

 private:
  void refuse(Findings findings) const {
    sort_findings(findings);
    throw_findings(archive_.string() + " does not verify and was not extracted", findings,
                   remedy_for(archive_, findings));
  }

  std::optional<fs::path> dest_;
  fs::path archive_;
  std::optional<Draft> draft_;
  common::File file_;
  fs::path host_;
};

}  // namespace

ExtractSummary extract(const ExtractRequest& request) {
  const Form form = form_of(request.archive);
  if (form == Form::folder)
    throw common::Error(common::ErrorKind::usage,
                        request.archive.string() + " is a folder already; name an archive");
  ExamineRequest examine{Depth::full, request.expected_id, request.threads, request.verbosity};
  if (request.trusted_key) examine.trusted_key = read_trusted_key(*request.trusted_key, request.archive);
  const std::unique_ptr<Stream> stream = open_archive_stream(request.archive, form);
  DraftSink sink(request.dest, request.archive);
  const Examination examination = examine_stream(*stream, examine, &sink);
  if (!examination.findings.empty() || !sink.draft())
    throw_findings(request.archive.string() + " does not verify and was not extracted", examination.findings,
                   remedy_for(request.archive, examination.findings));
  sink.draft()->publish();
  ExtractSummary summary{*examination.id, sink.draft()->target(), examination.files.size(), 0};
  for (const PackFile& file : examination.files) summary.bytes += file.bytes;
  return summary;
}

}  // namespace packer
