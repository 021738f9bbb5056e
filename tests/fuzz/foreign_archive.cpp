// A zip or tar of somebody else; a byte in front tells the form. What is listed can be read, or is refused.
#include "packer/sources/foreign_archive.hpp"
#include "tests/fuzz/file_of.hpp"
#include "tests/fuzz/fuzz.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr const char* k_forms[] = {"x.zip", "x.tar", "x.tgz", "x.tar.zst"};
  constexpr std::uint64_t k_limit_bytes = 1 << 16;
  const fuzz::FileOf file(k_forms[data[0] % 4], fuzz::text_of(data + 1, size - 1));
  try {
    const packer::ForeignArchive archive(file.path());
    for (const char* name : {"a.wav", "audio/train/a.wav", "images/a.jpg"})
      if (const packer::ForeignEntry* entry = archive.find(name);
          entry != nullptr && entry->why_not.empty()) {
        packer::ForeignReader reader(file.path(), {{*entry, k_limit_bytes}});
        ENSURE(reader.next().bytes.size() <= k_limit_bytes);
      }
  } catch (const common::Error& error) {
    // io: libarchive and libzip call some damage a failure to read.
    ENSURE(error.kind() != common::ErrorKind::usage && *error.what() != '\0');
  }
  return 0;
}
