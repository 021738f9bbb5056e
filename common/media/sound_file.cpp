#include "common/media/sound_file.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "common/error.hpp"
#include "common/media/flac_frames.hpp"
#include "common/media/ogg_pages.hpp"

namespace common {
namespace {

VirtualFile& self(void* user) { return *static_cast<VirtualFile*>(user); }

sf_count_t virtual_length(void* user) { return static_cast<sf_count_t>(self(user).size); }
sf_count_t virtual_tell(void* user) { return static_cast<sf_count_t>(self(user).position); }
sf_count_t virtual_seek(sf_count_t offset, int whence, void* user) {
  VirtualFile& file = self(user);
  sf_count_t base = 0;
  if (whence == SEEK_CUR) base = static_cast<sf_count_t>(file.position);
  if (whence == SEEK_END) base = static_cast<sf_count_t>(file.size);
  const bool reading = file.read != nullptr;
  if (offset < -base || (reading && base + offset > static_cast<sf_count_t>(file.size))) return -1;
  file.position = static_cast<std::uint64_t>(base + offset);
  return base + offset;
}
// What stands in the file's place where a patch does.
void apply(const std::vector<BytePatch>& patches, std::uint64_t position, std::uint8_t* to,
           std::uint64_t count) {
  for (const BytePatch& patch : patches)
    for (std::size_t i = 0; i < patch.bytes.size(); ++i)
      if (const std::uint64_t at = patch.offset + i; at >= position && at < position + count)
        to[at - position] = patch.bytes[i];
}
sf_count_t virtual_read(void* to, sf_count_t count, void* user) {
  VirtualFile& file = self(user);
  if (file.position >= file.size || count <= 0) return 0;
  const std::uint64_t take = std::min(file.size - file.position, static_cast<std::uint64_t>(count));
  try {
    if (file.read == nullptr)
      std::memcpy(to, file.written.data() + file.position, take);
    else if (file.read->read_at(to, take, file.position) != take)
      return 0;
    apply(file.patches, file.position, static_cast<std::uint8_t*>(to), take);
  } catch (...) {
    file.failure = std::current_exception();
    return 0;
  }
  file.position += take;
  return static_cast<sf_count_t>(take);
}
sf_count_t virtual_write(const void* from, sf_count_t count, void* user) {
  VirtualFile& file = self(user);
  if (count <= 0) return 0;
  const std::uint64_t end = file.position + static_cast<std::uint64_t>(count);
  if (end > file.written.size()) file.written.resize(end);
  std::memcpy(file.written.data() + file.position, from, static_cast<std::size_t>(count));
  file.position = end;
  file.size = file.written.size();
  return count;
}

SampleFormat sample_format_of(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_S8:
      return SampleFormat::pcm_u8;
    case SF_FORMAT_PCM_16:
      return SampleFormat::pcm_16;
    case SF_FORMAT_PCM_24:
      return SampleFormat::pcm_24;
    case SF_FORMAT_PCM_32:
      return SampleFormat::pcm_32;
    case SF_FORMAT_FLOAT:
      return SampleFormat::float_32;
    case SF_FORMAT_DOUBLE:
      return SampleFormat::float_64;
    default:
      return SampleFormat::compressed;
  }
}

AudioContainer container_of(SoundForm form) {
  switch (form) {
    case SoundForm::riff:
      return AudioContainer::wav;
    case SoundForm::flac:
      return AudioContainer::flac;
    case SoundForm::mp3:
      return AudioContainer::mp3;
    default:
      return AudioContainer::other;
  }
}

// What libsndfile calls a file that it can open; empty for any other.
std::string name_by_libsndfile(const SoundBytes& file) {
  VirtualFile virtual_file;
  virtual_file.read = &file;
  virtual_file.size = file.size();
  SF_VIRTUAL_IO io = virtual_io();
  SF_INFO info{};
  const SoundHandle handle(::sf_open_virtual(&io, SFM_READ, &info, &virtual_file));
  if (virtual_file.failure) std::rethrow_exception(virtual_file.failure);
  if (!handle) return "";
  SF_FORMAT_INFO format{info.format & SF_FORMAT_TYPEMASK, nullptr, nullptr};
  if (::sf_command(nullptr, SFC_GET_FORMAT_INFO, &format, sizeof(format)) != 0) return "";
  return format.name;
}

[[noreturn]] void refuse_form(const SoundBytes& file, const FoundForm& found, const std::string& name) {
  std::string form = name_of(found.form);
  // Behind a tag libsndfile would look for an MPEG stream, and say on stderr what it thinks of it.
  if (found.form == SoundForm::unknown && found.begin == 0) form = name_by_libsndfile(file);
  if (form.empty())
    refuse_sound(name, "it is not a WAV, FLAC, MP3, Ogg Vorbis or Ogg Opus file, or its header is damaged");
  refuse_sound(name, "it is " + form +
                         ", and WAV, FLAC, MP3, Ogg Vorbis and Ogg Opus are supported; convert it "
                         "(ffmpeg -i IN -vn OUT.wav)");
}

void refuse_format(int rate_hz, int channels, const std::string& name) {
  refuse_sound(name, "its header gives " + std::to_string(rate_hz) + " Hz and " + std::to_string(channels) +
                         " channels");
}

bool is_decoded(SoundForm form) { return form >= SoundForm::riff && form <= SoundForm::mp3; }

int bytes_of(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_U8:
    case SF_FORMAT_PCM_S8:
      return 1;
    case SF_FORMAT_PCM_16:
      return 2;
    case SF_FORMAT_PCM_24:
      return 3;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_FLOAT:
      return 4;
    case SF_FORMAT_DOUBLE:
      return 8;
    default:
      return 0;
  }
}

