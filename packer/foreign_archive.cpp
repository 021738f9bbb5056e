#include "packer/foreign_archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <mutex>

#include "common/error.hpp"
#include "common/file.hpp"
#include "common/path.hpp"
#include "common/program.hpp"
#include "packer/compression.hpp"
#include "packer/verify.hpp"

namespace packer {
namespace {

namespace fs = std::filesystem;
using common::Error;
using common::ErrorKind;

// A tar of all of AudioSet has two million; a listing of more would take gigabytes.
constexpr std::size_t k_entry_limit = 5'000'000;
constexpr std::size_t k_name_limit_bytes = 4096;
constexpr std::size_t k_tar_block_bytes = 512;
constexpr std::size_t k_piece_bytes = 16 << 10;  // small: of a zip, one is read at each entry

bool is_zip(const fs::path& path) { return path.filename().string().ends_with(".zip"); }

[[noreturn]] void refuse(const fs::path& path, const std::string& why) {
  throw Error(ErrorKind::format, path.string() + " cannot be read as an archive: " + why +
                                     "; get it again, or unpack it and name the folder");
}

// What libarchive reads from. Its own gzip and zstd filters accept wrong checksums (measured with 3.6.2), so
// it sees decompressed bytes only. Its callbacks must not throw: a failure waits in `failure`.
struct Input {
  explicit Input(const fs::path& archive) : path(archive) {
    common::File opened = common::open_to_read(fs::canonical(archive));
    const auto form = form_of_suffix(archive);
    if (form == Form::tgz || form == Form::tar_zst) {
      const Compression compression = form == Form::tgz ? Compression::gzip : Compression::zstd;
      stream = std::make_unique<ReadAhead>(
          decompress(compression, std::make_unique<FileStream>(std::move(opened), archive), Members::any));
      return;
    }
    size = common::size_of(opened, archive);
    file = std::move(opened);
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
  common::Bytes buffer = common::Bytes(k_piece_bytes);
  bool ends_with_zeros = false;
  std::exception_ptr failure;
};

Input& input_of(void* user) { return *static_cast<Input*>(user); }

la_ssize_t read_callback(archive* reader, void* user, const void** piece) {
  Input& input = input_of(user);
  try {
    *piece = input.buffer.data();
    return static_cast<la_ssize_t>(input.read());
  } catch (...) {
    input.failure = std::current_exception();
    ::archive_set_error(reader, EIO, "cannot be read");
    return ARCHIVE_FATAL;
  }
}

la_int64_t skip_callback(archive*, void* user, la_int64_t count) {
  Input& input = input_of(user);
  if (input.stream) return 0;  // libarchive then reads what it wants to skip
  const std::uint64_t left = input.size - std::min(input.at, input.size);
  const std::uint64_t moved = std::min(left, static_cast<std::uint64_t>(std::max<la_int64_t>(count, 0)));
  input.at += moved;
  return static_cast<la_int64_t>(moved);
}

la_int64_t seek_callback(archive*, void* user, la_int64_t offset, int whence) {
  Input& input = input_of(user);
  std::uint64_t base = 0;
  if (whence == SEEK_CUR) base = input.at;
  if (whence == SEEK_END) base = input.size;
  if (input.stream || (offset < 0 && static_cast<std::uint64_t>(-(offset + 1)) >= base)) return ARCHIVE_FATAL;
  input.at = base + static_cast<std::uint64_t>(offset);
  return static_cast<la_int64_t>(input.at);
}

struct FreeArchive {
  void operator()(archive* reader) const { ::archive_read_free(reader); }
};

// An open archive, from its first entry on.
class Walk {
 public:
  explicit Walk(const fs::path& path) : input_(path), reader_(::archive_read_new()) {
    if (!reader_) throw std::bad_alloc();
    archive* reader = reader_.get();
    // The form that the name says and no other: libarchive knows thirty. The flags that it calls SECURE are
    // about extracting to disk, which is never asked of it.
    const int known = is_zip(path) ? ::archive_read_support_format_zip_seekable(reader)
                                   : ::archive_read_support_format_tar(reader);
    ENSURE(known == ARCHIVE_OK);
    ::archive_read_set_callback_data(reader, &input_);
    ::archive_read_set_read_callback(reader, read_callback);
    ::archive_read_set_skip_callback(reader, skip_callback);
    if (!input_.stream) ::archive_read_set_seek_callback(reader, seek_callback);
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
    if (code == ARCHIVE_WARN)
      warning_ = message();
    else if (code != ARCHIVE_OK)
      fail();
    return true;
  }

  [[nodiscard]] std::string name() const {
    const char* text = ::archive_entry_pathname(entry_);
    return text == nullptr ? "" : text;  // null: it cannot be told in this locale
  }
  [[nodiscard]] bool is_folder() const { return ::archive_entry_filetype(entry_) == AE_IFDIR; }

  // Empty where the entry is a file whose bytes can be had.
  [[nodiscard]] std::string why_not() const {
    if (::archive_entry_hardlink(entry_) != nullptr) return "a hard link";
    if (::archive_entry_filetype(entry_) == AE_IFLNK) return "a symbolic link";
    if (::archive_entry_filetype(entry_) != AE_IFREG) return "not a regular file";
    if (::archive_entry_is_encrypted(entry_) != 0) return "encrypted";
    if (::archive_entry_sparse_count(entry_) != 0) return "a sparse file";
    return warning_.empty() ? "" : "damaged (" + escape_for_terminal(warning_) + ")";
  }

