#include "trainer/run/judge.hpp"

#include "common/sealed/draft.hpp"
#include "trainer/evaluate/answer_log.hpp"

namespace trainer {
namespace {

constexpr std::size_t k_digest_digits = 16;

common::Folder made_folder(const std::filesystem::path& path) {
  std::filesystem::create_directories(path);
  return common::Folder::open(path);
}

}  // namespace

Judgement judge(const RunConfig& config, const Experiment& experiment, const SafeModel& model,
                const Compute& compute, const common::Folder* memory) {
  const auto with = [&](AnswerLog& log) {
    return Judgement{evaluate(config, experiment, model, compute, log),
                     evaluate_training(config, experiment, model, compute, log)};
  };
  if (!compute.group().is_alone()) {
    const std::string known =
        compute.group().broadcast(memory != nullptr ? AnswerLog::read(*memory) : std::string(), 0);
    if (memory == nullptr) {
      AnswerLog log(known);
      return with(log);
    }
  }
  AnswerLog log(*memory);
  return with(log);
}

EvaluationMemory::EvaluationMemory(const std::filesystem::path& output_root,
                                   const common::Digest& config_digest)
    : root_(made_folder(output_root)),
      name_(".evaluation-" + config_digest.hex().substr(0, k_digest_digits)),
      lock_(root_, name_),
      folder_(common::open_work_folder(root_, name_).folder) {}

void EvaluationMemory::finish() { root_.remove(name_); }

}  // namespace trainer
