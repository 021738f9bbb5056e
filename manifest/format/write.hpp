// Writing manifests: the bytes that the Python original's json.dump(..., indent=2) gives.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "common/json.hpp"
#include "manifest/format/manifest.hpp"

namespace manifest {

// The bytes of the file, whole or part by part.
[[nodiscard]] std::string write_subset(const SubsetManifest& subset);
[[nodiscard]] std::string write_vqa(const VqaManifest& vqa);
using TakeText = std::function<void(std::string_view)>;
void write_subset(const SubsetManifest& subset, const TakeText& take);
void write_vqa(const VqaManifest& vqa, const TakeText& take);
// One row as the file holds it.
[[nodiscard]] common::Json row_of(const ClipEntry& clip);
[[nodiscard]] common::Json row_of(const QuestionEntry& entry);

// The same bytes in parts: the head up to the first row, each row (`index` counts from 0), and what stands
// behind rows.
[[nodiscard]] std::string head_text(const SubsetManifest& head);
[[nodiscard]] std::string head_text(const VqaManifest& head);
[[nodiscard]] std::string row_text(const ClipEntry& clip, std::size_t index);
[[nodiscard]] std::string row_text(const QuestionEntry& entry, std::size_t index);
[[nodiscard]] std::string caption_text(const ClipEntry& clip, std::size_t index);
inline constexpr std::string_view k_list_end = "\n  ]";
inline constexpr std::string_view k_captions_begin = ",\n  \"captions\": [";
inline constexpr std::string_view k_manifest_end = "\n}";

// captions.jsonl of a pack: one object per clip, "\n" between lines, none at the end.
[[nodiscard]] std::string write_captions_jsonl(const SubsetManifest& subset);
void write_captions_jsonl(const SubsetManifest& subset, const TakeText& take);
[[nodiscard]] std::string captions_line(const ClipEntry& clip);  // without the line feed

}  // namespace manifest
