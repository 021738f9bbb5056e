#include "packer/build/copy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

#include "common/error.hpp"
#include "common/media/image.hpp"
#include "common/media/media_header.hpp"
#include "common/media/probe.hpp"
#include "common/parallel.hpp"
#include "common/unfetched.hpp"
#include "packer/build/source_sound.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

constexpr const char* k_no_source = "no source file";
constexpr const char* k_no_decode = "the source does not decode";
constexpr const char* k_no_sound = "the source is too short to be heard";
constexpr const char* k_too_short = "the source ends before the clip begins";
constexpr const char* k_too_long = "the source is too large";

// Why a source that is there cannot be packed: a reason for pack.json, and a sentence for the user.
struct Unusable {
  Unusable(const char* why, std::string told) : reason(why), problem(std::move(told)) {}
  const char* reason;
  std::string problem;
};

const char* suffix_of(common::AudioContainer container) {
  return container == common::AudioContainer::flac ? ".flac" : ".wav";
}

// A sound whose header and samples disagree would make a pack that its own verify refuses (P6).
void refuse_other_header(common::ByteView clip, const ClipFacts& facts, const std::string& source) {
  const auto header = common::sound_header(clip);
  if (header && (header->rate_hz != facts.rate_hz || header->channels != facts.channels ||
                 header->frames != facts.frames))
    throw Error(ErrorKind::mismatch, source + " has " + std::to_string(facts.frames) +
                                         " frames, its header declares " + std::to_string(header->frames) +
                                         "; write the file again or leave it out of the manifest");
}

// No recorder or converter goes beyond it, and pack.json and the readers of clips have their own limits.
constexpr int k_rate_limit_hz = 1'000'000;

void refuse_rate(const common::AudioFacts& facts, const std::string& source) {
  if (facts.rate_hz < 1 || facts.rate_hz > k_rate_limit_hz)
    throw Error(ErrorKind::mismatch,
                fmt::format("{} has a sample rate of {} Hz, and up to {} Hz are supported; convert the file "
                            "or leave it out of the manifest",
                            source, facts.rate_hz, k_rate_limit_hz));
}

// The same frames as those of a clip that was packed before.
std::optional<ClipCut> cut_again(const ClipFacts& clip, const common::AudioFacts& source) {
  const std::uint64_t first = clip.first_frame.value_or(0);
  if (clip.frames == 0 || first > source.frames || clip.frames > source.frames - first) return std::nullopt;
  return ClipCut{clip.making, first, clip.frames};
}

StagedFile stage_clip(const PlannedClip& clip, SourceSound&& sound, const common::Draft& draft,
                      const CopyRequest& request) {
  const common::Probe probe = request.probe;
  const std::string& source = sound.name();
  const common::AudioFacts facts = sound.probe(probe);
  refuse_rate(facts, source);
  const ClipRule rule{request.sources, clip.data_set != nullptr ? clip.data_set->clip_s : k_clip_s};
  const auto cut = clip.as_packed ? cut_again(*clip.as_packed, facts) : decide_cut(facts, clip.start_s, rule);
  if (!cut)
    throw Unusable(k_too_short,
                   fmt::format("{} lasts {:.1f} s, too short for a clip that begins at {} s and "
                               "has at least one; replace the file or leave it out of the manifest",
                               source, facts.duration_s(), clip.start_s));
  if (is_too_short(cut->count, facts.rate_hz))
    throw Unusable(
        k_no_sound,
        fmt::format("{} has {} frames at {} Hz, which is less than a millisecond of sound; replace the file "
                    "or leave it out of the manifest",
                    source, cut->count, facts.rate_hz));
  StagedFile file;
  file.info.role = Role::clip;
  ClipFacts& clip_facts = file.info.clip.emplace();
  clip_facts = {facts.rate_hz, facts.channels, cut->count, cut->making, {}, {}};
  clip_facts.by_ffmpeg = facts.decoder == common::Decoder::ffmpeg;
  file.kind = cut->kind;
  common::Signal signal = facts.signal;
  common::Bytes made;
  common::ByteView written;
  std::string suffix = suffix_of(facts.container);
  if (cut->making == Making::copied) {
    written = sound.hold();
  } else {
    made = common::cut_to_wav(sound.bytes(), cut->first, cut->count, source, common::OtherForms::ask_ffmpeg);
    written = made;
    suffix = ".wav";
    clip_facts.source = sound.digest();
    if (cut->making == Making::cut) clip_facts.first_frame = cut->first;
    signal = common::probe_sound(written, source + " (its clip)", probe).signal;
  }
  clip_facts.silent = signal == common::Signal::silence;
  refuse_other_header(written, clip_facts, source);
  file.info.path = common::PackPath(clip.stem + suffix);
  file.info.bytes = written.size();
  file.digest = common::digest_of(written);
  draft.put(file.info.path, written, file.digest);
  return file;
}

