// Judges a pack wherever it lies, without extracting it, and lists everything that is wrong.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "common/digest.hpp"
#include "packer/examine.hpp"

namespace packer {

enum class Form { folder, tar, tgz, tar_zst, standard_input };

// From what is there and from the suffix; an unknown suffix is a usage error, an absent path an io error.
[[nodiscard]] Form form_of(const std::filesystem::path& path);
// From the suffix alone.
[[nodiscard]] std::optional<Form> form_of_suffix(const std::filesystem::path& path);

struct Report {
  Findings findings;  // sorted; none: the pack is consistent
  Depth depth = Depth::full;
  std::optional<common::Digest> id;
  std::string name;
  std::size_t files = 0;
  std::uint64_t bytes = 0;
  SignatureState signature = SignatureState::absent;
  std::vector<PackFile> contents;
};

// `path` may be "-", the standard input. Quick needs random access: a folder or a .tar.
[[nodiscard]] Report verify(const std::filesystem::path& path, const ExamineRequest& request);

// The same, with all that was read. Quick needs random access: a folder or a .tar.
[[nodiscard]] Examination examine(const std::filesystem::path& path, const ExamineRequest& request);

// What to do about a pack at `path` with these findings: the last line of every refusal.
[[nodiscard]] std::string remedy_for(const std::filesystem::path& path, const Findings& findings);

// The tar bytes inside a file or the standard input, decompressed on a thread of its own.
[[nodiscard]] std::unique_ptr<Stream> open_archive_stream(const std::filesystem::path& path, Form form);

}  // namespace packer
