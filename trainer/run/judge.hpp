// A trained model's answers and captions, remembered batch by batch in a folder, from which a stopped process
// goes on.
#pragma once

#include <vector>

#include "common/sealed/folder.hpp"
#include "common/sealed/lock.hpp"
#include "trainer/evaluate/evaluate.hpp"

namespace trainer {

struct Judgement {
  Evaluation evaluation;
  std::vector<Prediction> training;
};

// memory: where the first process remembers, a folder that it has locked; of the others nothing.
[[nodiscard]] Judgement judge(const RunConfig& config, const Experiment& experiment, const SafeModel& model,
                              const Compute& compute, const common::Folder* memory);

// Where `evaluate` remembers until its run directory is there: ".evaluation-" and the first digits of its
// config_digest, below the output root. It stays for the same command to go on, until finish().
class EvaluationMemory {
 public:
  // An io error where another process works in it.
  EvaluationMemory(const std::filesystem::path& output_root, const common::Digest& config_digest);
  [[nodiscard]] const common::Folder& folder() const { return folder_; }
  void finish();

 private:
  common::Folder root_;
  std::string name_;
  common::Lock lock_;
  common::Folder folder_;
};

}  // namespace trainer