// An ID3v1 tag at the end of a stream whose header tells no decoder where that is.
std::uint64_t end_before_tag(const SoundBytes& bytes) {
  SoundScanner scanner(bytes);
  return bytes.size() > 128 && scanner.has_tag(bytes.size() - 128, "TAG") ? bytes.size() - 128 : bytes.size();
}

}  // namespace

SF_VIRTUAL_IO virtual_io() {
  return {virtual_length, virtual_seek, virtual_read, virtual_write, virtual_tell};
}

OpenSound::OpenSound(const SoundBytes& file, const std::string& name, OtherForms others)
    : name_(name), bytes_(file) {
  if (file.size() == 0) refuse_sound(name, "it is empty");
  const FoundForm found = find_form(file);
  form_ = found.form;
  if (others == OtherForms::ask_ffmpeg && is_for_ffmpeg(form_))
    ask_ffmpeg(found.begin);
  else if (!is_decoded(form_))
    refuse_form(file, found, name);
  else if (form_ == SoundForm::mp3)
    open_mp3(found.begin);
  else
    open_other(found);
  if (info_.samplerate <= 0 || info_.channels <= 0 || info_.channels > 64)
    refuse_format(info_.samplerate, info_.channels, name);
  limit_frames(declared_);
}

void OpenSound::open_mp3(std::uint64_t begin) {
  mp3_ = std::make_unique<Mp3Decoder>(bytes_, begin, name_);
  info_.samplerate = mp3_->rate_hz();
  info_.channels = mp3_->channels();
}

void OpenSound::ask_ffmpeg(std::uint64_t begin) {
  bytes_ = bytes_.part(begin, bytes_.size());
  ffmpeg_ = std::make_unique<FfmpegDecoder>(bytes_, form_, name_);
  info_.samplerate = ffmpeg_->rate_hz();
  info_.channels = ffmpeg_->channels();
}

void OpenSound::open_other(const FoundForm& found) {
  bytes_ = bytes_.part(found.begin, bytes_.size());
  WavData wav;
  if (form_ == SoundForm::flac) {
    declared_ = flac_length(bytes_);
    // Told of no length, the decoder does not stop where the header says that it ends.
    std::array<std::uint8_t, 1> shared{};
    (void)bytes_.read_at(shared.data(), 1, k_flac_length_at);
    virtual_.patches = {{k_flac_length_at, {static_cast<std::uint8_t>(shared[0] & 0xf0), 0, 0, 0, 0}}};
    if (declared_ == 0) bytes_ = bytes_.part(0, end_before_tag(bytes_));
  } else if (form_ == SoundForm::vorbis || form_ == SoundForm::opus) {
    bytes_ = bytes_.part(0, check_ogg_pages(bytes_, name_));
  } else {
    wav = find_wav_data(bytes_, form_, name_);
    virtual_.patches = std::move(wav.patches);
    // Of a W64 libsndfile would take what is behind the samples for more of them.
    if (form_ != SoundForm::riff) bytes_ = bytes_.part(0, wav.begin + wav.bytes);
  }
  virtual_.read = &bytes_;
  virtual_.size = bytes_.size();
  SF_VIRTUAL_IO io = virtual_io();
  handle_.reset(::sf_open_virtual(&io, SFM_READ, &info_, &virtual_));
  rethrow();
  // libsndfile's own words for it stand in one place for all threads, and another thread's might be read.
  if (!handle_)
    refuse_sound(name_, std::string("it is ") + name_of(form_) +
                            " of a form that is not supported, or its header is damaged");
  if (form_ == SoundForm::flac) return;
  if (info_.frames <= 0) refuse_sound(name_, "it has no samples");
  const auto frames = static_cast<std::uint64_t>(info_.frames);
  const auto frame_bytes =
      static_cast<std::uint64_t>(info_.channels) * static_cast<std::uint64_t>(bytes_of(info_.format));
  if (form_ >= SoundForm::rifx && form_ <= SoundForm::w64 && frame_bytes > 0 &&
      frames != wav.bytes / frame_bytes)
    refuse_sound(name_, "its header is damaged: " + std::to_string(wav.bytes) + " bytes of samples are no " +
                            std::to_string(frames) + " frames");
  if (wav.size == WavData::Size::stated) declared_ = frames;
}

