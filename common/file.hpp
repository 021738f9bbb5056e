// Files as this project opens them. What is read by its path is named by the user and may be a link to the
// file; reading never blocks on a FIFO: only regular files are opened. What lies in a folder that somebody
// else may change is opened through common/sealed/folder.hpp, which follows no link, and common/sealed
// publishes what is written.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/bytes.hpp"
#include "common/digest.hpp"

namespace common {

// What a call answers where the file system, or the kernel, does not have what is asked.
[[nodiscard]] bool is_not_supported(int code);
// Modes are no content, and some mounts (CIFS, S3, NFS with ACLs) refuse them.
[[nodiscard]] bool is_mode_refused(int code);

// Whether a file system did what it was asked, or knows no such thing.
enum class Synced { yes, not_supported };

// An open regular file. Move-only; closes itself; never publishes anything by itself.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File();
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  // Gives the descriptor to who closes it from now on.
  [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }
  // Reads up to `size` bytes at the current position; 0 at the end. Errors name `name`.
  std::size_t read_some(void* to, std::size_t size, const std::filesystem::path& name);
  // Reads up to `size` bytes at `offset`, less only at the end of the file. Safe from many threads.
  std::size_t read_at(void* to, std::size_t size, std::uint64_t offset,
                      const std::filesystem::path& name) const;
  void write_all(ByteView bytes, const std::filesystem::path& name);
  // To the disk. A file system that knows no such thing is not an error.
  Synced sync(const std::filesystem::path& name);
  // Closes and reports what close reports (a full disk on NFS is only seen here).
  void close(const std::filesystem::path& name);

 private:
  int descriptor_ = -1;
};

// Opens a regular file for reading, by way of links where there are some; anything else (FIFO, device,
// folder) is an io error that says so, and so is a file that was never fetched (common/unfetched.hpp).
[[nodiscard]] File open_to_read(const std::filesystem::path& path);
// Creates a file that must not be there yet, mode 0644 whatever the umask lets through.
[[nodiscard]] File create_new(const std::filesystem::path& path);
// The same for what nobody else may read: mode 0600 from its first moment. Throws io, and leaves nothing,
// where the file system gives it another mode.
[[nodiscard]] File create_secret(const std::filesystem::path& path);
// Throws io where an open file is a folder, a FIFO or a device.
void check_regular(const File& file, const std::filesystem::path& name);
// Throws io where an open file is the pointer to one that was never fetched.
void check_fetched(const File& file, const std::filesystem::path& name);
[[nodiscard]] std::uint64_t size_of(const File& file, const std::filesystem::path& name);

// Differs between two moments where somebody wrote to the file between them.
struct FileStamp {
  std::uint64_t size = 0;
  std::int64_t modified_ns = 0, changed_ns = 0;  // since 1970; a writer can set the first back, not the other
  bool operator==(const FileStamp&) const = default;
};
[[nodiscard]] FileStamp stamp_of(const File& file, const std::filesystem::path& name);

// Memory to read files into: from the beginning of a page, and never cleared. To memory that lies 16 bytes
// further into its page than what is copied, the kernel copies at a quarter of the speed (measured on an AMD
// EPYC: 2 instead of 9 GB/s); and just there malloc puts what is large.
class ReadBuffer {
 public:
  explicit ReadBuffer(std::size_t size = 0) { reserve(size); }
  [[nodiscard]] std::uint8_t* data() { return bytes_.get(); }
  [[nodiscard]] std::size_t size() const { return size_; }
  // At least `size` bytes from now on; what was in it is lost.
  void reserve(std::size_t size);

 private:
  struct Free {
    void operator()(std::uint8_t* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::uint8_t[], Free> bytes_;
  std::size_t size_ = 0;
};

// The whole file. One over `limit_bytes` is a format error: nothing read from outside sizes an allocation
// first.
[[nodiscard]] Bytes read_file(const std::filesystem::path& path, std::uint64_t limit_bytes);
[[nodiscard]] Bytes read_file(const File& file, const std::filesystem::path& name, std::uint64_t limit_bytes);
// The same in a buffer that is used again: new memory costs a page fault for every 4 KiB.
[[nodiscard]] ByteView read_file_into(const std::filesystem::path& path, std::uint64_t limit_bytes,
                                      ReadBuffer& buffer);
[[nodiscard]] std::string read_text(const std::filesystem::path& path, std::uint64_t limit_bytes);

struct FileDigest {
  Digest digest;
  std::uint64_t size = 0;
};
[[nodiscard]] FileDigest digest_file(const std::filesystem::path& path);
// A check ends between two pieces once a signal has come (Error{interrupted}): a file may have 8 GiB, or be a
// sparse one of 1 TiB. What is sealed at the end of a run is hashed to its end: a run that is asked to stop
// saves first.
enum class OnStop { go_on, end };
[[nodiscard]] FileDigest digest_file(const File& file, const std::filesystem::path& name,
                                     OnStop on_stop = OnStop::go_on);

}  // namespace common
