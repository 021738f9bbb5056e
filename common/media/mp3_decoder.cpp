#include "common/media/mp3_decoder.hpp"

#include <mpg123.h>

#include <cstdio>

#include "common/error.hpp"

namespace common {
namespace {

// What the info frame of an encoder may have taken off the beginning and the end: 12 bits of samples each,
// the decoder's own delay, and a frame that only filled the reservoir.
constexpr std::uint64_t k_trimmed_samples = 2 * 4095 + 529 + 1152;

}  // namespace

// No exception may pass through libmpg123's C frames: one of a disk that fails waits in `failure`.
struct Mp3Decoder::Input {
  SoundBytes bytes;
  std::uint64_t position = 0;
  std::exception_ptr failure;

  static mpg123_ssize_t read(void* self, void* to, std::size_t count) {
    Input& input = *static_cast<Input*>(self);
    try {
      const std::size_t got = input.bytes.read_at(to, count, input.position);
      input.position += got;
      return static_cast<mpg123_ssize_t>(got);
    } catch (...) {
      input.failure = std::current_exception();
      return -1;
    }
  }
  static off_t seek(void* self, off_t offset, int whence) {
    Input& input = *static_cast<Input*>(self);
    off_t base = 0;
    if (whence == SEEK_CUR) base = static_cast<off_t>(input.position);
    if (whence == SEEK_END) base = static_cast<off_t>(input.bytes.size());
    if (offset < -base) return -1;
    input.position = static_cast<std::uint64_t>(base + offset);
    return base + offset;
  }
};

void Mp3Decoder::Close::operator()(mpg123_handle_struct* handle) const { ::mpg123_delete(handle); }

void Mp3Decoder::refuse(const std::string& why) const {
  if (input_->failure) std::rethrow_exception(input_->failure);
  refuse_sound(name_, why);
}

Mp3Decoder::~Mp3Decoder() = default;

Mp3Decoder::Mp3Decoder(const SoundBytes& bytes, std::uint64_t begin, const std::string& name)
    : name_(name), frames_(walk_mp3(bytes, begin, name)) {
  // An info frame that is wrong would have the decoder stop where it says.
  const std::uint64_t from = frames_.stated == Mp3Frames::Stated::wrongly ? frames_.sound_begin : begin;
  input_ = std::make_unique<Input>(Input{bytes.part(from, bytes.size()), 0, {}});
  int error = MPG123_OK;
  handle_.reset(::mpg123_new(nullptr, &error));
  if (!handle_)
    throw Error(ErrorKind::io, std::string("libmpg123 cannot begin: ") + ::mpg123_plain_strerror(error));
  mpg123_handle* handle = handle_.get();
  ::mpg123_replace_reader_handle(handle, Input::read, Input::seek, nullptr);
  ::mpg123_param(handle, MPG123_REMOVE_FLAGS, MPG123_AUTO_RESAMPLE, 0);
  ::mpg123_param(handle, MPG123_ADD_FLAGS,
                 MPG123_QUIET | MPG123_FORCE_FLOAT | MPG123_GAPLESS | MPG123_NO_FRANKENSTEIN, 0);
  ::mpg123_param(handle, MPG123_RESYNC_LIMIT, -1, 0);
  long rate_hz = 0;
  int encoding = 0;
  if (::mpg123_open_handle(handle, input_.get()) != MPG123_OK ||
      ::mpg123_getformat(handle, &rate_hz, &channels_, &encoding) != MPG123_OK ||
      encoding != MPG123_ENC_FLOAT_32)
    refuse("its first MP3 frame is damaged");
  rate_hz_ = static_cast<int>(rate_hz);
}

std::size_t Mp3Decoder::read(float* to, std::size_t frames) {
  const std::size_t frame_bytes = static_cast<std::size_t>(channels_) * sizeof(float);
  std::size_t done = 0;
  while (done < frames) {
    std::size_t got = 0;
    const int result = ::mpg123_read(handle_.get(), reinterpret_cast<unsigned char*>(to) + done * frame_bytes,
                                     (frames - done) * frame_bytes, &got);
    done += got / frame_bytes;
    if (result == MPG123_NEW_FORMAT)
      refuse("its sample rate or its number of channels changes at frame " + std::to_string(read_ + done));
    if (input_->failure || (result != MPG123_OK && result != MPG123_DONE))
      refuse(std::string("damaged: ") + ::mpg123_strerror(handle_.get()));
    if (result == MPG123_DONE || got == 0) {
      if (read_ + done + k_trimmed_samples < frames_.samples)
        refuse("damaged: its MP3 frames hold " + std::to_string(frames_.samples) + " samples, " +
               std::to_string(read_ + done) + " can be decoded");
      break;
    }
  }
  read_ += done;
  return done;
}

}  // namespace common
