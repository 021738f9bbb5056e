#include "packer/sources/foreign_zip.hpp"

#include <sys/stat.h>
#include <zip.h>

#include <algorithm>
#include <exception>
#include <mutex>
#include <new>
#include <optional>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/program.hpp"
#include "common/sealed/finding.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_zip_piece_bytes = 128 << 10;
// The directory is read in steps of some 50 bytes, and would be in as many system calls.
constexpr std::size_t k_small_bytes = 4 << 10;
constexpr std::size_t k_ahead_bytes = 32 << 10;

// What libzip reads from. Its calls must not throw: a failure waits in `failure`.
struct ZipInput {
  explicit ZipInput(const fs::path& archive) : file(common::open_to_read(archive)), path(archive) {
    ::zip_error_init(&error);
    size = common::size_of(file, path);
  }
  ~ZipInput() { ::zip_error_fini(&error); }
  ZipInput(const ZipInput&) = delete;
  ZipInput& operator=(const ZipInput&) = delete;

  zip_int64_t read(void* to, zip_uint64_t count) {
    try {
      const std::size_t got =
          count < k_small_bytes ? read_ahead(to, count) : file.read_at(to, count, at, path);
      at += got;
      return static_cast<zip_int64_t>(got);
    } catch (...) {
      failure = std::current_exception();
      ::zip_error_set(&error, ZIP_ER_READ, 0);
      return -1;
    }
  }

  zip_int64_t seek(void* where, zip_uint64_t count) {
    const zip_int64_t to = ::zip_source_seek_compute_offset(at, size, where, count, &error);
    if (to < 0) return -1;
    at = static_cast<std::uint64_t>(to);
    return 0;
  }

  std::size_t read_ahead(void* to, std::size_t count) {
    if (at < ahead_at || at + count > ahead_at + ahead.size()) {
      ahead.resize(k_ahead_bytes);
      ahead.resize(file.read_at(ahead.data(), ahead.size(), at, path));
      ahead_at = at;
    }
    const std::size_t got = std::min(count, ahead.size() - (at - ahead_at));
    std::copy_n(ahead.begin() + static_cast<std::ptrdiff_t>(at - ahead_at), got,
                static_cast<std::uint8_t*>(to));
    return got;
  }

  common::File file;
  fs::path path;
  std::uint64_t size = 0, at = 0;
  common::Bytes ahead;  // what stands in the file from `ahead_at` on
  std::uint64_t ahead_at = 0;
  zip_error_t error{};
  std::exception_ptr failure;
};

zip_int64_t state_size(const ZipInput& input, void* to) {
  auto* status = static_cast<zip_stat_t*>(to);
  ::zip_stat_init(status);
  status->valid = ZIP_STAT_SIZE;
  status->size = input.size;
  return sizeof *status;
}

zip_int64_t answer(void* user, void* data, zip_uint64_t count, zip_source_cmd_t command) {
  ZipInput& input = *static_cast<ZipInput*>(user);
  switch (command) {
    case ZIP_SOURCE_OPEN:
      input.at = 0;
      return 0;
    case ZIP_SOURCE_READ:
      return input.read(data, count);
    case ZIP_SOURCE_SEEK:
      return input.seek(data, count);
    case ZIP_SOURCE_TELL:
      return static_cast<zip_int64_t>(input.at);
    case ZIP_SOURCE_STAT:
      return state_size(input, data);
    case ZIP_SOURCE_ERROR:
      return ::zip_error_to_data(&input.error, data, count);
    case ZIP_SOURCE_SUPPORTS:
      return ZIP_SOURCE_SUPPORTS_SEEKABLE;
    case ZIP_SOURCE_CLOSE:
    case ZIP_SOURCE_FREE:
      return 0;
    default:
      ::zip_error_set(&input.error, ZIP_ER_OPNOTSUPP, 0);
      return -1;
  }
}

struct CloseZip {
  void operator()(zip_t* zip) const { ::zip_discard(zip); }
};
struct CloseEntry {
  void operator()(zip_file_t* file) const { ::zip_fclose(file); }
};

// An open zip: its directory is in memory. For one thread at a time.
class Zip {
 public:
  explicit Zip(const fs::path& path) : input_(path) {
    // libzip takes an empty file for an archive that nothing was put into yet.
    if (input_.size == 0) refuse_archive(path, "it is empty");
    zip_source_t* source = ::zip_source_function_create(answer, &input_, &input_.error);
    if (source == nullptr) throw std::bad_alloc();
    // Before it takes memory for entries, libzip holds their number against the bytes that are there.
    zip_.reset(::zip_open_from_source(source, ZIP_RDONLY, &input_.error));
    if (!zip_) {
      ::zip_source_free(source);
      fail(&input_.error);
    }
    if (count() > k_entry_limit) refuse_archive(path, "it has more than 5000000 entries");
  }

  [[nodiscard]] std::size_t count() const {
    return static_cast<std::size_t>(::zip_get_num_entries(zip_.get(), 0));
  }

  [[nodiscard]] std::string name(std::size_t number) const {
    const char* text = ::zip_get_name(zip_.get(), number, ZIP_FL_ENC_RAW);
    std::string name = text == nullptr ? "" : text;
    // As older Windows programs write it, against the format's own rule (APPNOTE 4.4.17.1).
    if (name.find('/') == std::string::npos) std::replace(name.begin(), name.end(), '\\', '/');
    return name;
  }

