#include "trainer/results/history_check.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include "trainer/results/config_keys.hpp"
#include "trainer/samples/schedule.hpp"

namespace trainer {
namespace {

using common::Json;

constexpr const char* k_history_file = "history.jsonl";

struct Plan {
  std::int64_t steps_per_epoch = 0, steps = 0;
  double projector_rate = 0, adapter_rate = 0;
  std::int64_t accuracy_every = 0, accuracy_first = 0;
};

// A clip with several captions is as many rows, and then config.json says how many there are in all.
std::int64_t rows_of(const Json& config, std::int64_t clips) {
  const auto used = config.find("used");
  if (used == config.end() || !used->is_object()) return clips;
  const auto rows = used->find("caption_rows");
  if (rows == used->end() || !rows->is_number_integer()) return clips;
  constexpr std::int64_t k_captions_a_clip = 1'000;  // as a manifest can have at most
  return std::min(std::max(rows->get<std::int64_t>(), clips), k_captions_a_clip * clips);
}

std::int64_t divided_up(std::int64_t a, std::int64_t b) { return a / b + (a % b > 0 ? 1 : 0); }

// Whose gradients one step sums; config.json says so where it is more than one.
std::int64_t batches_of(const Json& config) {
  return config.contains(k_accumulation) ? common::integer_member(config, k_accumulation, "config.json") : 1;
}

Plan plan_of(const Json& config, std::int64_t clips) {
  const std::string where = "config.json";
  const std::int64_t rows = rows_of(config, clips);
  const std::int64_t batch = common::integer_member(config, "train_batch_size", where),
                     sums = batches_of(config);
  Plan plan;
  // In two divisions, as their product may be no number.
  if (batch > 0 && sums > 0) plan.steps_per_epoch = divided_up(divided_up(rows, batch), sums);
  plan.steps = plan.steps_per_epoch * common::integer_member(config, "num_epochs", where);
  plan.projector_rate = common::number_member(config, "learning_rate_projector", where);
  plan.adapter_rate = common::number_member(config, "learning_rate_adapter", where);
  plan.accuracy_every = common::integer_member(config, "train_accuracy_interval", where);
  plan.accuracy_first = common::integer_member(config, "train_accuracy_warmup", where);
  return plan;
}

class Record {
 public:
  Record(const Json& record, std::size_t number, common::Findings& findings)
      : record_(record), where_("line " + std::to_string(number) + ": "), findings_(findings) {}

  void find(const std::string& what) const { findings_.push_back({k_history_file, "R6", where_ + what}); }

  void require(const char* key, std::int64_t expected) const {
    const auto found = record_.find(key);
    if (found == record_.end() || *found != expected)
      find(std::string(key) + " is " + text_of(key) + "; " + std::to_string(expected) + " follows");
  }
  // `slack`: relative, for what a C library rounds in its own way.
  void require(const char* key, double expected, double slack, const std::string& why) const {
    const auto found = record_.find(key);
    const bool is_number = found != record_.end() && found->is_number();
    if (!is_number || !(std::abs(found->get<double>() - expected) <= slack * std::abs(expected)))
      find(std::string(key) + " is " + text_of(key) + "; " + common::dump_line(expected) + " follows from " +
           why);
  }
  [[nodiscard]] std::string text_of(const char* key) const {
    const auto found = record_.find(key);
    return found == record_.end() ? "missing" : common::dump_line(*found);
  }

 private:
  const Json& record_;
  std::string where_;
  common::Findings& findings_;
};

// The total is the sum of the task's loss and the mechanisms', in the order of their columns.
double sum_of_losses(const Json& record) {
  double sum = record.value("audio_task_loss", 0.0);
  for (const auto& [key, value] : record.items())
    if (key.ends_with("_loss") && key != "audio_task_loss" && key != "total_loss" && value.is_number())
      sum += value.get<double>();
  return sum;
}

void check_columns(const Json& record, const Json* first, bool accuracy_due, const Record& line) {
  for (const auto& [key, value] : record.items()) {
    if (!value.is_number()) line.find(key + " is " + common::dump_line(value) + "; every value is a number");
    const bool never_negative = key != "total_loss" && !key.ends_with("_loss");
    if (never_negative && value.is_number() && value.get<double>() < 0)
      line.find(key + " is " + common::dump_line(value) + "; it is never below 0");
    if (first != nullptr && key != "train_token_accuracy" && !first->contains(key))
      line.find(key + " is not in line 1");
  }
  if (first != nullptr)
    for (const auto& [key, value] : first->items())
      if (key != "train_token_accuracy" && !record.contains(key)) line.find(key + " is missing");
  const auto accuracy = record.find("train_token_accuracy");
  if ((accuracy != record.end()) != accuracy_due)
    line.find(std::string("train_token_accuracy is ") + (accuracy_due ? "missing" : "not measured here"));
  if (accuracy != record.end() && accuracy->is_number() && accuracy->get<double>() > 1)
    line.find("train_token_accuracy is " + common::dump_line(*accuracy) + "; a share is at most 1");
}

}  // namespace

void check_history(const std::vector<Json>& records, const Json& config, std::int64_t trained_clips,
                   common::Findings& findings) {
  if (config.contains("evaluated_run")) {
    if (!records.empty())
      findings.push_back(
          {k_history_file, "R6", "has steps, and config.json says that an earlier run was judged"});
    return;
  }
  const Plan plan = plan_of(config, trained_clips);
  if (static_cast<std::int64_t>(records.size()) != plan.steps) {
    findings.push_back({k_history_file, "R6",
                        "has " + std::to_string(records.size()) + " steps; " + std::to_string(plan.steps) +
                            " follow from config.json and subset_indices.json"});
    return;
  }
  const std::int64_t warmup = records.empty() ? 0 : warmup_steps(plan.steps);
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto step = static_cast<std::int64_t>(i) + 1;
    const Record line(records[i], i + 1, findings);
    line.require("step", step);
    line.require("epoch", (step - 1) / plan.steps_per_epoch);
    const double factor = schedule_factor(step, plan.steps, warmup);
    // The last step has a rate of 0, or of what is left of a cosine.
    const double slack = step == plan.steps ? 1e-3 : 1e-12;
    line.require("lr_projector", plan.projector_rate * factor, slack, "the schedule");
    line.require("lr_adapter", plan.adapter_rate * factor, slack, "the schedule");
    line.require("total_loss", sum_of_losses(records[i]), 0, "the losses of its line");
    const bool due =
        step <= plan.accuracy_first || (plan.accuracy_every > 0 && step % plan.accuracy_every == 0);
    check_columns(records[i], i == 0 ? nullptr : &records.front(), due, line);
  }
}

}  // namespace trainer
