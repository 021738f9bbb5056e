#include "trainer/train/preconditions.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "common/error.hpp"
#include "trainer/samples/streams.hpp"

namespace trainer {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw common::Error(common::ErrorKind::mismatch, what); }

void require_questions(const RunConfig& config, const MechanismEntry& mechanism, std::int64_t questions) {
  if (mechanism.needs.questions > 0 && questions == 0)
    refuse("the variant " + config.variant +
           " needs retention questions, and the pack has no retention_manifest.json; make one with "
           "safe-manifest "
           "retention and build the pack again");
  if (questions >= mechanism.needs.questions) return;
  const std::string flag = mechanism.needs.questions_flag;
  refuse(fmt::format(
      "{} needs at least {} retention questions, and the run has {}; give it more "
      "(--retention-size, or a larger retention_manifest.json in the pack){}",
      mechanism.title, mechanism.needs.questions, questions, flag.empty() ? "" : ", or lower " + flag));
}

void require_steps(const MechanismEntry& mechanism, std::int64_t steps_per_epoch, std::int64_t epochs) {
  const std::int64_t first = mechanism.needs.first_step, steps = steps_per_epoch * epochs;
  if (steps > first) return;
  refuse(fmt::format(
      "{} first changes a weight in step {}, so it needs {} steps, the last one having a "
      "learning rate of 0, and this run has {}; take --num-epochs {} or more, or switch it off "
      "({})",
      mechanism.title, first, first + 1, steps, first / steps_per_epoch + 1, mechanism.switch_off));
}

}  // namespace

void require_mechanisms_can_act(const RunConfig& config, const Selection& selection) {
  const std::vector<MechanismEntry> mechanisms = mechanisms_on(config.retention, config.retention.batch_size);
  if (mechanisms.empty()) return;
  for (const MechanismEntry& mechanism : mechanisms)
    require_questions(config, mechanism, static_cast<std::int64_t>(selection.retention.size()));
  // The one that waits longest, so that what the message asks for is enough for all.
  const auto last = std::max_element(mechanisms.begin(), mechanisms.end(), [](const auto& a, const auto& b) {
    return a.needs.first_step < b.needs.first_step;
  });
  const EpochStream clips(config.seed, "audio", count_train_rows(selection),
                          config.train_batch_size * config.gradient_accumulation);
  require_steps(*last, clips.steps_per_epoch(), config.epochs);
}

}  // namespace trainer