void OpenSound::limit_frames(std::uint64_t frames) const {
  if (frames > k_sound_limit_samples / channels())
    refuse_sound(name_, (frames == declared_ ? "its header declares " : "it has at least ") +
                            std::to_string(frames) + " frames of " + std::to_string(info_.channels) +
                            " channels, more than the limit of " + std::to_string(k_sound_limit_samples) +
                            " samples, which are three hours of 48 kHz stereo");
}

SampleFormat OpenSound::sample_format() const {
  return mp3_ || ffmpeg_ ? SampleFormat::compressed : sample_format_of(info_.format);
}

AudioFacts OpenSound::facts() const {
  return {container_of(form_), sample_format(),
          info_.samplerate,    info_.channels,
          position_,           declared_ == position_ ? StatedLength::right : StatedLength::unknown_or_wrong,
          Signal::unknown,     ffmpeg_ ? Decoder::ffmpeg : Decoder::own};
}

std::size_t OpenSound::read_on(float* to, std::size_t frames) {
  if (mp3_) return mp3_->read(to, frames);
  if (ffmpeg_) return ffmpeg_->read(to, frames);
  const sf_count_t got = ::sf_readf_float(handle_.get(), to, static_cast<sf_count_t>(frames));
  // What follows the frames that the header declares may be a tag, which is no frame and no damage.
  if (declared_ == 0 || position_ < declared_)
    note_damage();
  else if (::sf_error(handle_.get()) != SF_ERR_NO_ERROR)
    return 0;
  return got > 0 ? static_cast<std::size_t>(got) : 0;
}

std::size_t OpenSound::read(float* to, std::size_t frames) {
  // A read ends where the header says that the sound does, so that what is behind it is seen by itself.
  if (position_ < declared_)
    frames = static_cast<std::size_t>(std::min<std::uint64_t>(frames, declared_ - position_));
  const std::size_t got = frames == 0 ? 0 : read_on(to, frames);
  position_ += got;
  limit_frames(position_);
  if (got == 0 && frames > 0) end_at();
  return got;
}

void OpenSound::end_at() {
  rethrow();
  if (position_ == 0) refuse_sound(name_, "it has no samples");
  if (position_ < declared_) refuse_short();
  if (form_ == SoundForm::flac && declared_ == 0) check_last_flac_frame(bytes_, position_, name_);
  refuse_damaged();
}

void OpenSound::read_exactly(float* to, std::size_t frames) {
  for (std::size_t done = 0; done < frames;) {
    const std::size_t got = read(to + done * channels(), frames - done);
    if (got == 0) refuse_short();
    done += got;
  }
}

void OpenSound::skip_to(std::uint64_t frame) {
  if (sample_format() != SampleFormat::compressed && form_ != SoundForm::flac) {
    if (::sf_seek(handle_.get(), static_cast<sf_count_t>(frame), SEEK_SET) < 0)
      refuse_sound(name_, "it is not seekable");
    position_ = frame;
    return;
  }
  std::vector<float> block(k_block_frames * channels());
  while (frame > 0) {
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(frame, k_block_frames));
    read_exactly(block.data(), take);
    frame -= take;
  }
}

// A frame that is not what its checksum says is silence to libsndfile, and an error in passing; so is one
// that the file ends in, for which there are better words at the end.
void OpenSound::note_damage() {
  if (const int error = handle_ ? ::sf_error(handle_.get()) : SF_ERR_NO_ERROR; error != SF_ERR_NO_ERROR)
    damage_ = error;
}

void OpenSound::refuse_damaged() const {
  rethrow();
  if (damage_ != SF_ERR_NO_ERROR) refuse_sound(name_, std::string("damaged: ") + ::sf_error_number(damage_));
}

void OpenSound::refuse_short() const {
  rethrow();
  if (declared_ > 0) refuse_truncated(name_, declared_, "frames", position_);
  refuse_sound(name_, "it ends at frame " + std::to_string(position_));
}

void OpenSound::rethrow() const {
  if (virtual_.failure) std::rethrow_exception(virtual_.failure);
}

}  // namespace common