  // The bytes of the entry, as many as there are: what it declares is compared, not believed.
  [[nodiscard]] common::Bytes read(std::uint64_t limit_bytes) {
    const std::string called = escape_for_terminal(name());
    common::Bytes bytes;
    for (;;) {
      const void* piece = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int code = ::archive_read_data_block(reader_.get(), &piece, &size, &offset);
      if (code == ARCHIVE_EOF) break;
      if (code != ARCHIVE_OK) fail(called + ": ");
      if (static_cast<std::uint64_t>(offset) != bytes.size()) refuse(input_.path, called + " has holes");
      if (size > limit_bytes - bytes.size())
        refuse(input_.path, called + " has more than " + std::to_string(limit_bytes) + " bytes");
      const auto* from = static_cast<const std::uint8_t*>(piece);
      bytes.insert(bytes.end(), from, from + size);
    }
    if (::archive_entry_size_is_set(entry_) != 0 &&
        static_cast<std::uint64_t>(::archive_entry_size(entry_)) != bytes.size())
      refuse(input_.path, called + " declares " + std::to_string(::archive_entry_size(entry_)) +
                              " bytes and has " + std::to_string(bytes.size()));
    return bytes;
  }

 private:
  [[nodiscard]] std::string message() const {
    const char* text = ::archive_error_string(reader_.get());
    return text == nullptr ? "it is damaged" : text;
  }

  [[noreturn]] void fail(const std::string& before = "") {
    if (input_.failure) std::rethrow_exception(input_.failure);
    refuse_fault();
    refuse(input_.path, before + message());
  }

  void refuse_fault() const {
    if (!input_.stream) return;
    if (const auto fault = input_.stream->fault()) refuse(input_.path, fault->what);
  }

  // libarchive takes the end of the input for the end of a tar, and stops before a checksum at its end.
  void check_end() {
    if (is_zip(input_.path)) return;
    while (input_.read() > 0) {
    }
    refuse_fault();
    if (!input_.ends_with_zeros) refuse(input_.path, "it does not end as a tar does, so it was cut short");
  }

  Input input_;
  std::unique_ptr<archive, FreeArchive> reader_;
  archive_entry* entry_ = nullptr;
  std::string warning_;
};

bool looks_like_media(const std::string& name) {
  static constexpr std::array<const char*, 6> k_suffixes{".wav", ".flac", ".mp3", ".jpg", ".jpeg", ".png"};
  return name.size() <= k_name_limit_bytes &&
         std::any_of(k_suffixes.begin(), k_suffixes.end(),
                     [&](const char* suffix) { return name.ends_with(suffix); });
}

// "./audio/x.wav", as `tar c .` writes it, is audio/x.wav.
std::string without_dot(std::string name) {
  while (name.starts_with("./")) name.erase(0, 2);
  return name;
}

// The first component of a name, where it is one that a folder may be named by.
std::string top_of(const std::string& name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string::npos) return {};
  std::string top = name.substr(0, slash);
  return common::why_not_a_pack_path(top).empty() ? top : std::string();
}

}  // namespace

bool is_foreign_archive_name(const fs::path& path) { return is_zip(path) || form_of_suffix(path); }

ForeignArchive::ForeignArchive(fs::path path) : path_(std::move(path)) {
  Walk walk(path_);
  bool one_folder = true;
  for (std::size_t number = 0; walk.advance(); ++number) {
    if (number == k_entry_limit) refuse(path_, "it has more than 5000000 entries");
    if (walk.is_folder()) continue;
    const std::string stored = walk.name();
    std::string name = without_dot(stored);
    const std::string top = top_of(name);
    if (only_folder_.empty()) only_folder_ = top;
    one_folder = one_folder && !top.empty() && top == only_folder_;
    if (!looks_like_media(name)) continue;
    const auto [at, is_new] = entries_.try_emplace(std::move(name), Entry{number, stored, walk.why_not()});
    // Which one is meant, nobody knows: unpackers disagree.
    if (!is_new) at->second.why_not = "there more than once";
  }
  if (!one_folder) only_folder_.clear();
}

const ForeignArchive::Entry* ForeignArchive::find(const std::string& name) const {
  auto at = entries_.find(name);
  if (at == entries_.end() && !only_folder_.empty()) at = entries_.find(only_folder_ + "/" + name);
  return at == entries_.end() ? nullptr : &at->second;
}

struct ForeignReader::State {
  State(const fs::path& archive, std::vector<ForeignArchive::Entry> entries, std::uint64_t limit)
      : path(archive), wanted(std::move(entries)), limit_bytes(limit), walk(archive) {}

  fs::path path;
  std::vector<ForeignArchive::Entry> wanted;
  std::uint64_t limit_bytes;
  std::mutex mutex;
  Walk walk;
  std::size_t passed = 0;  // entries behind us
  std::size_t next = 0;    // into wanted
};

ForeignReader::ForeignReader(const fs::path& archive, std::vector<ForeignArchive::Entry> wanted,
                             std::uint64_t limit_bytes)
    : state_(std::make_unique<State>(archive, std::move(wanted), limit_bytes)) {}
ForeignReader::~ForeignReader() = default;

ForeignReader::Taken ForeignReader::next() {
  State& s = *state_;
  const std::lock_guard lock(s.mutex);
  ENSURE(s.next < s.wanted.size());
  const ForeignArchive::Entry& entry = s.wanted[s.next];
  const auto changed = [&] { refuse(s.path, "it changed while it was read"); };
  while (s.passed <= entry.number) {
    if (!s.walk.advance()) changed();
    ++s.passed;
  }
  if (s.walk.name() != entry.name || !s.walk.why_not().empty()) changed();
  return {s.next++, s.walk.read(s.limit_bytes)};
}

}  // namespace packer
