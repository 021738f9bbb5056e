#include "packer/sources/foreign_tar.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <mutex>
#include <optional>
#include <string_view>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/program.hpp"
#include "packer/tar/compression.hpp"
#include "packer/tar/decompress.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_tar_block_bytes = 512;
constexpr std::size_t k_filtered_bytes = 128 << 10;
constexpr std::size_t k_tar_piece_bytes = 16 << 10;  // small: in a plain tar, one is read at each entry

struct FreeArchive {
  void operator()(archive* reader) const { ::archive_read_free(reader); }
};

// xz and bzip2, whose filters in libarchive do check what they decode.
class Filtered : public Stream {
 public:
  Filtered(common::File file, fs::path path)
      : file_(std::move(file)), path_(std::move(path)), reader_(::archive_read_new()) {
    if (!reader_) throw std::bad_alloc();
    archive* reader = reader_.get();
    ::archive_read_support_filter_xz(reader);
    ::archive_read_support_filter_bzip2(reader);
    ENSURE(::archive_read_support_format_raw(reader) == ARCHIVE_OK);
    archive_entry* entry = nullptr;
    const bool is_open = ::archive_read_open(reader, this, nullptr, give, nullptr) == ARCHIVE_OK &&
                         ::archive_read_next_header(reader, &entry) == ARCHIVE_OK;
    // Without the filter, the raw form is the compressed bytes themselves.
    if (!is_open || ::archive_filter_count(reader) < 2) fail();
  }

  std::size_t read(std::uint8_t* to, std::size_t size) override {
    if (fault_) return 0;
    const la_ssize_t got = ::archive_read_data(reader_.get(), to, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    fail();
    return 0;
  }
  [[nodiscard]] std::optional<common::Finding> fault() const override { return fault_; }

 private:
  // As for TarInput, nothing may be thrown through libarchive.
  static la_ssize_t give(archive* reader, void* user, const void** piece) {
    auto& self = *static_cast<Filtered*>(user);
    try {
      *piece = self.buffer_.data();
      return static_cast<la_ssize_t>(
          self.file_.read_some(self.buffer_.data(), self.buffer_.size(), self.path_));
    } catch (...) {
      self.failure_ = std::current_exception();
      ::archive_set_error(reader, EIO, "cannot be read");
      return ARCHIVE_FATAL;
    }
  }
  void fail() {
    if (failure_) std::rethrow_exception(failure_);
    const char* text = ::archive_error_string(reader_.get());
    fault_ = common::Finding{"", "", text == nullptr ? "it is damaged" : common::escape_for_terminal(text)};
  }

  common::File file_;
  fs::path path_;
  common::ReadBuffer buffer_ = common::ReadBuffer(k_filtered_bytes);
  std::unique_ptr<archive, FreeArchive> reader_;
  std::exception_ptr failure_;
  std::optional<common::Finding> fault_;
};

// By its first bytes, whatever its suffix says: browsers decompress what they save, and keep the name. Null:
// it is not compressed, and `file` is still there.
std::unique_ptr<Stream> decompressed(common::File& file, const fs::path& path) {
  std::array<std::uint8_t, 6> first{};
  const std::size_t got = file.read_at(first.data(), first.size(), 0, path);
  const std::string_view magic = common::text_of({first.data(), got});
  const auto stream = [&] { return std::make_unique<FileStream>(std::move(file), path); };
  if (magic.starts_with("\x1f\x8b")) return decompress(Compression::gzip, stream(), Members::any);
  if (got >= 4 && is_zstd_magic(common::load_le32(first.data())))
    return decompress(Compression::zstd, stream(), Members::any);
  if (magic.starts_with("\xfd\x37zXZ") || magic.starts_with("BZh"))
    return std::make_unique<Filtered>(std::move(file), path);
  return nullptr;
}

// What libarchive reads from. Its own gzip and zstd filters accept wrong checksums (measured with 3.6.2), so
// it sees decompressed bytes only. Its callbacks must not throw: a failure waits in `failure`.
struct TarInput {
  explicit TarInput(const fs::path& archive) : path(archive) {
    file = common::open_to_read(archive);
    if (auto bytes = decompressed(file, archive))
      stream = std::make_unique<ReadAhead>(std::move(bytes));
    else
      size = common::size_of(file, archive);
  }

