#include "packer/repair/sources.hpp"

#include <algorithm>
#include <map>

#include "common/error.hpp"
#include "common/parallel.hpp"
#include "common/program.hpp"
#include "packer/build/copy.hpp"
#include "packer/check/examine_archive.hpp"
#include "packer/repair/repair.hpp"
#include "packer/repair/source_shelf.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

constexpr std::size_t k_piece_bytes = 128 << 10;

// Hands over a source's bytes; false where it cannot be read to its end. What `take` throws passes through:
// a full disk on the pack's side is no fault of a source.
bool read_through(const fs::path& host, const std::function<common::File()>& open,
                  const std::function<void(common::ByteView)>& take) {
  thread_local common::ReadBuffer buffer(k_piece_bytes);
  std::optional<common::File> file;
  for (;;) {
    common::throw_if_stop_requested();
    std::size_t got = 0;
    try {
      if (!file) file = open();
      got = file->read_some(buffer.data(), buffer.size(), host);
    } catch (const Error&) {
      return false;
    }
    if (got == 0) return true;
    take({buffer.data(), got});
  }
}

bool read_through(const fs::path& path, const std::function<void(common::ByteView)>& take) {
  std::error_code missing;
  const fs::path host = fs::canonical(path, missing);
  if (missing) return false;
  return read_through(
      host, [&] { return common::open_to_read(host); }, take);
}

// What is larger than any file of a pack and any source is none: a sparse file would be read for hours.
std::optional<common::Digest> digest_of_source(const fs::path& path) {
  std::error_code unknown;
  const std::uintmax_t size = fs::file_size(path, unknown);
  if (unknown || size > 2 * k_file_limit_bytes) return std::nullopt;
  common::Hasher hasher;
  if (!read_through(path, [&](common::ByteView piece) { hasher.update(piece); })) return std::nullopt;
  return hasher.finish();
}

void copy_in(RepairSite& site, const common::SumsLine& line, const fs::path& source) {
  const std::unique_ptr<common::Sink> part = site.begin(line, source.string());
  if (read_through(source, [&](common::ByteView piece) { part->write(piece); })) part->finish();
}

std::optional<common::Bytes> read_if_there(const fs::path& path, std::uint64_t limit_bytes) {
  std::error_code missing;
  const fs::path file = fs::canonical(path, missing);
  if (missing) return std::nullopt;
  try {
    return common::read_file(file, limit_bytes);
  } catch (const Error&) {
    return std::nullopt;
  }
}

// The clip, where `candidate` is its source and can be read.
std::optional<common::Bytes> clip_again(const fs::path& candidate, const ClipFacts& facts) {
  const auto digest = digest_of_source(candidate);
  if (!digest || digest != facts.source) return std::nullopt;
  try {
    const fs::path host = fs::canonical(candidate);
    const common::File file = common::open_to_read(host);
    return make_clip_again(common::SoundBytes(file, host), facts, candidate.string());
  } catch (const Error&) {
    return std::nullopt;
  }
}

// Takes what the site wants out of an archive of a pack. That the archive may be damaged does not matter.
class FetchSink : public MediaSink {
 public:
  FetchSink(RepairSite& site, std::string from) : site_(site), from_(std::move(from)) {}
  void begin_pack(const Examination& examination) override { (void)examination; }
  std::unique_ptr<common::Sink> begin_file(const PackFile& file) override {
    return site_.begin_any(file.digest, from_);
  }

 private:
  RepairSite& site_;
  std::string from_;
};

Examination examine_archive(const fs::path& path, Form form, const ExamineRequest& request, MediaSink* sink) {
  if (form == Form::tar) {
    const common::File file = common::open_to_read(path);
    return examine_tar(file, path, request, sink);
  }
  const std::unique_ptr<Stream> stream = open_archive_stream(path, form);
  return examine_stream(*stream, request, sink);
}

ShelfQuery query_for(const std::vector<common::SumsLine>& wanted, const std::optional<PackInfo>& info) {
  ShelfQuery query;
  for (const common::SumsLine& line : wanted) {
    const std::string& path = line.path.text();
    query.names.insert(path.substr(path.rfind('/') + 1));
    const FileInfo* file = info ? find_file(*info, line.path) : nullptr;
    if (file == nullptr) continue;
    query.sizes.insert(file->bytes);
    if (file->clip && file->clip->making != Making::copied) query.stems.insert(stem_of_path(path));
  }
  return query;
}

}  // namespace

RepairSources::RepairSources(const RepairSite& site, const RepairRequest& request)
    : threads_(request.threads), verbosity_(request.verbosity) {
  for (const fs::path& from : request.from) {
    const Form form = form_of(from);
    if (form == Form::standard_input)
      throw Error(ErrorKind::usage,
                  "--from cannot be the standard input: it may be read more than once; "
                  "name a file or a folder");
    if (form != Form::folder) {
      add_archive(from, form);
      continue;
    }
    if (fs::equivalent(from, site.pack()))
      throw Error(ErrorKind::usage, from.string() + " is the damaged pack itself; name another --from");
    folders_.push_back(from);
    if (auto seal = read_if_there(from / common::k_seal_name, common::k_seal_limit_bytes))
      add_seal(from.string(), std::move(*seal),
               read_if_there(from / common::k_signature_name, common::k_signature_bytes));
  }
  folders_.push_back(site.pack());
}

