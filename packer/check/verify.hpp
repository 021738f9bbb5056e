// Judges a pack wherever it lies, without extracting it, and lists everything that is wrong.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/digest.hpp"
#include "packer/check/examine.hpp"
#include "packer/check/place.hpp"
#include "packer/tar/form.hpp"
#include "packer/tar/stream.hpp"

namespace packer {

// Where a part that was joined was read, and whether that is the copy that it was joined for.
struct PartRead {
  Part part;
  Place place;
  SameCopy same_copy = SameCopy::unknown;
};

struct Report {
  common::Findings findings;  // sorted; none: the pack is consistent
  Depth depth = Depth::full;
  std::optional<common::Digest> id;
  std::string name;
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  SignatureState signature = SignatureState::absent;
  std::vector<PackFile> contents;
  std::optional<Part> part{};          // where only that was hashed; `files` and `bytes` are its media then
  Place place{};                       // where that was read
  std::vector<PartRead> parts_read{};  // of a joined report, by number
};

// Every byte of this very copy was read, and nothing was found.
[[nodiscard]] bool is_verified(const Report& report);

// `path` may be "-", the standard input. Quick needs random access: a folder or a .tar.
[[nodiscard]] Report verify(const std::filesystem::path& path, const ExamineRequest& request);

// The same, with all that was read. Quick needs random access: a folder or a .tar.
[[nodiscard]] Examination examine(const std::filesystem::path& path, const ExamineRequest& request);

// What to do about a pack at `path` with these findings: the last line of every refusal.
[[nodiscard]] std::string remedy_for(const std::filesystem::path& path, const common::Findings& findings);

// The tar bytes inside a file or the standard input, decompressed on a thread of its own.
[[nodiscard]] std::unique_ptr<Stream> open_archive_stream(const std::filesystem::path& path, Form form);

}  // namespace packer
