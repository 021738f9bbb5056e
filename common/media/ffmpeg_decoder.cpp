#include "common/media/ffmpeg_decoder.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "common/error.hpp"
#include "common/media/container_ends.hpp"
#include "common/program.hpp"

namespace common {
namespace {

constexpr auto k_silence_limit = std::chrono::seconds(120);  // without a byte from it
constexpr rlim_t k_cpu_limit_s = 3600;
constexpr rlim_t k_memory_limit_bytes = rlim_t{4} << 30;
constexpr std::size_t k_complaint_limit_bytes = 400;
constexpr int k_input = 3;  // the descriptor by which it gets the file

const char* demuxer_of(SoundForm form) {
  if (form == SoundForm::mp4) return "mov";
  return form == SoundForm::matroska ? "matroska" : "aac";
}

File memory_file() {
  const int descriptor = ::memfd_create("safe-packer", MFD_CLOEXEC);
  if (descriptor < 0) throw_errno("cannot hold a sound for ffmpeg in memory");
  return File(descriptor);
}

File in_memory(const SoundBytes& file) {
  File copy = memory_file();
  Bytes block(std::size_t{1} << 16);
  for (std::uint64_t at = 0; at < file.size();) {
    const std::size_t got = file.read_at(block.data(), block.size(), at);
    if (got == 0) break;
    copy.write_all(ByteView(block).first(got), "the memory that ffmpeg reads");
    at += got;
  }
  return copy;
}

// What it needs to be found and loaded. Its own variables would have it write reports and colours.
std::vector<std::string> environment() {
  std::vector<std::string> variables = {"LC_ALL=C", "AV_LOG_FORCE_NOCOLOR=1"};
  for (const char* name : {"PATH", "LD_LIBRARY_PATH"})
    if (const char* value = std::getenv(name)) variables.push_back(std::string(name) + "=" + value);
  return variables;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Signals as a program expects them: ours may be ignored or handled.
struct SpawnAttributes {
  posix_spawnattr_t value;
  SpawnAttributes() {
    ::posix_spawnattr_init(&value);
    sigset_t all, none;
    ::sigfillset(&all);
    ::sigemptyset(&none);
    ::posix_spawnattr_setsigdefault(&value, &all);
    ::posix_spawnattr_setsigmask(&value, &none);
    ::posix_spawnattr_setflags(&value, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&value); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
};

}  // namespace

bool is_for_ffmpeg(SoundForm form) {
  return form == SoundForm::mp4 || form == SoundForm::matroska || form == SoundForm::adts;
}

FfmpegDecoder::FfmpegDecoder(const SoundBytes& file, SoundForm form, const std::string& name)
    : name_(name), form_(form) {
  check_container_end(file, form, name);
  if (const File* whole = file.whole_file())
    start(*whole, form);
  else
    start(in_memory(file), form);
  try {
    read_header();
  } catch (...) {
    finish();
    throw;
  }
}

FfmpegDecoder::~FfmpegDecoder() { finish(); }

void FfmpegDecoder::start(const File& input, SoundForm form) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw_errno("cannot make a pipe for ffmpeg");
  output_ = File(ends[0]);
  const File output(ends[1]);
  errors_ = memory_file();
  std::vector<std::string> words = {"ffmpeg",
                                    "-nostdin",
                                    "-hide_banner",
                                    "-loglevel",
                                    "error",
                                    "-xerror",
                                    "-protocol_whitelist",
                                    "file,pipe",
                                    "-threads",
                                    "1",
                                    "-flags",
                                    "+bitexact",
                                    "-f",
                                    demuxer_of(form),
                                    "-i",
                                    "file:/dev/fd/" + std::to_string(k_input),
                                    "-map",
                                    "0:a:0",
                                    "-map_metadata",
                                    "-1",
                                    "-fflags",
                                    "+bitexact",
                                    "-c:a",
                                    "pcm_f32be",
                                    "-f",
                                    "au",
                                    "pipe:1"};
  std::vector<std::string> variables = environment();
  const std::vector<char*> arguments = pointers_to(words), names = pointers_to(variables);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, output.descriptor(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, errors_.descriptor(), STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, input.descriptor(), k_input);
  const SpawnAttributes attributes;
  const int failure =
      ::posix_spawnp(&child_, "ffmpeg", &actions, &attributes.value, arguments.data(), names.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure == 0) {
    const rlimit cpu{k_cpu_limit_s, k_cpu_limit_s}, memory{k_memory_limit_bytes, k_memory_limit_bytes};
    ::prlimit(child_, RLIMIT_CPU, &cpu, nullptr);
    ::prlimit(child_, RLIMIT_AS, &memory, nullptr);
    return;
  }
  child_ = -1;
  if (failure == ENOENT)
    refuse_sound(name_,
                 std::string("it is ") + name_of(form) +
                     ", which ffmpeg decodes, and no ffmpeg is installed; install it, or convert the file "
                     "(ffmpeg -i IN -vn OUT.wav)");
  errno = failure;
  throw_errno("cannot start ffmpeg");
}

// Sun's AU: six numbers of four bytes, of which the second is how far the samples are away.
void FfmpegDecoder::read_header() {
  std::uint8_t head[24];
  if (read_bytes(head, sizeof head) != sizeof head || std::memcmp(head, ".snd", 4) != 0)
    refuse_sound(name_, std::string("it is ") + name_of(form_) + " without a sound that ffmpeg can decode");
  rate_hz_ = static_cast<int>(std::min<std::uint64_t>(load_be(head + 16, 4), 1'000'000'000));
  channels_ = static_cast<int>(std::min<std::uint64_t>(load_be(head + 20, 4), 1'000'000));
  Bytes annotation(std::min<std::uint64_t>(load_be(head + 4, 4), 65536));
  if (annotation.size() > sizeof head) (void)read_bytes(annotation.data(), annotation.size() - sizeof head);
}

std::size_t FfmpegDecoder::read_bytes(std::uint8_t* to, std::size_t count) {
  std::size_t done = 0;
  auto heard = std::chrono::steady_clock::now();
  while (done < count && child_ > 0) {
    throw_if_stop_requested();
    pollfd waiting{output_.descriptor(), POLLIN, 0};
    const int ready = ::poll(&waiting, 1, 200);
    if (ready < 0 && errno != EINTR) throw_errno("cannot wait for ffmpeg");
    if (ready <= 0) {
      if (std::chrono::steady_clock::now() - heard > k_silence_limit)
        refuse_sound(name_, "ffmpeg has given nothing for two minutes");
      continue;
    }
    const std::size_t got = output_.read_some(to + done, count - done, "ffmpeg");
    heard = std::chrono::steady_clock::now();
    done += got;
    if (got > 0) continue;
    int status = 0;
    while (::waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    const std::string said = complaint();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !said.empty())
      refuse_sound(name_, std::string("it is ") + name_of(form_) + ", and ffmpeg cannot decode it" +
                              (said.empty() ? "" : ": " + said));
  }
  return done;
}

std::size_t FfmpegDecoder::read(float* to, std::size_t frames) {
  const std::size_t frame_bytes = static_cast<std::size_t>(channels_) * sizeof(float);
  auto* bytes = reinterpret_cast<std::uint8_t*>(to);
  const std::size_t values =
      read_bytes(bytes, frames * frame_bytes) / frame_bytes * static_cast<std::size_t>(channels_);
  for (std::size_t i = 0; i < values; ++i) {
    const auto bits = static_cast<std::uint32_t>(load_be(bytes + 4 * i, 4));
    std::memcpy(bytes + 4 * i, &bits, 4);
  }
  return values / static_cast<std::size_t>(channels_);
}

void FfmpegDecoder::finish() {
  if (child_ <= 0) return;
  ::kill(child_, SIGKILL);
  while (::waitpid(child_, nullptr, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
}

// Its first line, without the address in memory that stands before each.
std::string FfmpegDecoder::complaint() const {
  std::string text(k_complaint_limit_bytes, '\0');
  text.resize(errors_.read_at(text.data(), text.size(), 0, "what ffmpeg says"));
  text = text.substr(0, text.find('\n'));
  if (const std::size_t end = text.find("] "); text.starts_with('[') && end != std::string::npos)
    text.erase(0, end + 2);
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return text;
}

}  // namespace common