void RepairSources::add_archive(const fs::path& path, Form form) {
  Examination examination =
      examine_archive(path, form, {Depth::control, {}, threads_, common::Verbosity::quiet}, nullptr);
  if (examination.sums.empty())
    remarks_.push_back(path.string() +
                       " could not be read as a pack's archive: " + describe(examination.findings.front()));
  const auto part = [&](std::string_view name) -> std::optional<common::Bytes> {
    const auto at = examination.control.find(std::string(name));
    return at == examination.control.end() ? std::nullopt : std::optional(at->second);
  };
  if (auto seal = part(common::k_seal_name))
    add_seal(path.string(), std::move(*seal), part(common::k_signature_name));
  archives_.push_back({path, form, std::move(examination.control)});
}

void RepairSources::add_seal(const std::string& from, common::Bytes seal,
                             std::optional<common::Bytes> signature) {
  if (signature && signature->size() != common::k_signature_bytes) signature.reset();
  seals_.push_back({from, std::move(seal), std::move(signature)});
}

void RepairSources::fetch_control(RepairSite& site) const {
  for (const common::SumsLine& line : site.wanted())
    for (const Archive& archive : archives_) {
      const auto at = archive.control.find(line.path.text());
      if (at != archive.control.end() && site.put(line, at->second, archive.path.string())) break;
    }
  const std::vector<common::SumsLine> wanted = site.wanted();
  if (!wanted.empty()) fetch_named(site, SourceShelf(folders_, query_for(wanted, std::nullopt)));
}

void RepairSources::fetch_all(RepairSite& site, const std::vector<common::SumsLine>& lines,
                              const std::optional<PackInfo>& info) {
  const SourceShelf shelf(folders_, query_for(site.wanted(), info));
  fetch_named(site, shelf);
  fetch_from_archives(site);
  fetch_same_size(site, shelf);
  fetch_twins(site, lines);
  if (info) make_clips_again(site, shelf, *info);
}

void RepairSources::fetch_named(RepairSite& site, const SourceShelf& shelf) const {
  const std::vector<common::SumsLine> wanted = site.wanted();
  common::parallel_for(wanted.size(), threads_, [&](std::size_t i) {
    for (const fs::path& candidate : shelf.named_like(wanted[i].path.text()))
      if (digest_of_source(candidate) == wanted[i].digest) return copy_in(site, wanted[i], candidate);
  });
}

void RepairSources::fetch_from_archives(RepairSite& site) {
  for (const Archive& archive : archives_) {
    if (site.wanted().empty()) return;
    FetchSink sink(site, archive.path.string());
    (void)examine_archive(archive.path, archive.form, {Depth::full, {}, threads_, verbosity_}, &sink);
  }
}

// Each file is hashed once, however many of its size are wanted: clips of one length are all of one size.
void RepairSources::fetch_same_size(RepairSite& site, const SourceShelf& shelf) const {
  if (site.wanted().empty()) return;
  const std::vector<fs::path> candidates = shelf.of_sizes();
  common::parallel_for(candidates.size(), threads_, [&](std::size_t i) {
    const auto digest = digest_of_source(candidates[i]);
    if (!digest) return;
    const std::unique_ptr<common::Sink> part = site.begin_any(*digest, candidates[i].string());
    if (part && read_through(candidates[i], [&](common::ByteView piece) { part->write(piece); }))
      part->finish();
  });
}

// Two files of a pack may have the same bytes, and a source may hold them once.
void RepairSources::fetch_twins(RepairSite& site, const std::vector<common::SumsLine>& lines) const {
  std::map<common::Digest, std::vector<std::string>> paths;
  for (const common::SumsLine& line : lines) paths[line.digest].push_back(line.path.text());
  for (const common::SumsLine& line : site.wanted())
    for (const std::string& twin : paths[line.digest])
      if (site.digest_of(twin) == line.digest) {
        const fs::path shown = site.folder().path_of(twin);
        const std::unique_ptr<common::Sink> part = site.begin(line, shown.string());
        if (read_through(
                shown, [&] { return site.folder().open_to_read(twin); },
                [&](common::ByteView piece) { part->write(piece); }))
          part->finish();
        break;
      }
}

void RepairSources::make_clips_again(RepairSite& site, const SourceShelf& shelf, const PackInfo& info) const {
  std::vector<common::SumsLine> clips;
  for (const common::SumsLine& line : site.wanted()) {
    const FileInfo* file = find_file(info, line.path);
    if (file != nullptr && file->clip && file->clip->making != Making::copied) clips.push_back(line);
  }
  common::parallel_for(clips.size(), threads_, [&](std::size_t i) {
    const ClipFacts& facts = *find_file(info, clips[i].path)->clip;
    for (const fs::path& candidate : shelf.with_stem(stem_of_path(clips[i].path.text()))) {
      const std::optional<common::Bytes> clip = clip_again(candidate, facts);
      if (clip && site.put(clips[i], *clip, candidate.string() + ", cut again")) return;
    }
  });
}

}  // namespace packer