StagedFile stage_image(const PlannedImage& image, common::ByteView bytes, const std::string& source,
                       const common::Draft& draft, common::Probe probe) {
  StagedFile file;
  file.info.path = image.path;
  file.info.role = Role::image;
  file.info.bytes = bytes.size();
  const common::PictureSize size = common::probe_picture(bytes, source, probe);
  file.info.image = ImageFacts{size.width, size.height};
  file.digest = common::digest_of(bytes);
  draft.put(file.info.path, bytes, file.digest);
  return file;
}

// A source's bytes, in memory that each thread uses again and again; until its next call.
common::ByteView read_source(const fs::path& path, std::uint64_t limit_bytes) {
  thread_local common::ReadBuffer buffer;
  if (buffer.size() > k_held_sound_bytes) buffer = common::ReadBuffer();
  return common::read_file_into(path, limit_bytes, buffer);
}

// Clips first, then images: the order of everything that is staged.
class Stager {
 public:
  Stager(Collection& collection, const common::Draft& draft, const CopyRequest& request)
      : collection_(collection), draft_(draft), request_(request), clips_(collection.plan.clips.size()) {
    pack_.clips.resize(clips_);
    pack_.images.resize(collection.plan.images.size());
    for (std::size_t i = 0; i < count(); ++i)
      if (!source(i)) staged(i).reason = k_no_source;
  }

  [[nodiscard]] std::size_t count() const { return clips_ + collection_.plan.images.size(); }
  // Until it has been staged.
  [[nodiscard]] std::optional<Source>& source(std::size_t i) {
    return i < clips_ ? collection_.clip_sources[i] : collection_.image_sources[i - clips_];
  }
  // Of a source that is held in memory.
  [[nodiscard]] std::uint64_t limit_bytes(std::size_t i) const {
    return i < clips_ ? k_source_limit_bytes : common::k_picture_limit_bytes;
  }
  // What the data says no to becomes a problem to be listed; what could not be read has ended the build. Safe
  // from many threads.
  void stage(std::size_t i, common::ByteView bytes) {
    stage_as(i, [&](const std::string& name) {
      // In a folder it was not found; in an archive it is an entry like any other until it is read.
      if (const std::string why = common::why_unfetched(bytes, name); !why.empty())
        throw Unusable(k_no_source, name + " " + why);
      if (i < clips_)
        return stage_clip(collection_.plan.clips[i], SourceSound(bytes, name), draft_, request_);
      return stage_image(collection_.plan.images[i - clips_], bytes, name, draft_, request_.probe);
    });
  }
  // The same of a file that is not read yet. Its size is looked at first: a large sound stays where it is,
  // and a picture that is too large is not read at all.
  void stage_file(std::size_t i) {
    const fs::path path = source(i)->host;
    std::error_code failure;
    const std::uintmax_t bytes = fs::file_size(path, failure);
    if (failure || bytes <= (i < clips_ ? k_held_sound_bytes : limit_bytes(i)))
      stage(i, read_source(path, limit_bytes(i)));
    else if (i >= clips_)
      refuse_long(i);
    else
      stage_as(i, [&](const std::string& name) {
        return stage_clip(collection_.plan.clips[i], SourceSound(path, name), draft_, request_);
      });
  }
  void refuse_long(std::size_t i) {
    stage_as(i, [&](const std::string& name) -> StagedFile {
      throw Unusable(k_too_long, fmt::format("{} has more bytes than the limit of {}; replace the file or "
                                             "leave it out of the manifest",
                                             name, limit_bytes(i)));
    });
  }
  [[nodiscard]] const std::map<std::size_t, std::string>& problems() const { return problems_; }
  // Without its plan; once, at the end.
  [[nodiscard]] StagedPack take() { return std::move(pack_); }