  [[nodiscard]] bool is_folder(std::size_t number) const {
    return name(number).ends_with('/') || S_ISDIR(mode(number));
  }

  // Empty where the entry is a file whose bytes can be had.
  [[nodiscard]] std::string why_not(std::size_t number) {
    const zip_stat_t status = stat_of(number);
    const mode_t type = mode(number) & S_IFMT;
    if (type == S_IFLNK) return "a symlink";
    if (type != 0 && type != S_IFREG) return "not a regular file";
    if (status.encryption_method != ZIP_EM_NONE) return "encrypted";
    if (::zip_compression_method_supported(status.comp_method, 0) == 0)
      return "compressed by method " + std::to_string(status.comp_method) + ", which is not supported";
    return {};
  }

  // Of a symlink, whose bytes it is; otherwise empty.
  [[nodiscard]] std::string target(std::size_t number) {
    constexpr std::uint64_t k_limit_bytes = 4096;
    if (!S_ISLNK(mode(number)) || stat_of(number).encryption_method != ZIP_EM_NONE) return {};
    const auto bytes = read(number, k_limit_bytes);
    return bytes ? std::string(common::text_of(*bytes)) : std::string();
  }

  // Nothing where the entry has more bytes than the limit: no more than it declares are read.
  [[nodiscard]] std::optional<common::Bytes> read(std::size_t number, std::uint64_t limit_bytes) {
    const std::string called = common::escape_for_terminal(name(number));
    const zip_stat_t status = stat_of(number);
    if (status.size > limit_bytes) return std::nullopt;
    const std::unique_ptr<zip_file_t, CloseEntry> file(::zip_fopen_index(zip_.get(), number, 0));
    if (!file) fail(::zip_get_error(zip_.get()), called + ": ");
    common::Bytes bytes;
    // The cap was checked, and pages that no byte is written to cost nothing.
    bytes.reserve(static_cast<std::size_t>(status.size));
    for (;;) {
      common::throw_if_stop_requested();
      const zip_int64_t got = ::zip_fread(file.get(), piece_.data(), piece_.size());
      if (got < 0) fail(::zip_file_get_error(file.get()), called + ": ");
      if (got == 0) break;
      if (static_cast<std::uint64_t>(got) > status.size - bytes.size())
        refuse_archive(input_.path, called + " has more bytes than it declares");
      bytes.insert(bytes.end(), piece_.data(), piece_.data() + got);
    }
    // libzip has compared size and CRC at the end, but not where the compressed size is 0.
    if (bytes.size() != status.size || (bytes.empty() && status.crc != 0))
      refuse_archive(input_.path, called + ": checksum mismatch");
    return bytes;
  }

 private:
  // As Unix programs store it, and 0 as others do: then a file is what is no folder by its name.
  [[nodiscard]] mode_t mode(std::size_t number) const {
    zip_uint8_t system = 0;
    zip_uint32_t attributes = 0;
    (void)::zip_file_get_external_attributes(zip_.get(), number, 0, &system, &attributes);
    return static_cast<mode_t>(attributes >> 16);
  }

  [[nodiscard]] zip_stat_t stat_of(std::size_t number) {
    zip_stat_t status;
    ::zip_stat_init(&status);
    if (::zip_stat_index(zip_.get(), number, 0, &status) != 0) fail(::zip_get_error(zip_.get()));
    return status;
  }

  [[noreturn]] void fail(zip_error_t* error, const std::string& before = "") {
    if (input_.failure) std::rethrow_exception(input_.failure);
    refuse_archive(input_.path, before + ::zip_error_strerror(error));
  }

  ZipInput input_;
  std::unique_ptr<zip_t, CloseZip> zip_;
  common::ReadBuffer piece_ = common::ReadBuffer(k_zip_piece_bytes);
};

// Threads take turns: to open the zip again for each would take longer than most readings do, for libzip asks
// for the time zone at every entry.
class ZipReader : public EntryReader {
 public:
  ZipReader(const fs::path& path, std::vector<WantedEntry> wanted)
      : path_(path), wanted_(std::move(wanted)), zip_(path) {}

  TakenEntry next() override {
    const std::lock_guard lock(mutex_);
    ENSURE(next_ < wanted_.size());
    const auto& [entry, limit_bytes] = wanted_[next_];
    if (entry.number >= zip_.count() || zip_.name(entry.number) != entry.name ||
        !zip_.why_not(entry.number).empty())
      refuse_changed_archive(path_);
    auto bytes = zip_.read(entry.number, limit_bytes);
    return {next_++, bytes ? std::move(*bytes) : common::Bytes(), !bytes};
  }

 private:
  fs::path path_;
  std::vector<WantedEntry> wanted_;
  std::mutex mutex_;
  Zip zip_;
  std::size_t next_ = 0;  // into wanted_
};

}  // namespace

void list_zip(const fs::path& path, const EntryCall& call) {
  Zip zip(path);
  for (std::size_t number = 0; number < zip.count(); ++number) {
    common::throw_if_stop_requested();
    if (!zip.is_folder(number)) call({number, zip.name(number), zip.why_not(number), zip.target(number)});
  }
}

std::unique_ptr<EntryReader> read_zip(const fs::path& path, std::vector<WantedEntry> wanted) {
  return std::make_unique<ZipReader>(path, std::move(wanted));
}

}  // namespace packer
