// The commands of safe-manifest, after the command line has been read. Each writes its whole result or
// nothing, and returns the exit code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/progress.hpp"
#include "manifest/select.hpp"

namespace manifest {

enum class ResultForm { text, json };

struct OutputOptions {
  ResultForm form = ResultForm::text;
  common::Verbosity verbosity = common::Verbosity::normal;
  unsigned threads = 0;
};

struct QuestionOptions {
  VqaSplit split = VqaSplit::val;
  Strategy strategy = Strategy::original;
  std::filesystem::path questions;
  std::filesystem::path annotations;
  std::filesystem::path output;
  std::uint64_t subset_size = 0;
  std::int64_t seed = 0;
  std::vector<std::filesystem::path> exclude;
  std::optional<std::filesystem::path> captions;  // an AudioCaps table; base only
  std::optional<Licence> captions_licence;
  std::string data_subtype;     // empty: as the tables say
  std::string default_subtype;  // where they say nothing
};
int choose_questions(const QuestionOptions& options, const OutputOptions& output);

struct ClipOptions {
  std::string split;
  std::filesystem::path metadata;
  std::filesystem::path output;
  std::uint64_t subset_size = 0;
  std::int64_t seed = 0;
  std::vector<std::filesystem::path> exclude;
  std::optional<std::filesystem::path> available;  // clips without a file below it are passed over
  std::optional<Licence> licence;                  // of the table, which has no place for one
};
int choose_clips(const ClipOptions& options, const OutputOptions& output);

// What the manifest holds, in a few lines; with an id, the rows that carry it (1 where there is none).
int show(const std::filesystem::path& manifest, const std::string& id, const OutputOptions& output);
// 1 where the two differ in anything.
int diff(const std::filesystem::path& a, const std::filesystem::path& b, const OutputOptions& output);
// 1 where there is any finding. What a manifest says was skipped is told, and no finding.
int check(const std::vector<std::filesystem::path>& manifests, const OutputOptions& output);

}  // namespace manifest
