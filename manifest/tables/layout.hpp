// Where data sets lie in the trees that people have: the Python original's, its converters' and its
// documents', which differ. Names only, best first; relative to a root that the user names.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace manifest {

// AudioCaps' table of a split, below data/audiocaps.
[[nodiscard]] std::vector<std::string> audiocaps_tables(const std::string& split);
// VQA v2's tables of "val2014" or "train2014", below data/vqa.
[[nodiscard]] std::vector<std::string> vqa_questions(const std::string& data_subtype);
[[nodiscard]] std::vector<std::string> vqa_annotations(const std::string& data_subtype);
// A clip that a manifest calls "audio/train/x.wav", below data/audiocaps.
[[nodiscard]] std::vector<std::string> clip_files(const std::string& audio_relpath);
// A picture, below data/vqa, data/coco, data or the folder of pictures itself.
[[nodiscard]] std::vector<std::string> image_files(const std::string& image_filename);
// "audio/train/x.wav" without the suffix, where it is one that sound has.
[[nodiscard]] std::string clip_stem(const std::string& audio_relpath);

// The first of `names` that is a file below `root`; the first of all where none is there.
[[nodiscard]] std::filesystem::path first_file(const std::filesystem::path& root,
                                               const std::vector<std::string>& names);
// Whether one of `names` is a file, or a link to one, below `root`. A folder that cannot be looked into is an
// io error: a disk that fails must not look like data that is missing.
[[nodiscard]] bool has_file(const std::filesystem::path& root, const std::vector<std::string>& names);

}  // namespace manifest
