// Reading a pack wherever it lies (a folder, a .tar in place, a stream) and listing everything that is wrong
// with it. verify, open, archive, extract and list are thin over this; the rules are those of FORMAT.md.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/progress.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/folder.hpp"
#include "common/sink.hpp"
#include "packer/format/contents_check.hpp"
#include "packer/format/signing_key.hpp"
#include "packer/tar/stream.hpp"

namespace packer {

// full: every byte is hashed. quick: control files are hashed, of the others only names and sizes are looked
// at. control: nothing behind the control files is looked at.
enum class Depth { full, quick, control };

// What happens to the bytes of control files once they were judged. Those of the seal and its signature are
// kept.
enum class ControlBytes { keep, drop };

struct Examination;
// Sees each control file but these two when it has been judged; the examination has what was found so far.
using ControlCall =
    std::function<void(const Examination& examination, const std::string& name, common::ByteView bytes)>;

struct ExamineRequest {
  Depth depth = Depth::full;
  std::optional<common::Digest> expected_id;
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
  ControlBytes control = ControlBytes::keep;
  // Whose signature the pack must have (E2). It is checked first: where it does not hold, nothing else of the
  // pack is parsed.
  std::optional<PublicKey> trusted_key{};
  ControlCall on_control{};
};

enum class SignatureState { absent, not_checked, good, refused };

struct Examination {
  common::Findings findings;  // sorted; none: the pack is consistent
  std::optional<common::Digest> id;
  std::vector<common::SumsLine> sums;
  std::optional<PackInfo> info;
  std::map<std::string, common::Bytes> control;  // as the request says, by name
  std::vector<PackFile> files;                   // what the seal lists, sorted; sizes as pack.json says
  std::vector<std::uint64_t> offsets;            // of the files' bytes in a .tar, beside `files`; else empty
  std::uint64_t info_bytes = 0;                  // of pack.json, which cannot state its own size
  ContentsCheck contents;
  SignatureState signature = SignatureState::absent;
  [[nodiscard]] bool has_signature() const;
};

// Where the bytes of media go while an archive is examined; used by extract and repair.
class MediaSink {
 public:
  virtual ~MediaSink() = default;
  // The control files (of a .tar: all headers too) have been read, and nothing is wrong so far, or
  // `examination.findings` says what.
  virtual void begin_pack(const Examination& examination) = 0;
  // Takes the file's bytes, finished behind the last one; null: nobody wants them, and a .tar does not even
  // read them. Safe from many threads.
  virtual std::unique_ptr<common::Sink> begin_file(const PackFile& file) = 0;
};

[[nodiscard]] Examination examine_folder(const std::filesystem::path& root, const ExamineRequest& request);
[[nodiscard]] Examination examine_folder(const common::Folder& root, const ExamineRequest& request);
// `sink` may be null; with one, the depth is full.
[[nodiscard]] Examination examine_tar(const common::File& file, const std::filesystem::path& name,
                                      const ExamineRequest& request, MediaSink* sink = nullptr);
// Tar bytes, decompressed already. `sink` may be null.
[[nodiscard]] Examination examine_stream(Stream& stream, const ExamineRequest& request, MediaSink* sink);

// What a pack begins with, not parsed yet; nothing where it is not there or not readable as such.
struct PackHead {
  std::optional<common::Bytes> seal, signature;
};

// The parts that the three share; each adds to `examination`.
// E2. To be called before anything else is accepted: false ends the examination.
[[nodiscard]] bool accept_trust(const PackHead& head, const ExamineRequest& request,
                                Examination& examination);
void accept_seal(common::Bytes bytes, const ExamineRequest& request, Examination& examination);
void accept_signature(common::Bytes bytes, const ExamineRequest& request, Examination& examination);
// Any other control file, pack.json included; compares with the seal.
void accept_control(const std::string& name, common::Bytes bytes, const ExamineRequest& request,
                    Examination& examination);
// F2 and F6: a file against the seal and pack.json. Safe from many threads.
void compare_file(const PackFile& expected, const common::Digest& digest, std::uint64_t bytes,
                  const Examination& examination, common::Findings& findings);
// Fills `files`. To be called when the seal and pack.json were accepted, or are known to be missing.
void list_files(Examination& examination);
// The checks across files; sorts the findings.
void conclude(Examination& examination);

}  // namespace packer
