// The commands of safe-manifest that write a manifest. Each writes its whole result or nothing, overwrites
// other rows only where it is told to, and returns the exit code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/cli/verb.hpp"
#include "manifest/select.hpp"

namespace manifest {

// A manifest that is there with other bytes.
enum class Existing { refuse, replace };

struct QuestionOptions {
  VqaSplit split = VqaSplit::val;
  std::string verb;  // "val"
  Strategy strategy = Strategy::original;
  std::filesystem::path questions;
  std::filesystem::path annotations;
  std::filesystem::path output;
  std::uint64_t subset_size = 0;  // 0: all
  common::Seed seed = 0;
  std::vector<std::filesystem::path> exclude;
  // Names of manifests beside `output` that are excluded too. They must be there where `exclude` is empty.
  std::vector<std::string> excluded_beside;
  std::optional<std::filesystem::path> captions;  // an AudioCaps table; base only
  std::optional<Licence> captions_licence;
  std::string data_subtype;     // empty: as the tables say
  std::string default_subtype;  // where they say nothing
  Existing existing = Existing::refuse;
};
int choose_questions(const QuestionOptions& options, const common::CommonFlags& flags);

struct ClipOptions {
  std::string split;
  std::filesystem::path metadata;
  std::filesystem::path output;
  std::uint64_t subset_size = 0;  // 0: all
  common::Seed seed = 0;
  std::vector<std::filesystem::path> exclude;
  std::optional<std::filesystem::path> available;  // clips without a file below it are passed over
  std::optional<Licence> licence;                  // of the table, which has no place for one
  Existing existing = Existing::refuse;
};
int choose_clips(const ClipOptions& options, const common::CommonFlags& flags);

}  // namespace manifest
