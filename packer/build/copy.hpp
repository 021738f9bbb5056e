// Sources become the pack's media files in a draft. The digest of a file is taken from the very buffer that
// is written. A sound longer than a clip is cut. A sound of another form than RIFF and FLAC, or whose header
// does not state its length, is decoded once. Every other source keeps its bytes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/media/audio.hpp"
#include "common/media/probe.hpp"
#include "common/progress.hpp"
#include "common/sealed/draft.hpp"
#include "packer/build/clip_rule.hpp"
#include "packer/build/collect.hpp"
#include "packer/format/info.hpp"

namespace packer {

struct StagedFile {
  FileInfo info;
  common::Digest digest;
  ClipCut::Kind kind = ClipCut::Kind::known;  // of a clip
};

struct Staged {
  std::optional<StagedFile> file;
  const char* reason = nullptr;  // for pack.json, where there is no usable source
};

struct StagedPack {
  Plan plan;
  std::vector<Staged> clips, images;  // beside plan.clips and plan.images
};

struct CopyRequest {
  Missing missing = Missing::refuse;
  common::Probe probe = common::Probe::decode;
  unsigned threads = 0;
  common::Verbosity verbosity = common::Verbosity::normal;
  SourceKind sources = SourceKind::detect;
};

// Of a source that is held in memory: everything but a full video in a folder.
inline constexpr std::uint64_t k_source_limit_bytes = std::uint64_t{2} << 30;

// The bytes of a clip that is not its source's copy, made again as the build made them: from that source and
// what pack.json says of the clip. Throws mismatch where the source does not decode or is too short.
[[nodiscard]] common::Bytes make_clip_again(const common::SoundBytes& source, const ClipFacts& facts,
                                            const std::string& source_name);

// Throws mismatch that lists every source that is missing or cannot be used, unless missing ones are allowed.
[[nodiscard]] StagedPack copy(Collection collection, common::Draft& draft, const CopyRequest& request);

}  // namespace packer
