// A pack that was read wherever it lies, with everything that is wrong with it. examine_folder and
// examine_archive do the reading and share the parts below; verify, open, archive, extract and list are thin
// over them. The rules are those of FORMAT.md.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/progress.hpp"
#include "common/sealed/finding.hpp"
#include "common/sealed/inventory.hpp"
#include "common/sealed/signing_key.hpp"
#include "packer/check/part.hpp"
#include "packer/format/contents_check.hpp"

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
  std::optional<common::PublicKey> trusted_key{};
  ControlCall on_control{};
  // Of a folder or a .tar, in full: only this share of the media is hashed, and the manifests are hashed but
  // not judged (join_parts does that). The examination then says nothing about the rest.
  std::optional<Part> part{};
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

// What a pack begins with, not parsed yet.
using PackHead = common::SealBytes;

// The parts that all readings share; each adds to `examination`.
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
// F6 alone, of a file whose bytes nobody has to read: one of another size is damaged whatever they are, and
// may be endless. Without pack.json nobody knows the size, and the digest alone decides.
bool has_other_size(const PackFile& expected, std::uint64_t bytes, const Examination& examination,
                    common::Findings& findings);
// Fills `files`. To be called when the seal and pack.json were accepted, or are known to be missing.
void list_files(Examination& examination);
// The checks across files, where no part was asked for; sorts the findings.
void conclude(const ExamineRequest& request, Examination& examination);
// What of `files` is to be hashed.
[[nodiscard]] Share share_of(const ExamineRequest& request, const Examination& examination);

}  // namespace packer
