#include "common/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <new>
#include <utility>

#include "common/error.hpp"
#include "common/program.hpp"
#include "common/unfetched.hpp"

namespace common {
namespace {

constexpr std::size_t k_buffer_bytes = 128 << 10;  // stays in the second-level cache until it is hashed

struct stat status_of(const File& file, const std::filesystem::path& name) {
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) throw_errno("cannot examine " + name.string());
  return status;
}

File create_with_mode(const std::filesystem::path& path, mode_t mode) {
  File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file.is_open()) throw_errno("cannot create " + path.string());
  if (::fchmod(file.descriptor(), mode) == 0 || is_mode_refused(errno)) return file;
  const int code = errno;
  ::unlink(path.c_str());
  errno = code;
  throw_errno("cannot set the mode of " + path.string());
}

void refuse_unfetched(const std::string& why, const std::filesystem::path& name) {
  if (!why.empty()) throw Error(ErrorKind::io, name.string() + " " + why);
}

}  // namespace

bool is_not_supported(int code) {
  return code == EINVAL || code == ENOSYS || code == ENOTSUP || code == EOPNOTSUPP;
}

bool is_mode_refused(int code) {
  return code == EPERM || code == EACCES || code == EROFS || is_not_supported(code);
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}
File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

std::size_t File::read_some(void* to, std::size_t size, const std::filesystem::path& name) {
  for (;;) {
    const ssize_t got = ::read(descriptor_, to, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) throw_errno("cannot read " + name.string());
  }
}

std::size_t File::read_at(void* to, std::size_t size, std::uint64_t offset,
                          const std::filesystem::path& name) const {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(descriptor_, static_cast<char*>(to) + done, size - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got > 0)
      done += static_cast<std::size_t>(got);
    else if (errno != EINTR)
      throw_errno("cannot read " + name.string());
  }
  return done;
}

void File::write_all(ByteView bytes, const std::filesystem::path& name) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(put));
      continue;
    }
    if (errno == EFBIG)
      throw Error(ErrorKind::io,
                  "cannot write " + name.string() +
                      ": it would be larger than files may be here; raise the limit (ulimit -f) "
                      "or write to another file system");
    if (errno != EINTR) throw_errno("cannot write " + name.string());
  }
}

Synced File::sync(const std::filesystem::path& name) {
  if (::fsync(descriptor_) == 0) return Synced::yes;
  if (is_not_supported(errno)) return Synced::not_supported;
  throw_errno("cannot sync " + name.string());
}

void File::close(const std::filesystem::path& name) {
  if (::close(std::exchange(descriptor_, -1)) != 0) throw_errno("cannot close " + name.string());
}

File open_to_read(const std::filesystem::path& path) {
  // O_NONBLOCK: opening a FIFO without a writer would hang for ever; on regular files it changes nothing.
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file.is_open()) {
    const int code = errno;
    refuse_unfetched(why_unfetched(path), path);
    errno = code;
    throw_errno("cannot open " + path.string());
  }
  check_regular(file, path);
  check_fetched(file, path);
  return file;
}

void check_fetched(const File& file, const std::filesystem::path& name) {
  const std::uint64_t size = size_of(file, name);
  if (size >= k_pointer_limit_bytes) return;
  std::uint8_t bytes[k_pointer_limit_bytes];
  const std::size_t got = file.read_at(bytes, static_cast<std::size_t>(size), 0, name);
  refuse_unfetched(why_unfetched(ByteView(bytes, got), name), name);
}

void check_regular(const File& file, const std::filesystem::path& name) {
  if (!S_ISREG(status_of(file, name).st_mode))
    throw Error(ErrorKind::io, name.string() + " is not a regular file; name a file");
}

File create_new(const std::filesystem::path& path) { return create_with_mode(path, 0644); }

File create_secret(const std::filesystem::path& path) {
  File file = create_with_mode(path, 0600);
  // Asked afterwards: some file systems say yes and give everything the one mode that they were mounted with.
  struct stat status {};
  if (::fstat(file.descriptor(), &status) == 0 && (status.st_mode & (S_IRWXG | S_IRWXO)) == 0) return file;
  ::unlink(path.c_str());
  throw Error(ErrorKind::io, path.string() +
                                 " cannot be kept from other users: the file system does not take the mode "
                                 "0600; name a file on a disk of this machine");
}

std::uint64_t size_of(const File& file, const std::filesystem::path& name) {
  return static_cast<std::uint64_t>(status_of(file, name).st_size);
}

FileStamp stamp_of(const File& file, const std::filesystem::path& name) {
  const struct stat status = status_of(file, name);
  const auto ns = [](const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
  };
  return {static_cast<std::uint64_t>(status.st_size), ns(status.st_mtim), ns(status.st_ctim)};
}

void ReadBuffer::reserve(std::size_t size) {
  constexpr std::size_t k_page_bytes = 4096;
  if (size <= size_) return;
  const std::size_t pages = (size + k_page_bytes - 1) / k_page_bytes;
  bytes_.reset();
  size_ = 0;
  bytes_.reset(static_cast<std::uint8_t*>(std::aligned_alloc(k_page_bytes, pages * k_page_bytes)));
  if (!bytes_) throw std::bad_alloc();
  size_ = pages * k_page_bytes;
}

namespace {

std::size_t size_up_to(const File& file, const std::filesystem::path& path, std::uint64_t limit_bytes) {
  const std::uint64_t bytes = size_of(file, path);
  if (bytes > limit_bytes)
    throw Error(ErrorKind::format, path.string() + " has " + std::to_string(bytes) +
                                       " bytes, more than the limit of " + std::to_string(limit_bytes) +
                                       "; is it the right file?");
  return static_cast<std::size_t>(bytes);
}

void fill(const File& file, const std::filesystem::path& path, std::uint8_t* to, std::size_t size) {
  if (file.read_at(to, size, 0, path) != size)
    throw Error(ErrorKind::io,
                path.string() + " became shorter while it was read; try again when nothing is writing to it");
}

}  // namespace

Bytes read_file(const File& file, const std::filesystem::path& name, std::uint64_t limit_bytes) {
  Bytes bytes(size_up_to(file, name, limit_bytes));
  fill(file, name, bytes.data(), bytes.size());
  return bytes;
}

Bytes read_file(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  return read_file(open_to_read(path), path, limit_bytes);
}

ByteView read_file_into(const std::filesystem::path& path, std::uint64_t limit_bytes, ReadBuffer& buffer) {
  const File file = open_to_read(path);
  const std::size_t size = size_up_to(file, path, limit_bytes);
  buffer.reserve(size);
  fill(file, path, buffer.data(), size);
  return {buffer.data(), size};
}

std::string read_text(const std::filesystem::path& path, std::uint64_t limit_bytes) {
  const Bytes bytes = read_file(path, limit_bytes);
  return std::string(text_of(bytes));
}

FileDigest digest_file(const std::filesystem::path& path) { return digest_file(open_to_read(path), path); }

FileDigest digest_file(const File& file, const std::filesystem::path& name, OnStop on_stop) {
  ReadBuffer buffer(k_buffer_bytes);
  Hasher hasher;
  FileDigest result;
  for (;;) {
    if (on_stop == OnStop::end) throw_if_stop_requested();
    const std::size_t got = file.read_at(buffer.data(), buffer.size(), result.size, name);
    if (got == 0) break;
    hasher.update({buffer.data(), got});
    result.size += got;
  }
  result.digest = hasher.finish();
  return result;
}

}  // namespace common