  std::size_t read() {
    std::size_t got = 0;
    if (stream) {
      got = read_full(*stream, buffer.data(), buffer.size());
    } else {
      got = file.read_at(buffer.data(), buffer.size(), at, path);
      at += got;
    }
    // A tar ends with blocks of zeros; where they are absent, something was cut off.
    if (got > 0)
      ends_with_zeros = got % k_tar_block_bytes == 0 &&
                        std::all_of(buffer.begin() + static_cast<std::ptrdiff_t>(got - k_tar_block_bytes),
                                    buffer.begin() + static_cast<std::ptrdiff_t>(got),
                                    [](std::uint8_t byte) { return byte == 0; });
    return got;
  }

  fs::path path;
  common::File file;
  std::unique_ptr<Stream> stream;  // of a compressed tar; then `file` is not used
  std::uint64_t at = 0, size = 0;  // in `file`
  common::Bytes buffer = common::Bytes(k_tar_piece_bytes);
  bool ends_with_zeros = false;
  std::exception_ptr failure;
};

TarInput& input_of(void* user) { return *static_cast<TarInput*>(user); }

la_ssize_t read_callback(archive* reader, void* user, const void** piece) {
  TarInput& input = input_of(user);
  try {
    common::throw_if_stop_requested();  // an entry of a terabyte that is only passed over takes its time
    *piece = input.buffer.data();
    return static_cast<la_ssize_t>(input.read());
  } catch (...) {
    input.failure = std::current_exception();
    ::archive_set_error(reader, EIO, "cannot be read");
    return ARCHIVE_FATAL;
  }
}

la_int64_t skip_callback(archive*, void* user, la_int64_t count) {
  TarInput& input = input_of(user);
  if (input.stream) return 0;  // libarchive then reads what it wants to skip
  const std::uint64_t left = input.size - std::min(input.at, input.size);
  const std::uint64_t moved = std::min(left, static_cast<std::uint64_t>(std::max<la_int64_t>(count, 0)));
  input.at += moved;
  return static_cast<la_int64_t>(moved);
}

// An open archive, from its first entry on.
class Walk {
 public:
  explicit Walk(const fs::path& path) : input_(path), reader_(::archive_read_new()) {
    if (!reader_) throw std::bad_alloc();
    archive* reader = reader_.get();
    // This form and no other: libarchive knows thirty. The flags that it calls SECURE are about extracting to
    // disk, which is never asked of it.
    ENSURE(::archive_read_support_format_tar(reader) == ARCHIVE_OK);
    // `cat a.tar b.tar` has an end in the middle.
    ENSURE(::archive_read_set_options(reader, "tar:read_concatenated_archives") == ARCHIVE_OK);
    ::archive_read_set_callback_data(reader, &input_);
    ::archive_read_set_read_callback(reader, read_callback);
    ::archive_read_set_skip_callback(reader, skip_callback);
    if (::archive_read_open1(reader) != ARCHIVE_OK) fail();
  }

  // False at the end.
  bool advance() {
    common::throw_if_stop_requested();
    const int code = ::archive_read_next_header(reader_.get(), &entry_);
    warning_.clear();
    if (code == ARCHIVE_EOF) {
      check_end();
      return false;
    }
    if (code != ARCHIVE_WARN && code != ARCHIVE_OK) fail();
    if (code == ARCHIVE_WARN && !is_about_locale(message())) warning_ = message();
    return true;
  }

  [[nodiscard]] std::string name() const {
    // A pax name is UTF-8, and null where the program's locale, mostly "C", has no such letters.
    const char* text = ::archive_entry_pathname(entry_);
    if (text == nullptr) text = ::archive_entry_pathname_utf8(entry_);
    return text == nullptr ? "" : text;
  }
  [[nodiscard]] bool is_folder() const { return ::archive_entry_filetype(entry_) == AE_IFDIR; }
  [[nodiscard]] bool is_hard_link() const {
    return ::archive_entry_hardlink(entry_) != nullptr || ::archive_entry_hardlink_utf8(entry_) != nullptr;
  }
  // Of a link; otherwise empty.
  [[nodiscard]] std::string target() const {
    for (const char* text : {::archive_entry_hardlink(entry_), ::archive_entry_hardlink_utf8(entry_),
                             ::archive_entry_symlink(entry_), ::archive_entry_symlink_utf8(entry_)})
      if (text != nullptr) return text;
    return "";
  }

  // Empty where the entry is a file whose bytes can be had.
  [[nodiscard]] std::string why_not() const {
    if (is_hard_link()) return "a hard link";
    if (::archive_entry_filetype(entry_) == AE_IFLNK) return "a symlink";
    if (::archive_entry_filetype(entry_) != AE_IFREG) return "not a regular file";
    if (::archive_entry_sparse_count(entry_) != 0) return "a sparse file";
    return warning_.empty() ? "" : "damaged (" + common::escape_for_terminal(warning_) + ")";
  }

