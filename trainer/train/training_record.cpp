#include "trainer/train/training_record.hpp"

#include <algorithm>
#include <utility>

namespace trainer {

TrainingRecord::TrainingRecord(RunDirectory* run, std::string config_digest,
                               const std::optional<Checkpoint>& checkpoint)
    : run_(run), config_digest_(std::move(config_digest)) {
  if (run_ == nullptr) return;
  run_->cut_history(checkpoint ? checkpoint->history_bytes : 0);
  history_.emplace(run_->history());
}

void TrainingRecord::append(const common::Json& step) {
  if (history_) history_->append(step);
}

void TrainingRecord::save(std::int64_t step, const SafeModel& model, const AdamW& optimiser,
                          const Mechanisms& mechanisms) {
  if (run_ != nullptr)
    save_checkpoint(*run_, step, config_digest_, history_->save(), model, optimiser, mechanisms);
}

std::map<std::string, MechanismActivity> TrainingRecord::activity_of(const Mechanisms& mechanisms) const {
  std::map<std::string, MechanismActivity> activity;
  if (run_ == nullptr) return activity;
  const std::string text = run_->read_history();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const common::Json record =
        common::parse_json(std::string_view(text).substr(begin, end - begin), "history.jsonl");
    begin = end + 1;
    for (const auto& mechanism : mechanisms) {
      const std::string name = mechanism->name();
      const std::string key =
          name + (mechanism->kind() == MechanismKind::constraint ? "_removed" : "_gradient_norm");
      const double acted =
          record.contains(key) ? common::number_member(record, key.c_str(), "history.jsonl") : 0.0;
      MechanismActivity& one = activity[name];
      ++one.enabled_steps;
      if (acted > 0) ++one.acted_steps;
      one.largest = std::max(one.largest.value_or(0), acted);
    }
  }
  return activity;
}

}  // namespace trainer
