#include "trainer/train/preconditions.hpp"

#include <fmt/format.h>

#include "common/error.hpp"
#include "trainer/samples/streams.hpp"

namespace trainer {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw common::Error(common::ErrorKind::mismatch, what); }

void require_questions(const RunConfig& config, std::size_t questions) {
  if (questions == 0)
    refuse("the variant " + config.variant +
           " needs retention questions, and the pack has no retention_manifest.json; make one with "
           "safe-manifest "
           "retention and build the pack again");
  const auto& null_space = config.retention.null_space;
  if (null_space && static_cast<std::int64_t>(questions) < null_space->row_minimum)
    refuse(fmt::format(
        "the null space needs at least {} retention questions, and the pack has {}; make a larger "
        "retention_manifest.json and build the pack again",
        null_space->row_minimum, questions));
}

void require_fisher_acts(const RunConfig& config, std::int64_t steps_per_epoch) {
  const std::int64_t first = config.retention.fisher.every, steps = steps_per_epoch * config.epochs;
  if (config.retention.fisher.weight <= 0 || steps > first) return;
  refuse(
      fmt::format("the Fisher penalty first acts in step {}, and this run has {} steps, the last one with a "
                  "learning rate of 0; take --num-epochs {} or more, or switch it off (--fisher-weight 0)",
                  first, steps, first / steps_per_epoch + 1));
}

}  // namespace

void require_mechanisms_can_act(const RunConfig& config, const Selection& selection) {
  const RetentionConfig& retention = config.retention;
  if (retention.kl.weight <= 0 && retention.fisher.weight <= 0 && !retention.null_space) return;
  require_questions(config, selection.retention.size());
  const EpochStream clips(config.seed, "audio", count_train_rows(selection), config.train_batch_size);
  require_fisher_acts(config, clips.steps_per_epoch());
}

}  // namespace trainer