  // The bytes of the entry, as many as there are: what it declares is compared, not believed. Nothing where
  // there are more than the limit.
  [[nodiscard]] std::optional<common::Bytes> read(std::uint64_t limit_bytes) {
    if (declared() > limit_bytes) return std::nullopt;
    common::Bytes bytes;
    for (;;) {
      const void* piece = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int code = ::archive_read_data_block(reader_.get(), &piece, &size, &offset);
      if (code == ARCHIVE_EOF) break;
      if (code != ARCHIVE_OK) fail(common::escape_for_terminal(name()) + ": ");
      if (static_cast<std::uint64_t>(offset) != bytes.size())
        refuse_archive(input_.path, common::escape_for_terminal(name()) + " has holes");
      if (size > limit_bytes - bytes.size()) return std::nullopt;
      const auto* from = static_cast<const std::uint8_t*>(piece);
      bytes.insert(bytes.end(), from, from + size);
    }
    if (::archive_entry_size_is_set(entry_) != 0 && declared() != bytes.size())
      refuse_archive(input_.path, common::escape_for_terminal(name()) + " declares " +
                                      std::to_string(declared()) + " bytes and has " +
                                      std::to_string(bytes.size()));
    return bytes;
  }

 private:
  // 0 where it declares nothing.
  [[nodiscard]] std::uint64_t declared() const {
    return static_cast<std::uint64_t>(::archive_entry_size(entry_));
  }

  // The name is asked for in UTF-8, and nothing else of the kind (owners, link targets) is used.
  static bool is_about_locale(const std::string& warning) {
    return warning.find("can't be converted from") != std::string::npos;
  }
  [[nodiscard]] std::string message() const {
    const char* text = ::archive_error_string(reader_.get());
    return text == nullptr ? "it is damaged" : text;
  }

  [[noreturn]] void fail(const std::string& before = "") {
    if (input_.failure) std::rethrow_exception(input_.failure);
    refuse_fault();
    refuse_archive(input_.path, before + message());
  }

  void refuse_fault() const {
    if (!input_.stream) return;
    if (const auto fault = input_.stream->fault()) refuse_archive(input_.path, fault->what);
  }

  // libarchive takes the end of the input for the end of a tar, and stops before a checksum at its end.
  void check_end() {
    while (input_.read() > 0) {
    }
    refuse_fault();
    if (!input_.ends_with_zeros) refuse_archive(input_.path, "it is truncated: the end of a tar is missing");
  }

  TarInput input_;
  std::unique_ptr<archive, FreeArchive> reader_;
  archive_entry* entry_ = nullptr;
  std::string warning_;
};

// In the order they are stored: threads take turns.
class TarReader : public EntryReader {
 public:
  TarReader(const fs::path& path, std::vector<WantedEntry> wanted)
      : path_(path), wanted_(std::move(wanted)), walk_(path) {}

  TakenEntry next() override {
    const std::lock_guard lock(mutex_);
    ENSURE(next_ < wanted_.size());
    const auto& [entry, limit_bytes] = wanted_[next_];
    for (; passed_ <= entry.number; ++passed_)
      if (!walk_.advance()) refuse_changed_archive(path_);
    if (walk_.name() != entry.name || !walk_.why_not().empty()) refuse_changed_archive(path_);
    auto bytes = walk_.read(limit_bytes);
    return {next_++, bytes ? std::move(*bytes) : common::Bytes(), !bytes};
  }

 private:
  fs::path path_;
  std::vector<WantedEntry> wanted_;
  std::mutex mutex_;
  Walk walk_;
  std::size_t passed_ = 0;  // entries behind us
  std::size_t next_ = 0;    // into wanted_
};

}  // namespace

void list_tar(const fs::path& path, const EntryCall& call) {
  Walk walk(path);
  for (std::size_t number = 0; walk.advance(); ++number) {
    if (number == k_entry_limit) refuse_archive(path, "it has more than 5000000 entries");
    if (!walk.is_folder()) call({number, walk.name(), walk.why_not(), walk.target(), walk.is_hard_link()});
  }
}

std::unique_ptr<EntryReader> read_tar(const fs::path& path, std::vector<WantedEntry> wanted) {
  return std::make_unique<TarReader>(path, std::move(wanted));
}

}  // namespace packer
