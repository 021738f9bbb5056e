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

// Where the verbs write by default.
inline constexpr const char* k_usual_folder = "experiments/overfitting/";

// A manifest that is there with other bytes.
enum class Existing { refuse, replace };

// The manifests with which nothing may be shared.
struct Exclusion {
  std::vector<std::filesystem::path> named;  // by the user
  // Lists of ids, and of files with their digests, that must not be chosen.
  std::vector<std::filesystem::path> id_lists, file_lists;
  // Names of manifests of other splits beside the output, always excluded too. The first must be there where
  // the user names nothing; the second where they exist.
  std::vector<std::string> needed_beside, found_beside;
};

struct QuestionOptions {
  VqaSplit split = VqaSplit::val;
  Strategy strategy = Strategy::original;
  std::filesystem::path questions;
  std::filesystem::path annotations;
  std::filesystem::path output;
  std::uint64_t subset_size = 0;  // 0: all
  common::Seed seed = 0;
  Exclusion exclude;
  std::vector<std::filesystem::path> unlike;      // manifests whose questions are not asked again
  std::optional<std::filesystem::path> captions;  // a table of clips; base only
  std::optional<Licence> captions_licence;
  std::string data_subtype;     // empty: as the tables say
  std::string default_subtype;  // where they say nothing
  Existing existing = Existing::refuse;
};
int choose_questions(const QuestionOptions& options, const common::CommonFlags& flags);

struct ClipOptions {
  const SoundSet* data_set = nullptr;  // null: as the table's columns tell
  std::string split;
  std::filesystem::path metadata;
  std::filesystem::path output;
  std::uint64_t subset_size = 0;  // 0: all
  common::Seed seed = 0;
  Exclusion exclude;
  std::optional<std::filesystem::path> available;  // clips without a file below it are passed over
  std::optional<Licence> licence;                  // of the table, which has no place for one
  Existing existing = Existing::refuse;
};
int choose_clips(const ClipOptions& options, const common::CommonFlags& flags);

}  // namespace manifest