 private:
  [[nodiscard]] Staged& staged(std::size_t i) {
    return i < clips_ ? pack_.clips[i] : pack_.images[i - clips_];
  }
  template <typename Make>
  void stage_as(std::size_t i, const Make& make) {
    const std::string name = source(i)->name();
    const auto refuse = [&](const char* reason, const std::string& problem) {
      staged(i).reason = reason;
      const std::lock_guard lock(mutex_);
      problems_.emplace(i, problem);
    };
    try {
      staged(i).file = make(name);
    } catch (const Unusable& unusable) {
      refuse(unusable.reason, unusable.problem);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::mismatch) throw;
      refuse(k_no_decode, error.what());
    }
    source(i).reset();
  }

  Collection& collection_;
  const common::Draft& draft_;
  const CopyRequest& request_;
  std::size_t clips_;
  StagedPack pack_;
  std::mutex mutex_;
  std::map<std::size_t, std::string> problems_;  // in the order of what is staged
};

// What is to be taken out of one archive: entry number -> what is staged from it.
struct Wanted {
  std::map<std::size_t, std::vector<std::size_t>> items;
  std::vector<WantedEntry> entries(Stager& stager) const {
    std::vector<WantedEntry> entries;
    for (const auto& [number, staged] : items)
      entries.push_back({*stager.source(staged.front())->entry, stager.limit_bytes(staged.front())});
    return entries;
  }
};

void stage_all(Stager& stager, const CopyRequest& request) {
  std::vector<std::size_t> files;
  std::map<std::shared_ptr<const ForeignArchive>, Wanted> archives;
  for (std::size_t i = 0; i < stager.count(); ++i) {
    const std::optional<Source>& source = stager.source(i);
    if (!source) continue;
    if (source->archive)
      archives[source->archive].items[source->entry->number].push_back(i);
    else
      files.push_back(i);
  }
  common::Progress progress("copying", "files", stager.count(), request.verbosity);
  common::parallel_for(files.size(), request.threads, [&](std::size_t k) {
    stager.stage_file(files[k]);
    progress.add(1);
  });
  for (const auto& [archive, wanted] : archives) {
    const std::vector<WantedEntry> entries = wanted.entries(stager);
    ForeignReader reader(archive->path(), entries);
    common::parallel_for(entries.size(), request.threads, [&, &items = wanted.items](std::size_t) {
      const ForeignReader::Taken taken = reader.next();
      for (const std::size_t i : items.at(entries[taken.which].entry.number))
        if (taken.is_too_long)
          stager.refuse_long(i);
        else
          stager.stage(i, taken.bytes);
      progress.add(1);
    });
  }
}

// Everything that is wrong with the sources, in one go.
void refuse_unusable(const Collection& collection, const Stager& stager) {
  const auto files = [](std::size_t count) {
    return count == 1 ? std::string("1 source file") : fmt::format("{} source files", count);
  };
  std::string message;
  if (collection.missing > 0)
    message = files(collection.missing) + (collection.missing == 1 ? " is" : " are") +
              " missing:" + collection.missing_lines + "\n";
  if (!stager.problems().empty()) {
    message += files(stager.problems().size()) + " cannot be used:";
    for (const auto& [number, problem] : stager.problems()) message += "\n  " + problem;
    message += "\n";
  }
  if (!message.empty())
    throw Error(ErrorKind::mismatch,
                message + "Put the right files there, or pack without them with --allow-missing");
}

}  // namespace

common::Bytes make_clip_again(const common::SoundBytes& source, const ClipFacts& facts,
                              const std::string& source_name) {
  const std::uint64_t first = facts.first_frame.value_or(0);
  const auto others = facts.by_ffmpeg ? common::OtherForms::ask_ffmpeg : common::OtherForms::refuse;
  const common::AudioFacts whole = common::probe_audio(source, source_name, others);
  if (facts.frames == 0 || first > whole.frames || facts.frames > whole.frames - first)
    throw Error(ErrorKind::mismatch,
                source_name + " has " + std::to_string(whole.frames) + " frames, fewer than the clip needs");
  return common::cut_to_wav(source, first, facts.frames, source_name, others);
}

StagedPack copy(Collection collection, common::Draft& draft, const CopyRequest& request) {
  for (const PlannedClip& clip : collection.plan.clips) draft.make_folder_for(clip.stem);
  for (const PlannedImage& image : collection.plan.images) draft.make_folder_for(image.path.text());

  Stager stager(collection, draft, request);
  stage_all(stager, request);
  if (request.missing == Missing::refuse) refuse_unusable(collection, stager);
  StagedPack pack = stager.take();
  pack.plan = std::move(collection.plan);
  return pack;
}

}  // namespace packer
